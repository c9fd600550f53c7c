"""Receive videos through the API: a path in a folder that may be read, or the file itself in base64."""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vcd_ext.storage.allowed_folders import inside

# Where a kind of file shows what it is, and its suffix.
SIGNATURES = ((4, b"ftyp", ".mp4"), (0, b"\x1a\x45\xdf\xa3", ".webm"), (0, b"GIF8", ".gif"), (8, b"WEBP", ".webp"),
              (8, b"AVI ", ".avi"))  # fmt: skip
PICTURES = ((0, b"\x89PNG", ".png"), (0, b"\xff\xd8\xff", ".jpg"), (8, b"WEBP", ".webp"), (0, b"BM", ".bmp"))
NAME = "sent"  # of a video that came without one


def received(video: Any, allowed: Sequence[Path], folder: Path) -> Path:
    """Return the file or folder of frames that `video` is: a path in one of the allowed folders, or a file in base64.

    folder: where the latter is written. ValueError, in one sentence, for a path elsewhere and for what is no video.
    """
    if not isinstance(video, str) or not video:
        raise ValueError("video must be the path of a file that may be read, or a file in base64.")
    data = from_base64(video)
    if data is None:
        return inside(Path(video), allowed, "videos")
    kind = suffix_of(data)
    if not kind:
        raise ValueError("video is in base64, but what was sent is no video; send an MP4, WebM, GIF, WebP or AVI file.")
    path = folder / f"{NAME}{kind}"
    path.write_bytes(data)
    return path


def received_picture(picture: Any, allowed: Sequence[Path], folder: Path) -> Path:
    """Return the file that `picture` is, as `received` does for videos."""
    if not isinstance(picture, str) or not picture:
        raise ValueError("a picture must be the path of a file that may be read, or a file in base64.")
    data = from_base64(picture, PICTURES)
    if data is None:
        return inside(Path(picture), allowed, "pictures")
    kind = suffix_of(data, PICTURES)
    if not kind:
        raise ValueError("what was sent in base64 is no picture; send a PNG, JPEG, WebP or BMP file.")
    path = folder / f"{NAME}{kind}"
    path.write_bytes(data)
    return path


def from_base64(text: str, signatures: Sequence[tuple[int, bytes, str]] = SIGNATURES) -> bytes | None:
    """Decode a file from base64, also behind "data:video/mp4;base64,"; None where the text is none, and so a path."""
    head, mark, tail = text.partition("base64,")
    try:
        data = base64.b64decode(tail if mark else head, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    return data if mark or suffix_of(data, signatures) else None


def suffix_of(data: bytes, signatures: Sequence[tuple[int, bytes, str]] = SIGNATURES) -> str:
    """Return the suffix of a file with these bytes, usually of a video; "" if it is none."""
    return next((suffix for at, sign, suffix in signatures if data[at : at + len(sign)] == sign), "")
