"""A folder of PNG frames: 00000.png, 00001.png, ..., lossless, each with the clip's metadata."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vcd_ext.media.clip import Clip, MediaError, stacked
from vcd_ext.media.opaque import Note, once, rgb
from vcd_ext.media.record import labels, understood


def write_frames(path: Path, clip: Clip) -> None:
    """Make the folder and its frames. All metadata survives; "parameters" is where PNG Info reads it."""
    info = PngInfo()
    for name, text in labels(clip).items():
        info.add_text(name, text)
    path.mkdir()
    for index, picture in enumerate(clip.frames):
        Image.fromarray(picture).save(path / f"{index:05d}.png", "PNG", pnginfo=info)


def read_frames(path: Path, note: Note) -> Clip:
    """All PNG files of a folder in the order of their names, shorter names first; metadata from the first.

    Frames may have been taken away or added by hand, so their number is not checked. 8 fps if none is recorded.
    """
    files = sorted(path.glob("*.png"), key=lambda file: (len(file.name), file.name))
    if not files:
        raise MediaError("there are no PNG files in the folder; choose a folder of frames or a video file.")
    with Image.open(files[0], formats=["PNG"]) as first:
        first.load()
        record = understood(first.text)  # type: ignore[attr-defined]
    return record.clip(stacked(_pictures(files, note), len(files)), fps=None)


def _pictures(files: list[Path], note: Note) -> Iterator[NDArray[np.uint8]]:
    tell = once(note)
    for file in files:
        with Image.open(file, formats=["PNG"]) as image:
            pixels, transparent = rgb(image)
        if transparent:
            tell()
        yield pixels
