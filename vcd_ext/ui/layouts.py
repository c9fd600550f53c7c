"""Say which settings each tab shows where, and which the section VCD of txt2img and img2img shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from vcd_ext.settings import FaceSettings, TiledSettings, TrainSettings, VideoSettings
from vcd_ext.ui.form import Layout, by_name

PAINTED = ("cfg_scale", "sampler", "seed", "context", "context_overlap", "gamma", "loop", "prompt_travel", "speed")

TRAINING = Layout(
    TrainSettings,
    "train",
    elsewhere=("class_word", "name"),
    first=(("steps",), ("tokens",), ("size",)),
    advanced={
        "How it learns": (
            "learning_rate", "schedule", "batch", "micro_batch", "gradient_checkpointing", "noise_offset",
            "init_words", "ema", "seed",
        ),
        "What it sees": (
            "masked", "variants", "whole_picture", "background", "flip", "far", "close", "rotate", "rotate_degrees",
        ),
        "When it measures, saves and ends": ("validate_every", "save_every", "keep_every", "early_stop"),
    },
)  # fmt: skip

FACE = Layout(
    FaceSettings,
    "face",
    elsewhere=("people",),
    first=(("prompt",), ("negative_prompt",), ("identity", "motion_module"), ("denoise", "steps")),
    advanced={
        "Which frames": ("first_frame", "last_frame"),
        "How the faces are painted": PAINTED,
        "Which faces": ("detector", "words", "confidence", "min_face", "max_faces", "min_track", "small_faces"),
        "How they are cut out and put back": (
            "size", "crop", "mask", "feather", "smoothing", "max_gap", "fade", "colour", "least_zoom",
        ),
    },
    tall=("prompt", "negative_prompt"),
    section=(("prompt",), ("denoise", "people"), ("detector", "words"), ("min_face", "size"), ("mask", "feather")),
)  # fmt: skip

TILED = Layout(
    TiledSettings,
    "tiled",
    elsewhere=(),
    first=(
        ("prompt",),
        ("negative_prompt",),
        ("identity", "motion_module"),
        ("denoise", "steps"),
        ("upscaler", "controlnet"),
    ),
    advanced={
        "Which frames": ("first_frame", "last_frame"),
        "How the detail is painted": PAINTED,
        "Where the subject is": ("subject", "words", "elsewhere"),
        "Several people": ("people", "people_base", "people_border"),
        "Tiles and colours": ("tile", "tile_overlap", "controlnet_weight", "keep_colours"),
    },
    tall=("prompt", "negative_prompt", "people"),
    placeholders={"people": "marla woman, waving @ left"},
    section=(("denoise", "upscaler"), ("controlnet", "controlnet_weight"), ("tile", "tile_overlap")),
)

GENERATION_ROWS = (
    ("motion_module", "identity"),
    ("frames", "fps"),
    ("context", "overlap"),
    ("gamma",),
    ("formats", "step_noise", "speed"),
    ("face", "tiled", "save_stages"),
)
TRAVEL_ROWS = (("prompt_travel",),)
FILE_ROWS = (
    ("crf", "preset"),
    ("chroma", "lossless"),
    ("plays", "frames_per_file"),
    ("frame_format", "subfolder"),
    ("text_file",),
)
MOTION_LORA_ROWS = (("motion_lora", "motion_lora_weight"),)
LOOP_ROWS = (("loop", "order"), ("freenoise", "freeinit", "freeinit_cutoff"))
STAGE_ROWS = tuple(tuple(f"{layout.tab}_{name}" for name in row) for layout in (FACE, TILED) for row in layout.section)
ONWARD_ROWS = {
    "txt2img": (
        ("start_picture", "end_picture"),
        ("continue_video",),
        ("continue_frames",),
        ("interpolate", "interpolate_by"),
    ),
    "img2img": (
        ("end_picture",),
        ("from_picture",),
        ("interpolate", "interpolate_by"),
        ("latent_power", "latent_scale"),
        ("latent_power_last", "latent_scale_last"),
    ),
}
PEOPLE_ROWS = (("people",), ("people_base", "people_border"))
CONTROL_ROWS = (("control_video",), ("control_frames", "control_reach"))
# Settings of the section that are files.
UPLOADS = ("video", "start_picture", "end_picture", "continue_video", "control_video")
SOURCE_ROWS = (("video",), ("first_frame", "last_frame"))  # in img2img


def section(tab: str) -> Layout[VideoSettings]:
    """Return the layout of the section VCD in a tab of the WebUI, which places its rows itself."""
    return Layout(
        VideoSettings,
        tab,
        elsewhere=("enabled", *UPLOADS),
        first=(*GENERATION_ROWS, *LOOP_ROWS),
        advanced={},
        tall=("people",),
        hints=True,
        explained=("gamma",),  # the one setting that nobody knows from elsewhere
        placeholders={
            "face_prompt": "the video's prompt, as a close up",
            "face_people": "all faces are the identity of the video",
            "face_words": "such as dog head",
            "control_frames": "such as 0, 8, 15; all frames are guided",
            "people": "marla woman, waving @ left\nrexly dog, running @ right",
            "subfolder": "such as videos/[date]",
        },
    )


def section_values(names: Sequence[str], args: Sequence[Any]) -> dict[str, Any]:
    """Return what a request says for the section VCD, by setting.

    names: the settings that the section has controls for, in the order of its controls. args: what came for them; the
    first may be a dict of all, from the API. SettingError for another number of values than there are controls.
    """
    if args and isinstance(args[0], Mapping):
        return dict(args[0])
    values = by_name(names, args, lists=("tiled_upscaler",))
    for name in (name for name in UPLOADS if name in values):
        values[name] = getattr(values[name], "name", values[name]) or ""  # the page gives an open file
    return values
