"""What can be measured of a clip without a network: how much it moves, how much it flickers, how true its colours are.

Optical flow is OpenCV's DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, arXiv 1603.03590), found on
grey pictures that are first brought to 128 pixels on the longer side, so that clips of any size compare.
"""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

SMALLEST = 32  # pixels of a side; below 16 OpenCV's DIS ends the process
SIDE = 128  # pixels of the longer side on which flow is found
FEWEST = 16  # pixels of a mask whose colours can be compared
_LEVELS = 256  # steps at which two distributions are compared
_DIRECTIONS = 48  # in which they are looked at

Frames = NDArray[np.uint8]


def flow_magnitude(frames: Frames, masks: Frames | None = None) -> float:
    """Compute the mean optical flow between neighbours, in pixels a frame at 128 pixels; 0 for a still clip.

    frames: uint8 [F, H, W, 3], F >= 2. masks: uint8 [F, H, W]; then only where the earlier frame's is at least 128.
    ValueError for other shapes, and for masks that are empty in all frames but the last.
    """
    small = _small(frames)
    lengths = [np.hypot(*np.moveaxis(optical_flow(one, two), 2, 0)) for one, two in pairwise(small)]
    if masks is None:
        return float(np.mean(lengths))
    inside = _inside(masks, frames, small.shape)[:-1]
    return float(np.stack(lengths)[inside].mean())


def flicker(frames: Frames) -> float:
    """Compute the change between frames where nothing moves: mean absolute difference, 0 to 255.

    Each frame is compared with the next one, moved back along the optical flow; pixels that leave the picture do not
    count. 0 for a still clip, nearly 0 for one that only moves, high for noise. What is uncovered by a moving subject
    counts too, so compare with drawn clips of the same kind. frames: uint8 [F, H, W, 3], F >= 2.
    """
    cv2 = _opencv()
    small = _small(frames)
    height, width = small.shape[1:3]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    changes = []
    for one, two in pairwise(small):
        flow = optical_flow(one, two)
        to_x, to_y = x + flow[..., 0], y + flow[..., 1]
        back = cv2.remap(two, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        seen = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
        if seen.any():
            changes.append(np.abs(back.astype(np.float32) - one)[seen].mean())
    return float(np.mean(changes)) if changes else 255.0


def neighbour_correlation(frames: Frames) -> float:
    """Compute the pixels' temporal consistency: mean correlation between neighbours, -1 to 1; 1 for a still clip.

    frames: uint8 [F, H, W, 3], F >= 2. A pair of which one picture has a single colour counts 1 if the two are
    equal, else 0.
    """
    _check(frames)
    values = frames.reshape(len(frames), -1).astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    sizes = np.sqrt((values**2).sum(axis=1))
    found = []
    for k in range(len(values) - 1):
        size = sizes[k] * sizes[k + 1]
        equal = bool((frames[k] == frames[k + 1]).all())
        found.append(float(values[k] @ values[k + 1] / size) if size > 0 else float(equal))
    return float(np.mean(found))


def colour_error(first: Frames, first_mask: Frames, second: Frames, second_mask: Frames) -> float:
    """Compute the distance of the colours inside two masks, in units of CIE Lab (CIE76, about 0 to 100).

    Pictures uint8 [..., H, W, 3] with masks uint8 [..., H, W] of the same leading sizes (a picture or a whole clip);
    pixels count where a mask is at least 128. It compares distributions, wherever the colours are: the sliced
    Wasserstein distance (Rabin et al., 2011) over fixed directions, scaled so that a shift of all colours by a vector
    gives its length. 2 is just visible; light counts as colour. ValueError for fewer than 16 pixels in a mask.
    """
    directions = _directions()
    one, two = (_quantiles(_lab(*pair) @ directions.T) for pair in ((first, first_mask), (second, second_mask)))
    # The mean length of a unit vector's projection on all directions of space is a half.
    return float(2 * np.abs(one - two).mean())


def _opencv() -> ModuleType:
    try:
        import cv2
    except ImportError as error:
        raise ValueError("Measuring motion and colours needs OpenCV; pip install opencv-python-headless.") from error
    return cv2


def _check(frames: Frames) -> None:
    good = isinstance(frames, np.ndarray) and frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[3] == 3
    if not good or len(frames) < 2 or 0 in frames.shape:
        what = f"{frames.dtype} {list(frames.shape)}" if isinstance(frames, np.ndarray) else type(frames).__name__
        raise ValueError(f"Motion is measured in uint8 [frames, height, width, 3] of at least 2 frames, not in {what}.")


def _small(frames: Frames) -> Frames:
    _check(frames)
    height, width = frames.shape[1:3]
    scale = SIDE / max(height, width)
    if scale == 1:
        return frames
    cv2 = _opencv()
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.stack([cv2.resize(frame, size, interpolation=way) for frame in frames])


def _inside(masks: Frames, frames: Frames, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if masks.shape != frames.shape[:3]:
        raise ValueError(f"The masks are {list(masks.shape)}; for these frames they must be {list(frames.shape[:3])}.")
    cv2 = _opencv()
    inside = np.stack([cv2.resize(mask, shape[2:0:-1], interpolation=cv2.INTER_AREA) >= 128 for mask in masks])
    if not inside[:-1].any():
        raise ValueError("The masks are empty, so there is nothing whose motion can be measured; give others or none.")
    return inside


def optical_flow(one: Frames, two: Frames) -> NDArray[np.float32]:
    """Compute where each pixel of the first picture goes in the second: float32 [h, w, 2], x and y in pixels.

    pictures: uint8 [h, w, 3] of any size.
    """
    cv2 = _opencv()
    grey = [_at_least(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) for picture in (one, two)]
    height, width = one.shape[:2]
    if (grey[0] == grey[1]).all():
        return np.zeros((height, width, 2), np.float32)
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(finder.calc(grey[0], grey[1], None), np.float32)[:height, :width]


def _at_least(grey: Frames) -> Frames:
    """Let a picture that is too small for DIS go on below and to the right as it ends."""
    missing = [max(SMALLEST - side, 0) for side in grey.shape]
    return np.pad(grey, [(0, count) for count in missing], mode="edge") if any(missing) else grey


def _lab(pictures: Frames, masks: Frames) -> NDArray[np.float32]:
    """Return the colours [n, 3] inside the masks: L 0 to 100, a and b about -100 to 100."""
    if pictures.dtype != np.uint8 or pictures.shape[:-1] != masks.shape or pictures.shape[-1] != 3:
        raise ValueError(
            f"The picture is {pictures.dtype} {list(pictures.shape)} and its mask {list(masks.shape)}; expected uint8 "
            "[..., height, width, 3] and a mask of the same height and width."
        )
    colours = pictures[masks >= 128]
    if len(colours) < FEWEST:
        raise ValueError(f"There are {len(colours)} pixels in a mask; colours are compared from {FEWEST} on.")
    cv2 = _opencv()
    return np.asarray(cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0], np.float32)


def _directions() -> NDArray[np.float32]:
    """Return unit vectors [_DIRECTIONS, 3], evenly over half a sphere (a Fibonacci lattice)."""
    k = np.arange(_DIRECTIONS) + 0.5
    height, turn = k / _DIRECTIONS, k * np.pi * (3 - 5**0.5)
    around = np.sqrt(1 - height**2)
    return np.stack([around * np.cos(turn), around * np.sin(turn), height], axis=1).astype(np.float32)


def _quantiles(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return [n, d] as d sorted distributions at the same steps: [_LEVELS, d]."""
    places = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return np.asarray(np.quantile(values, places, axis=0), np.float32)
