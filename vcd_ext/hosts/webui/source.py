"""The video that img2img makes again: dropped on the page, or named or sent through the API."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from vcd_ext import media
from vcd_ext.hosts.webui.refusal import Refused
from vcd_ext.media import Clip
from vcd_ext.sent import NAME, received
from vcd_ext.settings import VideoSettings

SQUEEZED = 0  # the WebUI's resize mode that does not keep the shape
VISIBLE = 0.03


class Taken(NamedTuple):
    """A video that a run was given: the run's settings with its length and rate, its name, and what to tell."""

    settings: VideoSettings
    name: str
    notes: list[str]
    file: Path
    scratch: "tempfile.TemporaryDirectory[str]"  # in which the file lies if it was sent; to be kept as long as that


def take(p: Any, settings: VideoSettings, allowed: Sequence[Path]) -> Taken:
    """Make the frames of `settings.video` the init images of `p`, as many as `settings.frames`.

    allowed: folders that may be read. Refused, in one sentence, for a video that cannot be used.
    """
    if not hasattr(p, "init_images"):
        raise Refused("A video is made again in img2img; drop it there, or post it to /sdapi/v1/img2img.")
    notes: list[str] = []
    scratch = tempfile.TemporaryDirectory(prefix="vcd")
    clip, file = read(settings.video, allowed, Path(scratch.name), lambda sentence: notes.append(f"VCD: {sentence}"))
    name = NAME if file.parent == Path(scratch.name) else file.name
    count = min(len(clip.frames), settings.frames)
    if count < len(clip.frames):
        notes.append(f"VCD: {name} has {len(clip.frames)} frames; the first {count} were used, as 'Frames' says.")
    height, width = clip.frames.shape[1:3]
    if p.resize_mode == SQUEEZED and abs(width * p.height / (height * p.width) - 1) > VISIBLE:
        notes.append(
            f"VCD: {name} is {width}x{height} and was squeezed into {p.width}x{p.height}; set Width and Height to its "
            "shape, or choose a resize mode that crops or fills."
        )
    p.init_images = [Image.fromarray(frame) for frame in clip.frames[:count]]
    return Taken(replace(settings, frames=count, fps=float(clip.fps), video=""), name, notes, file, scratch)


def read(video: str, allowed: Sequence[Path], scratch: Path, note: Callable[[str], None]) -> tuple[Clip, Path]:
    """A clip and its file. video: the file in base64, which is put into `scratch`, or a path in an allowed folder.

    note: as of `media.read`.

    Refused, in one sentence, for what is not there, may not be read or is no video.
    """
    try:
        path = received(video, [*allowed, _uploads()], scratch)
        return media.read(path, note), path
    except (OSError, ValueError, ImportError, MemoryError) as error:
        raise Refused(f"video: {error}") from error


def _uploads() -> Path:
    """Where gradio puts the files that are dropped on the page."""
    return Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")
