"""What animated pictures, GIF, WebP and PNG, have in common: delays, and being read through Pillow."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from vcd_ext.media.clip import Clip, stacked
from vcd_ext.media.opaque import laid_on_white, once
from vcd_ext.media.part import Part
from vcd_ext.media.record import ClipRecord
from vcd_ext.media.timing import rate, shown_for, tell_uneven
from vcd_ext.progress import Note


def delays(frames: int, fps: Fraction, ticks: int, shortest: int) -> list[int]:
    """Return the time for which each frame is shown, in ticks of 1/ticks second.

    Frame i begins at round(i * ticks / fps), so rounding never adds up and the whole has the right length.
    shortest: browsers slow frames down to 10 per second when their delay is below this many ticks.
    """
    begins = [round(i * ticks / fps) for i in range(frames + 1)]
    return [max(end - begin, shortest) for begin, end in pairwise(begins)]


def read_apng(path: Path, note: Note, part: Part) -> Clip:
    """Return a part of an animated PNG, at the rate at which browsers show it; a still one is a clip of one frame."""
    with Image.open(path, formats=["PNG"]) as image:
        return animated_clip(image, ClipRecord({}), note, part, ticks=1000, shortest=11)


def animated_clip(image: Image.Image, record: ClipRecord, note: Note, part: Part, ticks: int, shortest: int) -> Clip:
    """Return a part of an open animated picture, at the rate at which browsers show it.

    ticks, shortest: as for `delays`, with which the recorded rate was written if nobody has changed the delays since.
    """
    milliseconds: list[float] = []
    count = getattr(image, "n_frames", 1)
    frames = stacked(part.of(_pictures(image, milliseconds, note)), part.count or count)
    if part.whole:
        record.check_complete(frames)
    fps = None
    if any(milliseconds) or len(milliseconds) > 1:
        fps = _rate(milliseconds, record, ticks, shortest)
        tell_uneven(_begins(milliseconds)[:-1], fps, note)
    return record.clip(frames, fps)


def _rate(milliseconds: list[float], record: ClipRecord, ticks: int, shortest: int) -> Fraction:
    """Return the frames per second of these delays, which are those of the picture's first frames."""
    if record.fps is not None and record.frames is not None:
        written = delays(max(record.frames, len(milliseconds)), record.fps, ticks, shortest)[: len(milliseconds)]
        if [1000 * delay // ticks for delay in written] == milliseconds:
            return record.fps
    begins = _begins(milliseconds)
    if len(set(milliseconds)) == 1:
        return 1 / begins[1]
    return rate(begins, Fraction(1, ticks)) or 1 / begins[-1]


def _begins(milliseconds: list[float]) -> list[Fraction]:
    """Return the seconds at which browsers begin to show frames with these delays, and at which the last ends."""
    shown = [Fraction(shown_for(delay)) / 1000 for delay in milliseconds]
    return list(accumulate(shown, initial=Fraction(0)))


def _pictures(image: Image.Image, milliseconds: list[float], note: Note) -> Iterator[NDArray[np.uint8]]:
    tell = once(note)
    for i, frame in enumerate(ImageSequence.Iterator(image)):
        frame.load()  # WebP tells a frame's delay only once it is decoded
        if i == 0 and image.info.get("default_image"):  # of a PNG, for who shows no animation
            continue
        milliseconds.append(frame.info.get("duration", 0))
        pixels, transparent = laid_on_white(frame)
        if transparent:
            tell()
        yield pixels
