"""Read a video of hints, which guide the frames of another through a ControlNet, all of them or key frames alone."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vcd_ext import media
from vcd_ext.media import Part
from vcd_ext.progress import Note
from vcd_ext.settings import SettingError

_SEPARATORS = re.compile(r"[\s,;]+")


class KeyFrames(NamedTuple):
    """Name the frames that are guided, from 0 and rising, and how far their hold reaches; none: all frames are."""

    frames: Sequence[int] = ()
    reach: int = 1


class HintVideo(NamedTuple):
    """Hold the pictures that guide a video, and which of them guides each of its frames."""

    name: str
    pictures: NDArray[np.uint8]  # [K, H, W, 3]
    picture_of: Sequence[int]  # of each frame: its picture
    weights: Sequence[float] | None  # of each frame, from 0 to 1; None: 1 for all


def key_frames(text: str, reach: int, frames: int) -> KeyFrames:
    """Read key frames, such as "0, 8, 15", of a video with so many frames; SettingError, in one sentence."""
    words = [word for word in _SEPARATORS.split(text.strip()) if word]
    for word in words:
        if not word.isdecimal():
            raise _wrong(f"there is '{word[:40]}' among the key frames; write frames as numbers, such as 0, 8, 15")
        if int(word) >= frames:
            raise _wrong(f"key frame {word} is beyond the end: the {frames} frames are 0 to {frames - 1}")
    numbers = [int(word) for word in words]
    for before, after in pairwise(numbers):
        if after <= before:
            raise _wrong(f"key frame {after} comes after {before}; write each once, in rising order")
    return KeyFrames(numbers, reach)


def hint_video(name: str, pictures: NDArray[np.uint8], frames: int, keys: KeyFrames) -> HintVideo:
    """Give each of so many frames its picture of those [N, H, W, 3], and its weight.

    Without key frames picture i is frame i's. With them, as many pictures are theirs in order; of more pictures those
    with the key frames' numbers are. ValueError, in one sentence, for too few.
    """
    count, wanted = len(pictures), keys.frames
    if not wanted:
        if count < frames:
            raise ValueError(
                f"{name} has {_pictures(count)} for {frames} frames; give one for each frame, make a shorter video, or "
                "write into 'ControlNet key frames' which frames they are for."
            )
        return HintVideo(name, pictures[:frames], range(frames), None)
    if count != len(wanted):
        if count <= wanted[-1]:
            raise ValueError(
                f"{name} has {_pictures(count)} for {len(wanted)} key frames up to {wanted[-1]}; give "
                f"{len(wanted)}, one for each, or a whole video of at least {wanted[-1] + 1}."
            )
        pictures = pictures[list(wanted)]
    nearest = [min(range(len(wanted)), key=lambda k: abs(wanted[k] - i)) for i in range(frames)]
    weights = [max(0.0, 1 - abs(wanted[k] - i) / keys.reach) for i, k in enumerate(nearest)]
    return HintVideo(name, pictures, nearest, weights)


def read_hints(file: Path, name: str, frames: int, keys: KeyFrames, note: Note) -> HintVideo:
    """Read what guides so many frames from a video or a folder of pictures. note: told of what is converted.

    ValueError, OSError, MemoryError or ImportError, in one sentence, for what cannot be used.
    """
    most = max(keys.frames, default=frames - 1) + 1
    return hint_video(name, media.read(file, note, Part().at_most(most)).frames, frames, keys)


def _wrong(what: str) -> SettingError:
    return SettingError("control_frames", f"In control_frames {what}.")


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
