"""What animated pictures, GIF and WebP, have in common: whole-numbered delays, and being read through Pillow."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from vcd_ext.media.clip import Clip, stacked
from vcd_ext.media.opaque import Note, laid_on_white, once
from vcd_ext.media.record import Record
from vcd_ext.media.timing import tell_uneven


def delays(frames: int, fps: Fraction, ticks: int, shortest: int) -> list[int]:
    """How long each frame is shown, in ticks of 1/ticks second.

    Frame i begins at round(i * ticks / fps), so rounding never adds up and the whole has the right length.
    shortest: browsers slow frames down to 10 per second when their delay is below this many ticks.
    """
    begins = [round(i * ticks / fps) for i in range(frames + 1)]
    return [max(end - begin, shortest) for begin, end in pairwise(begins)]


def animated_clip(image: Image.Image, record: Record, note: Note) -> Clip:
    """The clip of an open animated picture; a recorded rate goes before the one that the delays tell."""
    milliseconds: list[int] = []
    frames = stacked(_pictures(image, milliseconds, note), getattr(image, "n_frames", 1))
    record.check_complete(frames)
    total = sum(milliseconds)
    if record.fps is None and total:
        begins = [end / 1000 for end in accumulate(milliseconds[:-1], initial=0)]
        tell_uneven(begins, 1000 * len(frames) / total, note)
    return record.clip(frames, Fraction(1000 * len(frames), total) if total else None)


def _pictures(image: Image.Image, milliseconds: list[int], note: Note) -> Iterator[NDArray[np.uint8]]:
    tell = once(note)
    for frame in ImageSequence.Iterator(image):
        frame.load()  # WebP tells a frame's delay only once it is decoded
        milliseconds.append(frame.info.get("duration", 0))
        pixels, transparent = laid_on_white(frame)
        if transparent:
            tell()
        yield pixels
