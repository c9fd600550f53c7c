"""Interpolate a video to two or four times its rate, by optical flow.

The flow is OpenCV's DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, arXiv 1603.03590), found in both
directions between neighbouring frames. A picture at the share t of the way from frame 0 to frame 1 is made of both,
pulled along flows that are approximated as in Super SloMo (Jiang et al., arXiv 1712.00080, equation 4):

    F_t0 = -(1-t) t F_01 + t^2 F_10,    F_t1 = (1-t)^2 F_01 - t (1-t) F_10
    I_t = (w_0 I_0(x + F_t0) + w_1 I_1(x + F_t1)) / (w_0 + w_1),    w_0 = (1-t) v_0,    w_1 = t v_1

where v is near 1 if the flow there and back again meets itself, and near 0 at what is covered in the other frame. No
network is needed; what turns, appears or changes its colour is blended. `film` is the other way.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.track.cuts import change, shots, thumbnail
from vcd_ext.media import Clip
from vcd_ext.media.clip import FASTEST, MediaError, stacked
from vcd_ext.metrics.motion import optical_flow

MEETS = 2.0  # pixels squared by which flow there and back again may miss itself, at a visibility of 1/e
LEAST = 1e-3  # visibility of what neither frame shows: it is blended by time alone

Frame = NDArray[np.uint8]
Between = Callable[[Frame, Frame, list[float]], list[Frame]]  # pictures at shares of the way from one to another
Flow = NDArray[np.float32]  # [H, W, 2], where each pixel goes, x and y in pixels


def check_interpolation(fps: Any, times: int) -> None:
    """Raise MediaError, in one sentence, if a rate times so many is faster than a file can be."""
    if fps * times > FASTEST:
        raise MediaError(
            f"{float(fps):g} frames a second cannot be interpolated to {times} times as many; {FASTEST} are the most."
        )


def interpolated(clip: Clip, times: int, closed: bool = False, by: Between | None = None) -> Clip:
    """Return a clip at `times` its rate, with so many times its frames; the very clip where that is 1.

    Frame i of the clip is frame i * times, unchanged, so that it is shown at the same moment and the length in seconds
    stays the same: sound goes on fitting. After the last frame nothing is known, so it is repeated until the end;
    closed: a loop, in which the first frame follows the last. Nor is anything blended over a cut: the frame before it
    stays until it. by: what makes the frames between two; optical flow without one. MediaError for a rate that is too
    fast.
    """
    if times == 1:
        return clip
    check_interpolation(clip.fps, times)
    frames = stacked(_frames(clip.frames, times, closed, by or between), len(clip.frames) * times)
    return Clip(frames, clip.fps * times, clip.metadata, clip.start)


def _frames(frames: NDArray[np.uint8], times: int, closed: bool, by: Between) -> Iterator[Frame]:
    last = len(frames) - 1
    joined = _joined(frames, closed)
    for i, frame in enumerate(frames):
        yield frame
        after = frames[(i + 1) % len(frames)]
        if not joined[i] or (i == last and not closed):
            yield from [frame] * (times - 1)
        else:
            yield from by(frame, after, [k / times for k in range(1, times)])


def _joined(frames: NDArray[np.uint8], closed: bool) -> list[bool]:
    """Return for each frame whether the one after it belongs to the same shot; after the last comes the first."""
    small = [thumbnail(frame) for frame in frames]
    if closed:
        small.append(small[0])
    changes = [change(one, two) for one, two in pairwise(small)]
    over_one = [change(one, two) for one, two in zip(small, small[2:], strict=False)]
    starts = {shot.start for shot in shots(changes, over_one)}
    return [i + 1 not in starts for i in range(len(frames))]


def between(one: Frame, two: Frame, shares: list[float]) -> list[Frame]:
    """Make the pictures uint8 [H, W, 3] at shares, from 0 to 1, of the way from one picture to another."""
    if np.array_equal(one, two):
        return [one] * len(shares)
    there, back = optical_flow(one, two), optical_flow(two, one)
    seen = _visibility(there, back), _visibility(back, there)
    return [_at(t, (one, two), there, back, seen) for t in shares]


def _at(t: float, pictures: tuple[Frame, Frame], there: Flow, back: Flow, seen: tuple[Any, Any]) -> Frame:
    to_first = t * t * back - (1 - t) * t * there
    to_second = (1 - t) ** 2 * there - t * (1 - t) * back
    first = (1 - t) * (_pulled(seen[0], to_first) + LEAST)
    second = t * (_pulled(seen[1], to_second) + LEAST)
    share = (first / (first + second))[..., None]
    mixed = share * _pulled(pictures[0], to_first) + (1 - share) * _pulled(pictures[1], to_second)
    return np.rint(mixed).astype(np.uint8)


def _visibility(there: Flow, back: Flow) -> NDArray[np.float32]:
    missed = there + _pulled(back, there)
    return np.exp(-(missed**2).sum(axis=2) / MEETS, dtype=np.float32)


def _pulled(picture: NDArray[Any], by: Flow) -> NDArray[np.float32]:
    """Return a picture [H, W, ...] with what lies at x + by(x) at x; beyond its edges it goes on as it ends."""
    height, width = picture.shape[:2]
    y, x = np.indices((height, width), np.float32)
    values = picture.astype(np.float32)
    pulled = cv2.remap(values, x + by[..., 0], y + by[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(pulled, np.float32)
