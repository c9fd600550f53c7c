"""Animated WebP: assembled here from still pictures, as libwebp's own animation encoder merges equal frames.

Layout: https://developers.google.com/speed/webp/docs/riff_container
"""

import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd_ext.media.animation import animated_clip, delays
from vcd_ext.media.clip import Clip
from vcd_ext.media.exif import exif_block, labels_in_exif
from vcd_ext.media.part import Part
from vcd_ext.media.record import labels, understood
from vcd_ext.progress import Note
from vcd_ext.settings import FileSettings

TICKS, SHORTEST = 1000, 11  # delays a second, and the least one that browsers accept
HAS_EXIF, HAS_ANIMATION = 0x08, 0x02
DO_NOT_BLEND = 0x02


def write_webp(path: Path, clip: Clip, settings: FileSettings) -> None:
    """Write lossy at quality 90 or without loss; each frame is whole; at most 16383 pixels a side.

    All metadata survives: "parameters" is the EXIF user comment, where the WebUI's PNG Info reads it, the rest is
    the EXIF description. Delays are whole milliseconds; from 91 fps on it plays at 91, as browsers want.
    """
    _, height, width, _ = clip.frames.shape
    extent = _uint24(width - 1) + _uint24(height - 1)
    duration = delays(len(clip.frames), clip.fps, TICKS, SHORTEST)
    with path.open("wb") as file:
        file.write(b"RIFF\0\0\0\0WEBP")
        file.write(_chunk(b"VP8X", struct.pack("<I", HAS_EXIF | HAS_ANIMATION) + extent))
        file.write(_chunk(b"ANIM", struct.pack("<IH", 0, settings.plays)))  # background; 0 plays: for ever
        for picture, milliseconds in zip(clip.frames, duration, strict=True):
            place = _uint24(0) + _uint24(0) + extent + _uint24(milliseconds) + bytes([DO_NOT_BLEND])
            file.write(_chunk(b"ANMF", place + _still(picture, settings.lossless)))
        file.write(_chunk(b"EXIF", exif_block(labels(clip))))
        length = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", length - 8))


def read_webp(path: Path, note: Note, part: Part) -> Clip:
    """Return a part of any WebP; its EXIF user comment is "parameters", as in the WebUI."""
    with Image.open(path, formats=["WEBP"]) as image:
        return animated_clip(image, understood(labels_in_exif(image)), note, part, TICKS, SHORTEST)


def _chunk(name: bytes, data: bytes) -> bytes:
    """Make a RIFF chunk; all data here have an even length, which RIFF asks for."""
    return name + struct.pack("<I", len(data)) + data


def _uint24(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _still(picture: NDArray[np.uint8], lossless: bool) -> bytes:
    """Return the chunks of a still WebP file, behind its RIFF header of 12 bytes."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=90, method=4, lossless=lossless)
    return file.getvalue()[12:]
