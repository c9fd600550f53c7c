"""Read what a request of the WebUI brings for a video: its settings, prompts and seeds, the video it begins from.

The WebUI and its extensions know pictures: wildcards draw a prompt for each of them, Prompt matrix gives a list with
one for each, a variation seed gives them all the same noise. A video takes what its first frame was given.
What a request to the WebUI's API says of save_images, send_images and init_images never reaches its `p`, so the
routes get one more dependency, which looks at the request's body before they do.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.routing import APIRoute
from modules import extra_networks, processing
from PIL import Image

from vcd_ext import media
from vcd_ext.hosts.webui.request.refusals import Refused
from vcd_ext.hosts.webui.studio import WebUIStudio
from vcd_ext.prompt.foreign import unread
from vcd_ext.prompt.travel import network_notes
from vcd_ext.settings import SettingError, VideoSettings, parse
from vcd_ext.stages.video_to_video import part_of
from vcd_ext.storage.uploads import NAME, received
from vcd_ext.ui.layouts import section_values

PATHS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")


class Delivery(NamedTuple):
    """Say whether files are to be kept in the output folder, and to be sent in the answer."""

    save: bool = True
    send: bool = True


_delivery: ContextVar[Delivery] = ContextVar("vcd_delivery", default=Delivery())


def delivery(p: Any) -> Delivery:
    """Return what the request of `p` asks for: a request that says nothing of it, or is the page's, both."""
    return _delivery.get() if getattr(p, "is_api", False) else Delivery()


def add_dependency(_demo: Any, app: FastAPI) -> None:
    """Let VCD look at requests; WebUI callback on_app_started."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path in PATHS:
            first = get_parameterless_sub_dependant(depends=Depends(_look), path=route.path_format)
            route.dependant.dependencies.insert(0, first)


async def _look(request: Request) -> None:
    """Remember what is asked for; a video in img2img needs no init images, where the WebUI answers 404 without."""
    body = await request.json()  # the very object that the WebUI's route reads
    if not isinstance(body, dict):
        return
    _delivery.set(Delivery(body.get("save_images") is not False, body.get("send_images") is not False))
    if body.get("init_images") is None and _has_video(body):
        body["init_images"] = []


_INSTEAD = ("video", "start_picture")  # of which img2img needs no init images


def _has_video(body: dict[str, Any]) -> bool:
    scripts = body.get("alwayson_scripts")
    if not isinstance(scripts, dict):
        return False
    sections = [section for title, section in scripts.items() if str(title).lower() == "vcd"]
    args = sections[0].get("args") if sections and isinstance(sections[0], dict) else None
    first = args[0] if isinstance(args, list) and args else None
    return isinstance(first, dict) and bool(first.get("enabled")) and any(map(first.get, _INSTEAD))


# The WebUI's names: what a script may hand over as a list, of all pictures of a run, and of those of one batch.
GIVEN_PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")
GIVEN_SEEDS = ("seed", "subseed")
ALL_PROMPTS = ("all_prompts", "all_negative_prompts", "all_hr_prompts", "all_hr_negative_prompts")
ALL_SEEDS = ("all_seeds", "all_subseeds")
BATCH_PROMPTS = ("prompts", "negative_prompts", "hr_prompts", "hr_negative_prompts")


def picture_count(p: Any) -> int | None:
    """Return how many pictures a script asks for one by one, by a list of prompts or seeds; None if by none."""
    lists = [value for name in (*GIVEN_PROMPTS, *GIVEN_SEEDS) if isinstance(value := getattr(p, name, None), list)]
    return max(map(len, lists)) if lists else None


def repeated_for_frames(p: Any, frames: int) -> dict[str, list[Any]]:
    """Return the lists of `p` with an entry for each frame instead of one for each picture, by name."""
    found: dict[str, list[Any]] = {}
    for name in (*GIVEN_PROMPTS, *GIVEN_SEEDS):
        value = getattr(p, name, None)
        if isinstance(value, list):
            if name in GIVEN_SEEDS:
                value = [processing.get_fixed_seed(seed) for seed in value]
            found[name] = _for_frames(name, value, range(len(value)), frames)
    return found


def unify_prompts(p: Any, frames: int) -> None:
    """Give all frames of each video the prompt of its first one and seeds that go on from its first one's.

    Called when the scripts have had their say. Where one of them has put there another number of prompts than it was
    asked for, as combinations do, each of them makes a video.
    """
    if p.batch_size != frames:  # is refused where the frames are sampled
        return
    count = len(p.all_prompts)
    firsts: Sequence[int] = range(0, count, frames)
    if count != p.n_iter * frames:
        firsts = range(count)
        p.n_iter = count
    for name in (*ALL_PROMPTS, *ALL_SEEDS):
        values = getattr(p, name, None)
        if values:
            setattr(p, name, _for_frames(name, values, firsts, frames))


def unify_batch_prompts(p: Any) -> None:
    """Give the frames of the next video its first prompt, as scripts may have changed them once more."""
    for name in BATCH_PROMPTS:
        values = getattr(p, name, None)
        if values:
            setattr(p, name, values[:1] * len(values))
    video = slice(p.iteration * p.batch_size, (p.iteration + 1) * p.batch_size)
    for name in ALL_PROMPTS:
        values = getattr(p, name, None)
        if values:
            values[video] = values[video][:1] * len(values[video])


def _for_frames(name: str, values: Sequence[Any], firsts: Sequence[int], frames: int) -> list[Any]:
    steps = range(frames) if name in (*ALL_SEEDS, *GIVEN_SEEDS) else [0] * frames
    chosen = [values[min(first, len(values) - 1)] for first in firsts]
    return [value + step if step else value for value in chosen for step in steps]


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


def unread_notes(p: Any) -> list[str]:
    """Return sentences about the first prompt of a run, as it is after all scripts have worked on it."""
    prompt, networks = extra_networks.parse_prompt(p.all_prompts[0])
    return [*unread(prompt), *_unknown(networks), *network_notes(p.all_prompts[0])]


def _unknown(networks: Any) -> Iterator[str]:
    known = {*extra_networks.extra_network_registry, *extra_networks.extra_network_aliases}
    for kind, called in networks.items():
        if kind not in known:
            shown = ":".join([kind, *called[0].items])
            yield f"The prompt has <{shown}>, a kind of network that is not installed; it has no effect."


def read_settings(args: Sequence[Any], names: Sequence[str], overrides: Mapping[str, Any]) -> VideoSettings:
    """Return a request's settings; X/Y/Z plots override some. names: those that the page has controls for, in order."""
    try:
        return parse(VideoSettings, section_values(names, args) | dict(overrides))
    except SettingError as error:
        raise Refused(str(error)) from error


def source_folders(p: Any) -> Sequence[Path]:
    """Return the folders that videos may be read from."""
    allowed = WebUIStudio().folders.photos
    # Not for the API, which could name what somebody else has sent to the page.
    return allowed if getattr(p, "is_api", False) else (*allowed, upload_folder())


def give_first_picture(p: Any, settings: VideoSettings) -> None:
    """Make the first frame of a video that is given without a picture the init image, at which scripts look."""
    if settings.video and not any(getattr(p, "init_images", None) or []):
        take_source(p, replace(settings, frames=1), source_folders(p))


def is_single_upscale(p: Any) -> bool:
    """Return whether this is the gallery's 'upscale this picture' button, which makes a picture of one frame."""
    return bool(getattr(p, "txt2img_upscale", False))
