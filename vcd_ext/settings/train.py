"""Define the settings of a training."""

from dataclasses import dataclass
from typing import Any

from vcd_ext.settings.setting import setting, span

SCHEDULES = ("animatediff", "checkpoint", "mixed")
CHECKPOINTING = ("auto", "off", "transformers", "all")


def _share(default: float, label: str, which: str) -> Any:
    return setting(default, label, f"Share of the training pictures {which}.", **span(0.0, 1.0, 0.01))


@dataclass(frozen=True)
class TrainSettings:
    """Set up the ID module's training (arXiv 2402.09368 v1, sections 4.2 and 5.2): tab *Train ID* and `train`."""

    name: str = setting("", "Name", "The word that will stand for the identity in prompts, and its file's name.")
    class_word: str = setting("person", "Class", "What the photos show, in one to four words: man, dog, toy car.")
    init_words: str = setting(
        "", "First words", "Words whose embeddings the training starts from; the class if this is empty."
    )
    tokens: int = setting(
        4, "Tokens", "Text vectors to learn. More hold more detail and need more photos.", **span(1, 16, 1)
    )
    steps: int = setting(200, "Steps", "Training steps.", **span(1, 100_000, 1, 2000))
    learning_rate: float = setting(
        1e-3, "Learning rate", "Size of each step. Lower it if the loss rises.", **span(1e-6, 0.1)
    )
    batch: int = setting(4, "Batch", "Pictures a step. Fewer photos than this repeat.", **span(1, 64, 1, 16))
    micro_batch: int = setting(
        0,
        "Micro-batch",
        "Pictures of a batch that are computed at once: fewer need less memory and learn the same. 0 chooses by the "
        "free memory.",
        **span(0, 64, 1, 16),
    )
    size: int = setting(
        512, "Size", "Pixels of the training pictures' side, best a multiple of 64.", **span(64, 1024, 8)
    )
    seed: int = setting(
        -1, "Seed", "The same seed, photos and settings learn the same; -1 draws one.", **span(-1, 2**32 - 1)
    )
    noise_offset: float = setting(
        0.1,
        "Noise offset",
        "How much one random value for each channel of a picture is added to its noise: learns light and dark.",
        **span(0.0, 1.0, 0.01),
    )
    schedule: str = setting(
        "animatediff",
        "Noise schedule",
        "The noise levels that the identity will be used with: AnimateDiff's for videos, the checkpoint's for "
        "pictures, or both in turn.",
        choices=SCHEDULES,
    )
    masked: bool = setting(True, "Masked loss", "Learn from the subject alone, not from what is behind it.")
    whole_picture: float = _share(0.05, "Whole pictures", "that are learned from without their mask")
    flip: float = _share(0.5, "Flip", "that are mirrored. 0 for someone with a parting, a text, or odd sides")
    rotate: float = _share(0.7, "Rotate", "that are rotated a little")
    rotate_degrees: float = setting(
        10.0, "Rotation", "Standard deviation of the rotation in degrees.", **span(0.0, 45.0, 1.0)
    )
    far: float = _share(0.27, "Far away", "that show the subject small, with a caption that says so")
    close: float = _share(0.33, "Close up", "that show a part of the subject, with a caption that says so")
    background: float = _share(0.0, "New backgrounds", "whose background is replaced, so that less of it is learned")
    variants: int = setting(
        16, "Variants", "Different versions of each photo that are made before the training.", **span(1, 256, 1, 64)
    )
    ema: float = setting(
        0.0,
        "EMA",
        "Decay of an average over the steps that is kept instead of the last step; 0 keeps the last, 0.9 to 0.99 is "
        "useful.",
        **span(0.0, 0.9999, 0.01),
    )
    validate_every: int = setting(
        25,
        "Validate every",
        "Steps between measurements with always the same noise; the best of them is what is saved. 0 never measures "
        "and saves the last step.",
        **span(0, 100_000, 1, 200),
    )
    save_every: int = setting(
        25,
        "Save every",
        "Steps after which the state is saved, to go on from if the training is stopped.",
        **span(1, 100_000, 1, 200),
    )
    keep_every: int = setting(
        0,
        "Keep every",
        "Steps after which what was learned so far is kept as an embedding of its own, such as rexly_50, to compare "
        "with the end; 0 keeps the end alone.",
        **span(0, 100_000, 1, 200),
    )
    early_stop: bool = setting(False, "Early stop", "End when three measurements in a row were no better.")
    gradient_checkpointing: str = setting(
        "auto",
        "Gradient checkpointing",
        "Blocks of the UNet that are computed twice to save memory: 'transformers' is 1.2 times slower, 'all' 1.5 "
        "times. 'auto' chooses by the free memory.",
        choices=CHECKPOINTING,
    )
