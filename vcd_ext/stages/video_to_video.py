"""Face VCD or Tiled VCD of a whole video, as commands, page and API ask for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vcd_ext import face, tiled
from vcd_ext.face import Detector, boxes_of
from vcd_ext.face.restore import checked_face_settings
from vcd_ext.hosts.protocols import Interrupted, VideoHost
from vcd_ext.media import Clip, Part, infotext
from vcd_ext.people import RegionalTexts, Regions
from vcd_ext.progress import Callbacks, Note
from vcd_ext.prompt.foreign import unread
from vcd_ext.prompt.travel import check_key_frames
from vcd_ext.settings import (
    EVERYWHERE,
    NO_MODULE,
    FaceSettings,
    SettingError,
    TiledSettings,
    VideoSettings,
    default,
    describe,
    with_drawn_seed,
)
from vcd_ext.stages.following import followed_in, follows
from vcd_ext.tiled.upscale import checked as checked_tiled
from vcd_ext.tiled.upscale import with_controlnet, with_upscaler
from vcd_ext.tiled.upscaled_frames import SCALE

# Pixels of a face that shows where the subject is: the least that can be asked for, as it need not be worth a repair.
MIN_FACE = int(describe(FaceSettings)["min_face"].minimum or 0)

Settings = FaceSettings | TiledSettings
Finder = Callable[[FaceSettings], Detector]  # gives what finds the faces that settings ask for
Frames = NDArray[np.uint8]


class StageResult(NamedTuple):
    """What became of a video."""

    clip: Clip | None  # None where it was stopped before anything was finished
    complete: bool  # whether it was not stopped
    sheet: Frames | None  # the people that were found, with their numbers; of Face VCD
    settings: Settings  # as they were used: with the seed that was drawn, and the ControlNet that was there


def title(settings: Settings) -> str:
    """Return the name that people know it by."""
    return "Face VCD" if isinstance(settings, FaceSettings) else "Tiled VCD"


def part_of(settings: Settings | VideoSettings) -> Part:
    """Return the frames that are read of the video that comes in; SettingError if the last is before the first."""
    try:
        return Part(settings.first_frame, settings.last_frame)
    except ValueError as error:
        raise SettingError("last_frame", f"In what is read of the video, {error}") from error


def check(settings: Settings) -> Settings:
    """Return the settings; SettingError for those that no host can work with."""
    part_of(settings)
    return checked_face_settings(settings) if isinstance(settings, FaceSettings) else checked_tiled(settings)


def prompts(settings: Settings) -> dict[str, str]:
    """Return the prompts of a stage by what people call them."""
    named = {"prompt": settings.prompt, "negative prompt": settings.negative_prompt}
    return named | ({"prompt elsewhere": settings.elsewhere} if isinstance(settings, TiledSettings) else {})


def ready(host: VideoHost, settings: Settings, finder: Finder) -> None:
    """Raise ValueError, in one sentence, if a detector or an upscaler that the settings name is not there."""
    if isinstance(settings, FaceSettings):
        finder(settings)
        return
    with_upscaler(host, settings)
    wanted = _sought(settings)
    if wanted is not None and wanted.detector != "auto":
        finder(wanted)


def run_stage(host: VideoHost, clip: Clip, settings: Settings, finder: Finder, callbacks: Callbacks) -> StageResult:
    """Repair the faces of a video, or enlarge it to twice its size; rate and metadata stay, and tell what was done.

    ValueError or OSError, in one sentence, for what cannot work.
    """
    settings = with_drawn_seed(check(settings), callbacks.note)
    check_key_frames(len(clip.frames), prompts(settings))
    for sentence in unread(settings.prompt):
        callbacks.note(sentence)
    if settings.motion_module == NO_MODULE and len(clip.frames) > 1:
        callbacks.note("No motion module is chosen: the frames are painted one by one, and may flicker.")
    sheet = None
    if isinstance(settings, FaceSettings):
        try:
            frames, sheet = _faces(host, clip.frames, settings, finder, callbacks)
        except Interrupted:
            callbacks.note("Stopped before all faces were found; the video is as it was.")
            return StageResult(None, False, None, settings)
    else:
        settings = _with_controlnet(host, settings, callbacks.note)
        frames = _upscaled(host, clip.frames, settings, finder, callbacks)
    complete = not callbacks.interrupted()
    if not len(frames) or (not complete and _same(frames, clip.frames)):
        return StageResult(None, False, sheet, settings)
    return StageResult(
        Clip(frames, clip.fps, result_metadata(clip, frames, settings), clip.start), complete, sheet, settings
    )


def find_faces(clip: Clip, settings: FaceSettings, finder: Finder, callbacks: Callbacks) -> Frames:
    """Make the sheet of the people in a video, with their numbers. Raises Interrupted; ValueError."""
    settings = checked_face_settings(settings)
    people = face.find_people(
        clip.frames, settings, finder(settings), callbacks.progress, callbacks.interrupted, callbacks.note
    )
    if not people:
        callbacks.note("No face was found in any frame.")
    return face.sheet(clip.frames, people)


def result_metadata(clip: Clip, frames: Frames, settings: Settings) -> dict[str, str]:
    """Return a made clip's metadata: its own, its infotext extended by the settings that are not usual."""
    name = title(settings)
    usual = {key: default(type(settings), key) for key in describe(type(settings))} | {"controlnet": NO_MODULE}
    chosen = {
        f"{name} {setting.label.lower()}": shown(key, getattr(settings, key))
        for key, setting in describe(type(settings)).items()
        if key in ("denoise", "steps", "seed") or getattr(settings, key) != usual[key]
    }
    text = infotext.extended(clip.metadata.get(infotext.PARAMETERS, ""), chosen)
    if not text:
        height, width = frames.shape[1:3]
        common = {
            "Steps": settings.steps,
            "CFG scale": settings.cfg_scale,
            "Seed": settings.seed,
            "Size": f"{width}x{height}",
            "Denoising strength": settings.denoise,
        }
        text = infotext.composed(settings.prompt, settings.negative_prompt, common | chosen)
    return {**clip.metadata, infotext.PARAMETERS: text}


def shown(key: str, value: Any) -> Any:
    """Return a setting as it is written down: of a file only its name."""
    return Path(value).name if key in ("motion_module", "controlnet") else value


def _with_controlnet(host: VideoHost, settings: TiledSettings, note: Note) -> TiledSettings:
    """Return the settings to write down: with the ControlNet that is used, which may not be there next time."""
    named = with_controlnet(host, settings, note)
    if named.controlnet != NO_MODULE and named.controlnet_weight:
        note(f"ControlNet: {shown('controlnet', named.controlnet)}, with weight {named.controlnet_weight:g}.")
    return named


def _faces(
    host: VideoHost, frames: Frames, settings: FaceSettings, finder: Finder, callbacks: Callbacks
) -> tuple[Frames, Frames]:
    """Repair the faces; returns the frames and the sheet of the people. Raises Interrupted before all are found."""
    progress, note, interrupted = callbacks
    people = face.find_people(frames, settings, finder(settings), progress, interrupted, note)
    repaired = face.restore(host, frames, settings, progress, people=people, interrupted=interrupted, note=note)
    return repaired, face.sheet(frames, people)


def _upscaled(host: VideoHost, frames: Frames, settings: TiledSettings, finder: Finder, callbacks: Callbacks) -> Frames:
    """Enlarge the frames to twice their size, as far as they are finished."""
    try:
        boxes, regions = _subject(frames, settings, finder, callbacks), _regions(frames, settings, finder, callbacks)
    except Interrupted:
        callbacks.note("Stopped before the subject was found; no frame is finished.")
        return frames[:0]
    progress, note, interrupted = callbacks
    where: dict[str, Any] = {"boxes": boxes, "regions": regions}
    return tiled.upscale(host, frames, settings, progress, **where, interrupted=interrupted, note=note)


def _regions(frames: Frames, settings: TiledSettings, finder: Finder, callbacks: Callbacks) -> Regions | None:
    """Find those who are to be followed; None where nobody is, or nothing finds them, which is told."""
    regional = RegionalTexts.of(settings.several)
    if regional is None or not follows(regional):
        return None
    chosen = "auto" if settings.subject == EVERYWHERE else settings.subject
    try:
        detector = finder(FaceSettings(detector=chosen, words=settings.words))
    except ValueError as error:
        if chosen != "auto":
            raise
        callbacks.note(f"{error} Without it regions stay where they begin.")
        return None
    return followed_in(frames, regional, detector, callbacks, "the video").regions


def _subject(
    frames: Frames, settings: TiledSettings, finder: Finder, callbacks: Callbacks
) -> NDArray[np.floating] | None:
    """Find the subject, [F, N, 4]; None where nobody needs to know."""
    wanted = _sought(settings)
    one_tile = SCALE * max(frames.shape[1:3]) <= settings.tile
    if wanted is None or one_tile:
        return None
    try:
        detector = finder(wanted)
    except ValueError as error:
        if settings.subject != "auto":
            raise
        callbacks.note(f"{error} Without it the identity's name is used in all tiles.")
        return None
    people = face.find_people(frames, wanted, detector, callbacks.progress, callbacks.interrupted)
    return boxes_of(people, len(frames)) if people else np.full((len(frames), 1, 4), np.nan)


def _sought(settings: TiledSettings) -> FaceSettings | None:
    """Return the settings to find the subject by; None where the prompt names none, regions say it of
    several, or it is to be everywhere.
    """
    named = settings.identity != NO_MODULE or settings.elsewhere.strip()
    if settings.subject == EVERYWHERE or not named or settings.several.people.strip():
        return None
    return FaceSettings(detector=settings.subject, words=settings.words, min_face=MIN_FACE)


def _same(one: Frames, other: Frames) -> bool:
    """Return whether two videos are equal, compared frame by frame: they may lie on the disk."""
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
