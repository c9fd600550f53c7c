"""Define what Face VCD and Tiled VCD have in common: both denoise frames that exist."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from vcd_ext.settings.setting import setting, span

NO_MODULE = "none"
LONGEST = 10_000_000  # frames of a video that is read, days of it
TRAVELS = ("linear", "slerp")  # how conditions go from one key frame to the next
EXACT, FAST, FASTEST = SPEEDS = ("exact", "fast", "fastest")
DRAWN = "drawn"  # finds the faces of the drawn world
DETECTORS = ("auto", "blazeface", "yunet", "words", DRAWN)
GENERAL_DETECTORS = tuple(name for name in DETECTORS if name != DRAWN)  # offered for every other checkpoint


@dataclass(frozen=True)
class PassSettings:
    """Set up a run of the video denoiser over frames that exist (`hosts.protocols.VideoPass`)."""

    prompt: str = setting("", "Prompt", "What the video shows.")
    negative_prompt: str = setting("", "Negative prompt", "What it should not show.")
    identity: str = setting(
        NO_MODULE,
        "Identity",
        "An embedding of the person, pet or thing. Its name is written into the prompt if it is not there yet.",
    )
    motion_module: str = setting(
        NO_MODULE, "Motion module", "An AnimateDiff motion module that moves the frames together."
    )
    denoise: float = setting(
        0.6, "Denoise", "How much is painted anew: near 0 nothing, 1 everything.", **span(0.01, 1.0, 0.01)
    )
    steps: int = setting(20, "Steps", "Sampling steps, of which the share of Denoise is run.", **span(1, 1000, 1, 100))
    cfg_scale: float = setting(7.5, "CFG scale", "How closely the prompt is followed.", **span(1.0, 30.0))
    sampler: str = setting("", "Sampler", "Sampling method; empty takes the default.")
    seed: int = setting(-1, "Seed", "Frame i uses seed + i; -1 draws one.", **span(-1, 2**32 - 1))
    gamma: float = setting(0.15, "Gamma", "How alike the noise of neighbouring frames is.", **span(0.0, 0.5, 0.01))
    context: int = setting(
        16,
        "Window",
        "Frames that are denoised together. Longer videos run in windows of this many, which overlap.",
        **span(1, 128, 1, 32),
    )
    context_overlap: int = setting(4, "Window overlap", "Frames that neighbouring windows share.", **span(0, 64, 1))
    loop: bool = setting(
        False,
        "Closed loop",
        "The last frame leads on to the first, without a seam: noise and windows go around. A loop that fits into one "
        "window is computed in two, cut open at different frames, so it takes twice as long.",
    )
    prompt_travel: str = setting(
        "linear",
        "Prompt travel",
        "How the conditions of frames between two key frames ('0: open mouth' and '8: closed mouth' as lines of the "
        "prompt) are mixed: 'linear', or on a sphere ('slerp'), as sd-webui-animatediff does. Without effect where the "
        "prompt has no key frames.",
        choices=TRAVELS,
    )
    speed: str = setting(
        EXACT,
        "Speed",
        "'exact' computes all of the UNet at each step. 'fast' does so at every second step and 'fastest' at every "
        "third; in between, what its deep layers gave last is used again (DeepCache, arXiv 2312.00858). At 20 steps "
        "the UNet is then 1.7 and 2.2 times as fast. The frames are near those of 'exact', not the same; "
        "with few steps (LCM, Lightning) neighbouring steps are less alike, and more is lost.",
        choices=SPEEDS,
    )
    first_frame: int = setting(
        1, "First frame", "Of the video that comes in: where to begin, counted from 1.", **span(1, LONGEST)
    )
    last_frame: int = setting(
        0,
        "Last frame",
        "Of the video that comes in: where to end, with this frame; 0 is its end. What comes after it is not read.",
        **span(0, LONGEST),
    )


OfPass = TypeVar("OfPass", bound=PassSettings)


def with_drawn_seed(settings: OfPass, note: Callable[[str], None] | None = None) -> OfPass:
    """Return the settings with a drawn seed instead of -1. note: told which, in a sentence."""
    if settings.seed >= 0:
        return settings
    seed = random.randrange(2**32)
    if note is not None:
        note(f"The seed is {seed}.")
    return replace(settings, seed=seed)
