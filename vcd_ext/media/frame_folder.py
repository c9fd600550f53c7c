"""A folder of frames: written as 00000.png, 00001.png, ..., or as jpg or webp; read whatever pictures lie in it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vcd_ext.media.clip import Clip, MediaError, stacked
from vcd_ext.media.exif import exif_block, labels_in_exif
from vcd_ext.media.opaque import on_white, once
from vcd_ext.media.part import Part
from vcd_ext.media.picture import FORMATS, PictureError, read_picture
from vcd_ext.media.record import labels, understood
from vcd_ext.progress import Note
from vcd_ext.settings import AUTO_FORMAT, FileSettings

# Also those of pictures that are refused by their names, rather than left out of the video. The lossless one first.
SUFFIXES = (
    ".png", ".apng", ".tif", ".tiff", ".bmp", ".dib", ".webp", ".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".j2k", ".gif",
    ".heic", ".heif", ".avif",
)  # fmt: skip


def write_frames(path: Path, clip: Clip, settings: FileSettings) -> None:
    """Make the folder and its frames. All metadata survives; "parameters" is where PNG Info reads it."""
    name = "png" if settings.frame_format == AUTO_FORMAT else settings.frame_format
    options = _options(name, labels(clip))
    path.mkdir()
    for index, picture in enumerate(clip.frames):
        Image.fromarray(picture).save(path / f"{index:05d}.{name}", **options)


def _options(name: str, stored: Mapping[str, str]) -> dict[str, Any]:
    """Return how Pillow saves a picture of a format with labels; of jpg the colours are whole, of webp every pixel."""
    if name == "png":
        info = PngInfo()
        for label, text in stored.items():
            info.add_text(label, text)
        return {"format": "PNG", "pnginfo": info}
    exif = b"Exif\0\0" + exif_block(stored)
    if name == "jpg":
        return {"format": "JPEG", "exif": exif, "quality": 95, "subsampling": 0}
    return {"format": "WEBP", "exif": exif, "lossless": True}


def read_frames(path: Path, note: Note, part: Part) -> Clip:
    """Read a part of the pictures of a folder in natural order, upright and in sRGB; metadata from the first.

    Hidden files and what is no picture are left out. Frames may have been taken away or added by hand, so their number
    is not checked. 8 fps if none is recorded. PictureError names the file that cannot be used.
    """
    files = frame_files(path, note)
    if not files:
        raise MediaError(
            "there are no PNG files in the folder, and no other pictures; choose a folder of frames or a video file."
        )
    files = list(part.of(files))
    frames = stacked(_pictures(files, note), len(files))  # first, as it says what is wrong with a file
    with Image.open(files[0], formats=FORMATS) as first:
        text = getattr(first, "text", None)  # PNG's; behind the pixels where an editor has put it there
        record = understood(text if text else labels_in_exif(first))
    return record.clip(frames, fps=None)


def frame_files(folder: Path, note: Note) -> list[Path]:
    """Return the pictures of a folder in natural order.

    Of copies of a frame in several formats, as the WebUI writes for large ones, only one is taken. note: told of that.
    """
    found = [file for file in folder.iterdir() if _is_picture(file)]
    one_each: dict[str, Path] = {}
    for file in sorted(found, key=lambda file: SUFFIXES.index(file.suffix.lower())):
        one_each.setdefault(file.stem, file)
    files = sorted(one_each.values(), key=natural_order)
    if len(files) < len(found):
        left = min((file for file in found if file not in files), key=natural_order)
        kept = one_each[left.stem]
        note(f"{len(found) - len(files)} pictures are left out, as others have their names: {left.name}, {kept.name}.")
    return files


def is_hidden(file: Path) -> bool:
    """Return whether a system hides a file, such as the `._00000.png` that macOS leaves beside 00000.png."""
    return file.name.startswith(".")


def natural_order(file: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Return a key to sort files by that puts rex2 before rex10, and numbers before letters."""
    parts = re.findall(r"\d+|\D+", file.stem.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], str(file)


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not is_hidden(file) and not file.is_dir()


def _pictures(files: Sequence[Path], note: Note) -> Iterator[NDArray[np.uint8]]:
    tell, first = once(note), None
    for file in files:
        pixels, alpha = read_picture(file)
        first = pixels.shape if first is None else first
        if pixels.shape != first:
            (height, width, _), (tall, wide, _) = pixels.shape, first
            raise PictureError(
                f"{file.name} is {width}x{height} and {files[0].name} is {wide}x{tall}; all frames need one size: "
                "resize them first, or take those away that do not belong to the video."
            )
        if alpha is not None:
            tell()
        yield pixels if alpha is None else on_white(np.dstack([pixels, alpha]))
