"""Clip: the frames of a video, how fast they play, and the text that travels with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational

import numpy as np
from numpy.typing import NDArray

from vcd_ext.storage.disk_array import allocate, is_large

# Rates of broadcast video: people write 23.976 or 29.97 and mean 24000/1001 and 30000/1001.
NTSC = tuple(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120))
SLOWEST, FASTEST = Fraction(1, 100), Fraction(1000)


class MediaError(ValueError):
    """Frames, a rate or a file that cannot be used; the message is one sentence for the person at the screen."""


@dataclass(frozen=True, eq=False, init=False)
class Clip:
    """A video at hand.

    frames: uint8 [F, H, W, 3], RGB, F >= 1; those that are read and are more than 1 GiB lie on the disk.
    fps: frames per second, any number or text such as "23.976" or "24000/1001"; kept as a `Fraction`.
    metadata: text by name; "parameters" is the WebUI's infotext.
    start: the second of its source at which it begins, for the sound.

    Raises ValueError (`MediaError`) that says what was wrong, what was expected and what to do.
    """

    frames: NDArray[np.uint8]
    fps: Fraction
    metadata: dict[str, str]
    start: Fraction

    def __init__(
        self,
        frames: NDArray[np.uint8],
        fps: Fraction | float | str,
        metadata: Mapping[str, str] | None = None,
        start: Fraction | int = 0,
    ) -> None:
        check_frames(frames)
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "fps", exact_fps(fps))
        object.__setattr__(self, "metadata", {str(k): str(v) for k, v in (metadata or {}).items()})
        object.__setattr__(self, "start", Fraction(start))


def check_frames(frames: object) -> None:
    """Raise MediaError unless frames is a uint8 array [F, H, W, 3] with nothing empty."""
    expected = "expected a numpy array of uint8 [frames, height, width, 3] with values 0 to 255"
    if not isinstance(frames, np.ndarray):
        raise MediaError(f"The frames are a {type(frames).__name__}; {expected}: convert them first.")
    if frames.dtype != np.uint8:
        raise MediaError(f"The frames are {frames.dtype}; {expected}: scale, round and convert them first.")
    if frames.ndim != 4 or frames.shape[3] != 3:
        raise MediaError(f"The frames have the shape {list(frames.shape)}; {expected}: stack RGB pictures.")
    if 0 in frames.shape:
        raise MediaError(f"The frames have the shape {list(frames.shape)}; give at least one frame and one pixel.")


def exact_fps(fps: Fraction | float | str) -> Fraction:
    """Convert frames per second to the fraction that was meant: 23.976 -> 24000/1001, "12.5" -> 25/2.

    Denominators go up to 1001, so that every container can hold the rate. MediaError unless it is a number
    from 0.01 to 1000.
    """
    try:
        exact = Fraction(fps) if isinstance(fps, str | Rational) else Fraction(float(fps))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        exact = Fraction(0)
    if not SLOWEST <= exact <= FASTEST:
        raise MediaError(f"fps is {fps!r}; give a number of frames per second from 0.01 to 1000, for example 8.")
    for rate in NTSC:
        if abs(exact - rate) < Fraction(5, 1000):
            return rate
    return exact.limit_denominator(1001)


def stacked(pictures: Iterable[NDArray[np.uint8]], expected: int = 16) -> NDArray[np.uint8]:
    """Stack pictures of uint8 [H, W, 3] to one array [F, H, W, 3], holding one picture beside it at any time.

    More than 1 GiB of them lies on the disk. expected: F as the file tells it, trusted up to 1000, as a damaged file
    may tell anything; where it is wrong the array is made longer. MediaError if the pictures differ in size or there
    are none; OSError for a full disk.
    """
    frames = np.empty((0, 0, 0, 3), np.uint8)
    count = 0
    for picture in pictures:
        if count == 0:
            frames = allocate((min(max(expected, 1), 1000), *picture.shape), np.uint8)
        if picture.shape != frames.shape[1:]:
            raise MediaError(
                f"frame {count} is {_size(picture.shape)} and frame 0 is {_size(frames.shape[1:])}; "
                "all frames of a clip need one size: resize them first."
            )
        if count == len(frames):
            frames = _longer(frames, min(2 * count, expected) if expected > count else 2 * count)
        frames[count] = picture
        count += 1
    if count == 0:
        raise MediaError("there are no frames in it; make or export the video again.")
    if isinstance(frames, np.memmap):
        return frames[:count]
    frames.resize((count, *frames.shape[1:]), refcheck=False)
    return frames


def _longer(frames: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """Return the array with space for so many frames: in place if it is in memory and stays there."""
    if not is_large((length, *frames.shape[1:]), frames.dtype):
        frames.resize((length, *frames.shape[1:]), refcheck=False)
        return frames
    longer: NDArray[np.uint8] = allocate((length, *frames.shape[1:]), frames.dtype)
    longer[: len(frames)] = frames
    return longer


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
