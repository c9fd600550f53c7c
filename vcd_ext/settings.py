"""Every setting of every job, once: the page, the API, the command line, the infotext and the docs are made from here.

A job's settings are a frozen dataclass whose fields carry a `Setting`: label, help, range and choices.
"""

import argparse
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

NO_MODULE = "none"
AUTO = "auto"
FORMATS = ("mp4", "webm", "gif", "webp", "png")
SAMPLERS = ("euler", "ddim", "dpmpp_2m", "lcm")
SCHEDULES = ("animatediff", "checkpoint", "mixed")
EVERYWHERE = "everywhere"
DETECTORS = ("auto", "blazeface", "yunet", "words", "drawn")
SMALLEST, LARGEST = 64, 2048  # sides of a video in pixels
MOST_FRAMES = 1024
STAGES = ("face", "tiled")  # what may follow the generation, in this order
SOURCE_KEY = "VCD source"  # in the infotext: the video that was made again
CHECKPOINTING = ("auto", "off", "transformers", "all")


class SettingError(ValueError):
    """A value that a job cannot run with. `key` names the setting; the message says what to use instead."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Setting:
    """What people are told about a field, and the values it takes. `label` is also its key in the infotext."""

    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    slider_maximum: float | None = None  # where the page's slider ends, if below the maximum
    choices: tuple[str, ...] | None = None

    @property
    def infotext_key(self) -> str:
        return f"VCD {self.label.lower().removesuffix(' vcd')}"


def _setting(default: Any, label: str, help: str, **ranges: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(label, help, **ranges)})


def _share(default: float, label: str, which: str) -> Any:
    return _setting(default, label, f"Share of the training pictures {which}.", minimum=0.0, maximum=1.0, step=0.01)


@dataclass(frozen=True)
class GenerateSettings:
    """What the command line needs beside `VideoSettings`; in the WebUI these are the page's own fields."""

    prompt: str = _setting("", "Prompt", "What the video shows.")
    negative_prompt: str = _setting("", "Negative prompt", "What it should not show.")
    width: int = _setting(512, "Width", "Pixels, a multiple of 8.", minimum=SMALLEST, maximum=LARGEST, step=8)
    height: int = _setting(512, "Height", "Pixels, a multiple of 8.", minimum=SMALLEST, maximum=LARGEST, step=8)
    steps: int = _setting(20, "Steps", "Sampling steps.", minimum=1, maximum=1000, step=1)
    cfg_scale: float = _setting(7.5, "CFG scale", "How closely the prompt is followed.", minimum=1.0, maximum=30.0)
    sampler: str = _setting("euler", "Sampler", "Sampling method; lcm is for AnimateLCM.", choices=SAMPLERS)
    denoise: float = _setting(
        0.6,
        "Denoise",
        "Of a video that is made again: how much of it is new, from near 0, nothing, to 1, everything.",
        minimum=0.01,
        maximum=1.0,
        step=0.01,
    )
    seed: int = _setting(-1, "Seed", "Frame i uses seed + i; -1 draws one.", minimum=-1, maximum=2**32 - 1)


@dataclass(frozen=True)
class TrainSettings:
    """The ID module's training (arXiv 2402.09368 v1, sections 4.2 and 5.2): tab *Train ID* and `train`."""

    name: str = _setting("", "Name", "The word that will stand for the identity in prompts, and its file's name.")
    class_word: str = _setting("person", "Class", "What the photos show, in one to four words: man, dog, toy car.")
    init_words: str = _setting(
        "", "First words", "Words whose embeddings the training starts from; the class if this is empty."
    )
    tokens: int = _setting(
        4, "Tokens", "Text vectors to learn. More hold more detail and need more photos.", minimum=1, maximum=16, step=1
    )
    steps: int = _setting(200, "Steps", "Training steps.", minimum=1, maximum=100_000, step=1, slider_maximum=2000)
    learning_rate: float = _setting(
        1e-3, "Learning rate", "Size of each step. Lower it if the loss rises.", minimum=1e-6, maximum=0.1
    )
    batch: int = _setting(
        4, "Batch", "Pictures a step. Fewer photos than this repeat.", minimum=1, maximum=64, step=1, slider_maximum=16
    )
    micro_batch: int = _setting(
        0,
        "Micro-batch",
        "Pictures of a batch that are computed at once: fewer need less memory and learn the same. 0 chooses by the "
        "free memory.",
        minimum=0,
        maximum=64,
        step=1,
        slider_maximum=16,
    )
    size: int = _setting(
        512,
        "Size",
        "Pixels of the training pictures' side, best a multiple of 64.",
        minimum=64,
        maximum=1024,
        step=8,
    )
    seed: int = _setting(
        -1, "Seed", "The same seed, photos and settings learn the same; -1 draws one.", minimum=-1, maximum=2**32 - 1
    )
    noise_offset: float = _setting(
        0.1,
        "Noise offset",
        "How much one random value for each channel of a picture is added to its noise: learns light and dark.",
        minimum=0.0,
        maximum=1.0,
        step=0.01,
    )
    schedule: str = _setting(
        "animatediff",
        "Noise schedule",
        "The noise levels that the identity will be used with: AnimateDiff's for videos, the checkpoint's for "
        "pictures, or both in turn.",
        choices=SCHEDULES,
    )
    masked: bool = _setting(True, "Masked loss", "Learn from the subject alone, not from what is behind it.")
    whole_picture: float = _share(0.05, "Whole pictures", "that are learned from without their mask")
    flip: float = _share(0.5, "Flip", "that are mirrored. 0 for someone with a parting, a text, or odd sides")
    rotate: float = _share(0.7, "Rotate", "that are rotated a little")
    rotate_degrees: float = _setting(
        10.0, "Rotation", "Standard deviation of the rotation in degrees.", minimum=0.0, maximum=45.0, step=1.0
    )
    far: float = _share(0.27, "Far away", "that show the subject small, with a caption that says so")
    close: float = _share(0.33, "Close up", "that show a part of the subject, with a caption that says so")
    background: float = _share(0.0, "New backgrounds", "whose background is replaced, so that less of it is learned")
    variants: int = _setting(
        16,
        "Variants",
        "Different versions of each photo that are made before the training.",
        minimum=1,
        maximum=256,
        step=1,
        slider_maximum=64,
    )
    ema: float = _setting(
        0.0,
        "EMA",
        "Decay of an average over the steps that is kept instead of the last step; 0 keeps the last, 0.9 to 0.99 is "
        "useful.",
        minimum=0.0,
        maximum=0.9999,
        step=0.01,
    )
    validate_every: int = _setting(
        25,
        "Validate every",
        "Steps between measurements with always the same noise; the best of them is what is saved. 0 never measures "
        "and saves the last step.",
        minimum=0,
        maximum=100_000,
        step=1,
        slider_maximum=200,
    )
    save_every: int = _setting(
        25,
        "Save every",
        "Steps after which the state is saved, to go on from if the training is stopped.",
        minimum=1,
        maximum=100_000,
        step=1,
        slider_maximum=200,
    )
    early_stop: bool = _setting(False, "Early stop", "End when three measurements in a row were no better.")
    gradient_checkpointing: str = _setting(
        "auto",
        "Gradient checkpointing",
        "Blocks of the UNet that are computed twice to save memory: 'transformers' is 1.2 times slower, 'all' 1.5 "
        "times. 'auto' chooses by the free memory.",
        choices=CHECKPOINTING,
    )


@dataclass(frozen=True)
class PassSettings:
    """What every run of the video denoiser over frames that exist is told (`host.VideoPass`)."""

    prompt: str = _setting("", "Prompt", "What the video shows.")
    negative_prompt: str = _setting("", "Negative prompt", "What it should not show.")
    identity: str = _setting(
        NO_MODULE,
        "Identity",
        "An embedding of the person, pet or thing. Its name is written into the prompt if it is not there yet.",
    )
    motion_module: str = _setting(
        NO_MODULE, "Motion module", "An AnimateDiff motion module that moves the frames together."
    )
    denoise: float = _setting(
        0.6, "Denoise", "How much is painted anew: near 0 nothing, 1 everything.", minimum=0.01, maximum=1.0, step=0.01
    )
    steps: int = _setting(
        20,
        "Steps",
        "Sampling steps, of which the share of Denoise is run.",
        minimum=1,
        maximum=1000,
        step=1,
        slider_maximum=100,
    )
    cfg_scale: float = _setting(7.5, "CFG scale", "How closely the prompt is followed.", minimum=1.0, maximum=30.0)
    sampler: str = _setting("", "Sampler", "Sampling method; empty takes the default.")
    seed: int = _setting(-1, "Seed", "Frame i uses seed + i; -1 draws one.", minimum=-1, maximum=2**32 - 1)
    gamma: float = _setting(
        0.15, "Gamma", "How alike the noise of neighbouring frames is.", minimum=0.0, maximum=0.5, step=0.01
    )
    context: int = _setting(
        16,
        "Window",
        "Frames that are denoised together. Longer videos run in windows of this many, which overlap.",
        minimum=1,
        maximum=128,
        step=1,
        slider_maximum=32,
    )
    context_overlap: int = _setting(
        4, "Window overlap", "Frames that neighbouring windows share.", minimum=0, maximum=64, step=1
    )


@dataclass(frozen=True)
class TiledSettings(PassSettings):
    """Tiled VCD (arXiv 2402.09368 v1, section 4.3): tab *Tiled VCD* and `tiled`. Twice the width and height."""

    denoise: float = _setting(
        0.2,
        "Denoise",
        "How much detail is painted anew. 0.2 keeps what is there; from 0.35 on tiles may show things of their own.",
        minimum=0.01,
        maximum=1.0,
        step=0.01,
    )
    elsewhere: str = _setting(
        "",
        "Prompt elsewhere",
        "The prompt of tiles without the subject. Empty: the prompt without the identity's name.",
    )
    subject: str = _setting(
        "auto",
        "Subject",
        "What finds the subject by its face, so that tiles without it get the prompt elsewhere and no second one "
        "appears in them. 'everywhere' looks for nothing; 'drawn' is for the drawn world that is shipped.",
        choices=(EVERYWHERE, *DETECTORS),
    )
    words: str = _setting(
        "",
        "Instead of a face",
        "What to look for in place of a face, for example dog. Needs the weights of Grounding DINO.",
    )
    upscaler: str = _setting("", "Upscaler", "What doubles the pictures before they are denoised; empty: the best.")
    controlnet: str = _setting(
        AUTO,
        "ControlNet",
        "A ControlNet Tile for SD1.5, which holds each tile to what the enlarged picture shows there, so that Denoise "
        "can be higher. 'auto' takes the one that is installed, if one is; 'none' does without.",
    )
    controlnet_weight: float = _setting(
        1.0, "ControlNet weight", "How firmly it holds; 0 does without.", minimum=0.0, maximum=2.0, step=0.05
    )
    tile: int = _setting(
        576,
        "Tile",
        "Side of the tiles in pixels. 576 makes four of 1024x1024; larger ones need more memory. The paper uses 512.",
        minimum=64,
        maximum=2048,
        step=8,
        slider_maximum=1024,
    )
    tile_overlap: int = _setting(
        128,
        "Tile overlap",
        "Pixels that neighbouring tiles share, less than a tile. The paper uses 0, which shows seams.",
        minimum=0,
        maximum=1024,
        step=8,
        slider_maximum=256,
    )
    keep_colours: float = _setting(
        24.0,
        "Keep colours",
        "Light and colours coarser than this stay those of the input: sigma in pixels of a picture of 1024x1024. "
        "0 keeps nothing.",
        minimum=0.0,
        maximum=256.0,
        step=1.0,
        slider_maximum=64,
    )


@dataclass(frozen=True)
class FaceSettings(PassSettings):
    """Face VCD (arXiv 2402.09368 v1, section 4.3): tab *Face VCD* and `face`."""

    denoise: float = _setting(
        0.8,
        "Denoise",
        "How much of the face is painted anew. 0.8 brings the identity back; below 0.5 the face stays as it is.",
        minimum=0.01,
        maximum=1.0,
        step=0.01,
    )
    people: str = _setting(
        "",
        "People",
        "Who is who, by the numbers of the preview: '1: rex; 2: -' puts rex into the prompt of face 1 and leaves face "
        "2 as it is. The others get the identity.",
    )
    detector: str = _setting(
        "auto",
        "Detector",
        "What finds the faces. 'auto' takes the best that is there; 'drawn' is for the drawn world that is shipped.",
        choices=DETECTORS,
    )
    words: str = _setting(
        "",
        "Instead of a face",
        "What to look for in place of a face, for example dog head. Needs the weights of Grounding DINO.",
    )
    small_faces: bool = _setting(
        False,
        "Small faces",
        "Look for small faces in every frame, not only where no other face is found. Takes five times as long.",
    )
    confidence: float = _setting(0.6, "Confidence", "How sure a face must be.", minimum=0.05, maximum=0.99, step=0.01)
    min_face: int = _setting(
        24,
        "Smallest face",
        "Pixels. Smaller faces are left alone.",
        minimum=4,
        maximum=1024,
        step=1,
        slider_maximum=128,
    )
    max_faces: int = _setting(
        4, "Most faces", "In a shot. The largest are taken.", minimum=1, maximum=32, step=1, slider_maximum=8
    )
    min_track: int = _setting(
        4, "Shortest track", "Frames. Faces seen in fewer are left alone.", minimum=1, maximum=64, step=1
    )
    max_gap: int = _setting(
        8,
        "Longest gap",
        "Frames in which a face that was lost is still repaired, at the place where it must be.",
        minimum=0,
        maximum=64,
        step=1,
        slider_maximum=32,
    )
    crop: float = _setting(
        2.2,
        "Crop",
        "Side of the crop, as a multiple of the face. More shows the denoiser more of what is around.",
        minimum=1.2,
        maximum=6.0,
        step=0.1,
    )
    size: int = _setting(
        512, "Size", "Pixels that a crop is enlarged to, a multiple of 8.", minimum=64, maximum=1024, step=8
    )
    least_zoom: float = _setting(
        1.2,
        "Least zoom",
        "Faces whose crop is enlarged less than this are large already and left alone.",
        minimum=1.0,
        maximum=8.0,
        step=0.1,
    )
    mask: float = _setting(
        1.25, "Mask", "What is painted anew, as a multiple of the face.", minimum=1.0, maximum=2.0, step=0.05
    )
    feather: float = _setting(
        0.15,
        "Feather",
        "Width of the edge over which old and new mix, as a share of the face.",
        minimum=0.0,
        maximum=0.5,
        step=0.01,
    )
    smoothing: float = _setting(
        1.0,
        "Smoothing",
        "How calm the crop moves. 0 follows every detection; lower it if crops lag behind a bouncing face.",
        minimum=0.0,
        maximum=10.0,
        step=0.1,
    )
    fade: int = _setting(
        3,
        "Fade",
        "Frames over which the repair comes and goes where a face appears or vanishes.",
        minimum=0,
        maximum=16,
        step=1,
    )
    colour: float = _setting(
        1.0,
        "Match colours",
        "How much light and colour of the new face follow what is around the old one.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )


def _as(cls: type, name: str, label: str, more: str = "") -> Any:
    """A setting of another class under a label of its own. more: what is to be said about it here."""
    found = next(f for f in fields(cls) if f.name == name)
    setting = found.metadata["setting"]
    return field(
        default=found.default,
        metadata={"setting": replace(setting, label=label, help=f"{setting.help} {more}".rstrip())},
    )


@dataclass(frozen=True)
class VideoSettings:
    """Text-to-video VCD and what follows it: the section *VCD* of txt2img and img2img, and `generate`.

    `face_...` and `tiled_...` are settings of `FaceSettings` and `TiledSettings`; what these share with the video, such
    as its prompt, is the video's.
    """

    enabled: bool = _setting(False, "Enable", "Make a video: the batch of pictures becomes the frames of one video.")
    motion_module: str = _setting(
        NO_MODULE,
        "Motion module",
        "An AnimateDiff motion module (v2, v3 or AnimateLCM) that moves the frames together. "
        "'none' applies the noise prior alone, for use beside another animation extension.",
    )
    frames: int = _setting(
        16,
        "Frames",
        "Length of the video. 1 makes a picture. With a motion module more frames than 'Context' are made in windows.",
        minimum=1,
        maximum=MOST_FRAMES,
        step=1,
        slider_maximum=240,
    )
    context: int = _setting(
        16,
        "Context",
        "Frames that the motion module sees together; a longer video is denoised in windows of so many, and needs no "
        "more memory than one of them. Motion modules are trained on 16 frames; most hold at most 32.",
        minimum=1,
        maximum=1024,
        step=1,
        slider_maximum=64,
    )
    overlap: int = _setting(
        4,
        "Overlap",
        "Frames that a window shares with the next, where one fades into the other; less than 'Context'. More is "
        "smoother and slower. Without effect where one window is enough.",
        minimum=0,
        maximum=1023,
        step=1,
        slider_maximum=16,
    )
    fps: float = _setting(
        8.0, "FPS", "Frames per second of the video file.", minimum=0.1, maximum=120, step=0.1, slider_maximum=30
    )
    gamma: float = _setting(
        0.15,
        "Gamma",
        "How alike the noise of neighbouring frames is at the start (covariance gamma^distance). 0 is independent "
        "noise: livelier, less steady. The paper uses 0.15; 0.05 to 0.2 is useful, from 0.3 the picture stands still.",
        minimum=0.0,
        maximum=0.5,
        step=0.01,
    )
    step_noise: bool = _setting(
        False,
        "Correlate step noise",
        "Also correlate the noise that ancestral, SDE and LCM samplers add at each step. The paper correlates only "
        "the start.",
    )
    formats: tuple[str, ...] = _setting(
        ("mp4",),
        "Formats",
        "Files to write for each video. 'png' keeps the frames as pictures.",
        choices=FORMATS,
    )
    identity: str = _setting(
        NO_MODULE,
        "Identity",
        "An embedding of the person, pet or thing. Its name is written into the prompt if it is not there yet.",
    )
    face: bool = _setting(
        False,
        "Face VCD",
        "After the generation: find the faces, paint them anew with the identity, put them back.",
    )
    face_denoise: float = _as(FaceSettings, "denoise", "Face denoise")
    face_people: str = _as(FaceSettings, "people", "Who is who")
    face_detector: str = _as(
        FaceSettings, "detector", "Face detector", "Tiled VCD asks it where the subject is, as well."
    )
    face_words: str = _as(FaceSettings, "words", "Instead of a face")
    face_min_face: int = _as(FaceSettings, "min_face", "Smallest face")
    face_size: int = _as(FaceSettings, "size", "Face size")
    tiled: bool = _setting(
        False, "Tiled VCD", "At the end: twice the width and height, with detail that the checkpoint paints."
    )
    tiled_denoise: float = _as(TiledSettings, "denoise", "Tiled denoise")
    tiled_upscaler: str = _as(TiledSettings, "upscaler", "Tiled upscaler")
    tiled_tile: int = _as(TiledSettings, "tile", "Tile")
    tiled_tile_overlap: int = _as(TiledSettings, "tile_overlap", "Tile overlap")
    save_stages: bool = _setting(
        False, "Save every stage", "Also write the videos from before Face VCD and from before Tiled VCD."
    )
    video: str = _setting(
        "",
        "Video",
        "In img2img: a video that is made again, as strongly as 'Denoising strength' says. Its first 'Frames' frames "
        "are the init images, its rate is kept. In the API: a file in a folder that may be read, or a file in base64.",
    )


Settings = TypeVar("Settings", VideoSettings, GenerateSettings, TrainSettings, TiledSettings, FaceSettings)


def describe(cls: type) -> dict[str, Setting]:
    """The `Setting` of each field of a settings class, in order."""
    return {f.name: f.metadata["setting"] for f in fields(cls)}


def default(cls: type, name: str) -> Any:
    """The default of one field."""
    value = next(f.default for f in fields(cls) if f.name == name)
    assert value is not MISSING
    return value


def parse(cls: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Build settings from untrusted values; unset fields keep their defaults.

    SettingError names the first key that is unknown, of the wrong type or out of range.
    """
    known = describe(cls)
    types = get_type_hints(cls)
    for key in values:
        if key not in known:
            raise SettingError(str(key), f"'{key}' is not a setting of VCD; known settings: {', '.join(known)}.")
    return cls(**{key: _checked(key, value, types[key], known[key]) for key, value in values.items()})


def _checked(key: str, value: Any, kind: Any, setting: Setting) -> Any:
    if get_origin(kind) is tuple:
        return _checked_choices(key, value, setting)
    wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number:
        value = float(value)
    elif kind is int and number and math.isfinite(value) and int(value) == value:
        value = int(value)
    elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SettingError(key, f"{key} is {value!r}; it must be {wanted}.")
    if kind in (int, float):
        _check_range(key, value, setting)
    if setting.choices and value not in setting.choices:
        raise SettingError(key, f"{key} is {value!r}; choose one of {', '.join(setting.choices)}.")
    return value


def _check_range(key: str, value: float, setting: Setting) -> None:
    low = -math.inf if setting.minimum is None else setting.minimum
    high = math.inf if setting.maximum is None else setting.maximum
    if not low <= value <= high:  # also refuses NaN
        raise SettingError(key, f"{key} is {value}; it must be from {low:g} to {high:g}.")


def _checked_choices(key: str, value: Any, setting: Setting) -> tuple[str, ...]:
    choices = setting.choices or ()
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) and v in choices for v in value):
        raise SettingError(key, f"{key} is {value!r}; it must be a list of some of {', '.join(choices)}.")
    return tuple(dict.fromkeys(value))


def to_infotext(settings: VideoSettings) -> dict[str, str | int | float | bool]:
    """The infotext entries of a run, from which `from_infotext` restores every setting but the video to begin from.

    Of Face VCD and Tiled VCD there are entries where they are asked for.
    """
    entries: dict[str, str | int | float | bool] = {}
    for name, setting in describe(type(settings)).items():
        value = getattr(settings, name)
        if name not in ("enabled", "video") and _matters(settings, name, value):
            entries[setting.infotext_key] = " ".join(value) if isinstance(value, tuple) else value
    return entries


def _matters(settings: VideoSettings, name: str, value: Any) -> bool:
    if name == "save_stages":
        return settings.face or settings.tiled
    stage = _stage(name)
    return stage is None or (getattr(settings, stage) and value != "")


def _stage(name: str) -> str | None:
    """Which of what follows the generation a setting belongs to."""
    return next((stage for stage in STAGES if name == stage or name.startswith(f"{stage}_")), None)


def from_infotext(name: str, entries: Mapping[str, str]) -> Any:
    """One setting's value out of pasted infotext (all texts); None where it is absent or damaged."""
    keys = {known: setting.infotext_key for known, setting in describe(VideoSettings).items()}
    if name == "enabled":
        return keys["frames"] in entries
    text, stage = entries.get(keys[name]), _stage(name)
    if text is None:
        if name in STAGES:
            return False if keys["frames"] in entries else None
        return default(VideoSettings, name) if stage and keys[stage] in entries else None
    kind = get_type_hints(VideoSettings)[name]
    try:
        if get_origin(kind) is tuple:
            value: Any = text.split()
        elif kind is bool:
            value = {"True": True, "False": False}[text]
        else:
            value = kind(text)
        return getattr(parse(VideoSettings, {name: value}), name)
    except (KeyError, ValueError):
        return None


def add_arguments(
    parser: argparse.ArgumentParser, cls: type, skip: tuple[str, ...] = (), unset: Mapping[str, str] | None = None
) -> None:
    """Add one option for each setting of `cls`: --cfg-scale for cfg_scale, and so on.

    unset: settings that are None if nobody gives them, with what that means, for the help.
    """
    types = get_type_hints(cls)
    for name, setting in describe(cls).items():
        if name in skip:
            continue
        kind, option = types[name], f"--{name.replace('_', '-')}"
        shared: dict[str, Any] = {
            "default": default(cls, name),
            "help": f"{setting.help} (default: %(default)s)",
        }
        shared["help"] = shared["help"].replace("%", "%%").replace("%%(default)s", "%(default)s")
        if unset and name in unset:
            shared |= {"default": None, "help": f"{setting.help} (default: {unset[name]})"}
        if kind is bool:
            parser.add_argument(option, action=argparse.BooleanOptionalAction, **shared)
        elif get_origin(kind) is tuple:
            parser.add_argument(option, nargs="*", type=get_args(kind)[0], choices=setting.choices, **shared)
        else:
            parser.add_argument(option, type=kind, choices=setting.choices, **shared)


def markdown_table(cls: type) -> str:
    """The settings as a Markdown table, for the README."""
    rows = ["| setting | key | default | values | what it does |", "|---|---|---|---|---|"]
    for name, setting in describe(cls).items():
        value = default(cls, name)
        shown = " ".join(value) if isinstance(value, tuple) else value
        values = ", ".join(setting.choices or ()) or (
            "" if setting.minimum is None else f"{setting.minimum:g} to {setting.maximum:g}"
        )
        rows.append(f"| {setting.label} | `{name}` | {shown} | {values} | {setting.help} |")
    return "\n".join(rows)
