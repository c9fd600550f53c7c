"""The video that a request of the WebUI makes again: from which folders it may be read, its frames and its sound."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from vcd_ext import media
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.hosts.webui.studio import WebUIStudio
from vcd_ext.settings import VideoSettings
from vcd_ext.stages.video_to_video import part_of
from vcd_ext.storage.uploads import NAME, received

SQUEEZED = 0  # the WebUI's resize mode that does not keep the shape
VISIBLE = 0.03


class SourceVideo(NamedTuple):
    """Hold a video that a run was given: the run's settings with its length and rate, its name, and what to tell."""

    settings: VideoSettings
    name: str
    notes: list[str]
    sounds: bool  # whether there is sound in it
    start: Fraction  # the second at which it begins in the file, for the sound
    video: str  # as it was given
    allowed: Sequence[Path]

    @contextmanager
    def sound_file(self, note: Callable[[str], None]) -> Iterator[Path | None]:
        """Lend the video's file, if it has sound; None, and the person is told, if it cannot be had any more."""
        with ExitStack() as stack:
            file: Path | None = None
            try:
                if self.sounds:
                    file, _ = stack.enter_context(opened_source(self.video, self.allowed))
                    media.check_readable(file)
            except (OSError, ValueError) as error:
                note(f"VCD: The sound is left out: {error}")
                file = None
            yield file


def take_source(p: Any, settings: VideoSettings, allowed: Sequence[Path]) -> SourceVideo:
    """Make the frames of `settings.video` the init images of `p`, as many as `settings.frames`.

    allowed: folders that may be read. Refused, in one sentence, for a video that cannot be used.
    """
    if not hasattr(p, "init_images"):
        raise Refused("A video is made again in img2img; drop it there, or post it to /sdapi/v1/img2img.")
    notes: list[str] = []
    try:
        with opened_source(settings.video, allowed) as (file, name):
            part = part_of(settings)
            clip = media.read(file, lambda sentence: notes.append(f"VCD: {sentence}"), part.at_most(settings.frames))
            sounds, left = media.has_sound(file), media.left_out(file, part, len(clip.frames))
    except (OSError, ValueError, ImportError, MemoryError) as error:
        raise Refused(f"video: {error}") from error
    if left:
        notes.append(f"VCD: {name} has {left} were used, as 'Frames' says.")
    height, width = clip.frames.shape[1:3]
    if p.resize_mode == SQUEEZED and abs(width * p.height / (height * p.width) - 1) > VISIBLE:
        notes.append(
            f"VCD: {name} is {width}x{height} and was squeezed into {p.width}x{p.height}; set Width and Height to its "
            "shape, or choose a resize mode that crops or fills."
        )
    p.init_images = [Image.fromarray(frame) for frame in clip.frames]
    made = replace(settings, frames=len(clip.frames), fps=float(clip.fps), video="")
    return SourceVideo(made, name, notes, sounds, clip.start, settings.video, allowed)


@contextmanager
def opened_source(video: str, allowed: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Lend a video's file and name. video: its path in an allowed folder, or the file itself in base64.

    What was sent lies on the disk within this context alone: the WebUI has no moment of which a script is told however
    a request ends, so nothing may have to be deleted then. OSError, or ValueError in one sentence, for what is not
    there, may not be read or is no video.
    """
    with tempfile.TemporaryDirectory(prefix="vcd") as scratch:
        file = received(video, allowed, Path(scratch))
        yield file, NAME if file.parent == Path(scratch) else file.name


def upload_folder() -> Path:
    """Return where gradio puts the files that are dropped on the page."""
    return Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio")


def source_folders(p: Any) -> Sequence[Path]:
    """Return the folders that videos may be read from."""
    allowed = WebUIStudio().folders.photos
    # Not for the API, which could name what somebody else has sent to the page.
    return allowed if getattr(p, "is_api", False) else (*allowed, upload_folder())


def give_first_picture(p: Any, settings: VideoSettings) -> None:
    """Make the first frame of a video that is given without a picture the init image, at which scripts look."""
    if settings.video and not any(getattr(p, "init_images", None) or []):
        take_source(p, replace(settings, frames=1), source_folders(p))
