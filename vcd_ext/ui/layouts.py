"""Which settings each tab shows where."""

from vcd_ext.settings import FaceSettings, TiledSettings, TrainSettings
from vcd_ext.ui.form import Layout

PAINTED = ("cfg_scale", "sampler", "seed", "context", "context_overlap", "gamma")

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
        "When it measures, saves and ends": ("validate_every", "save_every", "early_stop"),
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
        "Tiles and colours": ("tile", "tile_overlap", "controlnet_weight", "keep_colours"),
    },
    tall=("prompt", "negative_prompt"),
)
