"""The whole of Magic-Me on one video: what was generated goes through Face VCD and Tiled VCD (arXiv 2402.09368 v1).

Whoever generates hands over a clip, so that every host does that in its own way: the WebUI by its txt2img.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from vcd_ext.denoising.out_of_memory import is_out_of_memory
from vcd_ext.face.close_up import CLOSE_UP_OF, close_up
from vcd_ext.hosts.protocols import VideoHost
from vcd_ext.media import Clip, infotext
from vcd_ext.media.names import cut
from vcd_ext.people import with_regions
from vcd_ext.progress import Callbacks, Progress
from vcd_ext.prompt.travel import each_text
from vcd_ext.settings import (
    NO_MODULE,
    FaceSettings,
    GenerateSettings,
    PassSettings,
    SettingError,
    TiledSettings,
    VideoSettings,
    describe,
    to_infotext,
)
from vcd_ext.stages.video_to_video import Finder, Settings, check, run_stage, shown, title

T2V = "T2V VCD"  # the stage before those that are here

log = logging.getLogger(__name__)


class Stage(NamedTuple):
    """Something that follows the generation."""

    settings: Settings
    entries: Mapping[str, object] | None = None  # what the infotext tells of it; None: what `run_stage` does


class Finished(NamedTuple):
    """The video of a stage."""

    title: str
    clip: Clip
    entries: Mapping[str, object] = MappingProxyType({})  # what its infotext has that the video's before it has not

    def beside(self, path: Path) -> Path:
        """Return its file beside `path`, which is that of the last video."""
        ending = f"-{self.title.partition(' ')[0].lower()}{path.suffix}"
        return path.with_name(cut(path.stem, path.parent, len(ending)) + ending)


class Outcome(NamedTuple):
    """What became of a video."""

    videos: list[Finished]  # that of the generation, then those of the stages that were done
    complete: bool  # whether all stages were done to their ends
    error: str  # what went wrong, in a sentence; "" if nothing

    @property
    def clip(self) -> Clip:
        """The last video that is finished."""
        return self.videos[-1].clip


def stages(video: VideoSettings, shared: PassSettings) -> list[Stage]:
    """Return the stages that `video` asks for after the generation; SettingError for what no host can work with.

    shared: what the stages have in common with the generation. They have gamma and windows of `video`, and each a
    denoising strength of its own.
    """
    most, most_shared = (describe(PassSettings)[name].maximum for name in ("context", "context_overlap"))
    context = int(min(video.context, most or math.inf))  # only frames that do not meet may be more
    overlap = int(min(video.overlap, most_shared or math.inf, context - 1))
    shared = replace(
        shared,
        gamma=video.gamma,
        loop=video.loops.loop,
        context=context,
        context_overlap=overlap,
        prompt_travel=video.prompt_travel,
        speed=video.speed,
    )
    common: dict[str, Any] = {
        field.name: getattr(shared, field.name) for field in fields(PassSettings) if field.name != "denoise"
    }
    asked: list[tuple[str, Settings]] = []
    faces = own_settings(video, "face")
    where = {"subject": faces["detector"], "words": faces["words"]}
    if video.face:
        several = video.several.people.strip()
        prompt = faces.pop("prompt").strip() or (CLOSE_UP_OF if several else each_text(shared.prompt, close_up))
        if several and not faces["people"].strip():
            faces["people"] = with_regions(several)
        asked.append(("face", FaceSettings(**common | faces | {"prompt": prompt})))
    if video.tiled:
        asked.append(("tiled", TiledSettings(**common | where | own_settings(video, "tiled") | asdict(video.several))))
    return [Stage(_checked(settings), _entries(video, name)) for name, settings in asked]


def shared_with(picture: GenerateSettings, identity: str, motion_module: Path | None) -> PassSettings:
    """Return what the stages have in common with a generation of the command line; identity: its name, or "none"."""
    return PassSettings(
        prompt=picture.prompt,
        negative_prompt=picture.negative_prompt,
        identity=identity,
        motion_module=str(motion_module or NO_MODULE),
        steps=picture.steps,
        cfg_scale=picture.cfg_scale,
        sampler=picture.sampler,
        seed=picture.seed,
    )


def _checked(settings: Settings) -> Settings:
    try:
        return check(settings)
    except SettingError as error:
        raise SettingError(error.key, f"{title(settings)}: {error}") from error


def alone(video: VideoSettings) -> VideoSettings:
    """Return the settings without anything that follows the generation."""
    return replace(video, face=False, tiled=False)


def run_stages(
    host: VideoHost,
    clip: Clip,
    stages: Sequence[Stage],
    finder: Finder,
    callbacks: Callbacks,
    go_on: Callable[[], bool] | None = None,
) -> Outcome:
    """Take a video through stages; it keeps its rate, and its infotext tells of the stages that were done.

    go_on: asked before each stage whether to begin it; by default, unless the person has interrupted. Notes and the
    stages of the progress begin with a stage's title. What is finished is never lost: a stage that is stopped leaves
    the video as it was or with what is finished of it; one that fails is the last, and `Outcome.error` says why.
    """
    begins = go_on or (lambda: not callbacks.interrupted())
    videos, complete = [Finished(T2V, clip)], True
    for number, stage in enumerate(stages):
        name, last = title(stage.settings), videos[-1].clip
        if not begins():
            callbacks.note(f"Stopped before {' and '.join(title(left.settings) for left in stages[number:])}.")
            return Outcome(videos, False, "")
        try:
            made = run_stage(host, last, stage.settings, finder, _named(callbacks, name))
        except Exception as error:  # whatever it is, the video before it must not be lost
            return Outcome(videos, False, _sentence(name, error))
        complete = complete and made.complete
        if made.clip is None:
            continue
        if len(made.clip.frames) == len(last.frames):
            entries = _told(stage, made.settings)
            videos.append(Finished(name, _described(last, made.clip, entries), entries or {}))
        else:
            callbacks.note(f"{name}: as frames are missing, the video before it is kept.")
    return Outcome(videos, complete, "")


def own_settings(video: VideoSettings, stage: str) -> dict[str, Any]:
    """Return the settings of a stage, by the names that they have there."""
    start = f"{stage}_"
    names = (name for name in describe(VideoSettings) if name.startswith(start))
    return {name.removeprefix(start): getattr(video, name) for name in names}


def _entries(video: VideoSettings, stage: str) -> dict[str, object]:
    names = [name for name in describe(VideoSettings) if name.startswith(stage) or name == "save_stages"]
    keys = {describe(VideoSettings)[name].infotext_key for name in names}
    return {key: value for key, value in to_infotext(video).items() if key in keys}


def _named(callbacks: Callbacks, name: str) -> Callbacks:
    """Return callbacks whose notes and progress begin with the stage's name."""

    def progress(now: Progress) -> None:
        callbacks.progress(replace(now, stage=f"{name}: {now.stage[0].lower()}{now.stage[1:]}"))

    return callbacks._replace(progress=progress, note=lambda sentence: callbacks.note(f"{name}: {sentence}"))


def _told(stage: Stage, used: Settings) -> Mapping[str, object] | None:
    """Return the stage's entries with the ControlNet that was used, which may not be there next time."""
    if stage.entries is None or not isinstance(used, TiledSettings):
        return stage.entries
    key = describe(VideoSettings)["tiled_controlnet"].infotext_key
    return {**stage.entries, key: shown("controlnet", used.controlnet)}


def _described(before: Clip, after: Clip, entries: Mapping[str, object] | None) -> Clip:
    if entries is None:
        return after
    text = infotext.extended(before.metadata.get(infotext.PARAMETERS, ""), entries)
    return replace(after, metadata=before.metadata | ({infotext.PARAMETERS: text} if text else {}))


def _sentence(name: str, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0]
    if is_out_of_memory(error):
        reason = "The memory is too small for it; choose a smaller window or size, or close other programs."
    elif not isinstance(error, ValueError | OSError | ImportError):  # those say it in a sentence
        log.error("%s failed", name, exc_info=error)
        reason = f"{type(error).__name__}: {reason}"
    return f"{name} failed, and the video before it is kept. {reason}"
