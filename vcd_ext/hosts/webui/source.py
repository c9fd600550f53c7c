"""The video that img2img makes again: dropped on the page, or named or sent through the API."""

import base64
import binascii
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from vcd_ext import media
from vcd_ext.hosts.webui.refusal import Refused
from vcd_ext.identity.places import inside
from vcd_ext.media import Clip
from vcd_ext.settings import VideoSettings

# Where a kind of file shows what it is, and its suffix.
SIGNATURES = ((4, b"ftyp", ".mp4"), (0, b"\x1a\x45\xdf\xa3", ".webm"), (0, b"GIF8", ".gif"), (8, b"WEBP", ".webp"),
              (8, b"AVI ", ".avi"))  # fmt: skip
SQUEEZED = 0  # the WebUI's resize mode that does not keep the shape
VISIBLE = 0.03
SENT = "sent"  # the name of a video that came without one


class Taken(NamedTuple):
    """A video that a run was given: the run's settings with its length and rate, its name, and what to tell."""

    settings: VideoSettings
    name: str
    notes: list[str]


def take(p: Any, settings: VideoSettings, allowed: Sequence[Path]) -> Taken:
    """Make the frames of `settings.video` the init images of `p`, as many as `settings.frames`.

    allowed: folders that may be read. Refused, in one sentence, for a video that cannot be used.
    """
    if not hasattr(p, "init_images"):
        raise Refused("A video is made again in img2img; drop it there, or post it to /sdapi/v1/img2img.")
    clip, name = read(settings.video, allowed)
    count, notes = min(len(clip.frames), settings.frames), []
    if count < len(clip.frames):
        notes.append(f"VCD: {name} has {len(clip.frames)} frames; the first {count} were used, as 'Frames' says.")
    height, width = clip.frames.shape[1:3]
    if p.resize_mode == SQUEEZED and abs(width * p.height / (height * p.width) - 1) > VISIBLE:
        notes.append(
            f"VCD: {name} is {width}x{height} and was squeezed into {p.width}x{p.height}; set Width and Height to its "
            "shape, or choose a resize mode that crops or fills."
        )
    p.init_images = [Image.fromarray(frame) for frame in clip.frames[:count]]
    return Taken(replace(settings, frames=count, fps=float(clip.fps), video=""), name, notes)


def read(video: str, allowed: Sequence[Path]) -> tuple[Clip, str]:
    """A clip and its name. video: the file in base64, or a path in a folder that may be read.

    Refused, in one sentence, for what is not there, may not be read or is no video.
    """
    try:
        data = _decoded(video)
        if data is not None:
            return _sent(data), SENT
        path = inside(Path(video), [*allowed, _uploads()], "videos")
        return media.read(path), path.name
    except (OSError, ValueError, ImportError, MemoryError) as error:
        raise Refused(f"video: {error}") from error


def _uploads() -> Path:
    """Where gradio puts the files that are dropped on the page."""
    return Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")


def _decoded(text: str) -> bytes | None:
    """The file that base64 holds; None where the text is none, and so a path."""
    head, mark, tail = text.partition("base64,")
    try:
        data = base64.b64decode(tail if mark else head, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if mark or _suffix(data):
        return data
    return None


def _sent(data: bytes) -> Clip:
    suffix = _suffix(data)
    if not suffix:
        raise ValueError("what was sent is no video; send an MP4, WebM, GIF, WebP or AVI file in base64.")
    with tempfile.TemporaryDirectory(prefix="vcd") as folder:
        path = Path(folder, f"{SENT}{suffix}")
        path.write_bytes(data)
        return media.read(path)


def _suffix(data: bytes) -> str:
    return next((suffix for at, sign, suffix in SIGNATURES if data[at : at + len(sign)] == sign), "")
