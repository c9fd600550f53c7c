"""Define the picture that a video is made of: the command line's counterpart of the WebUI's own fields."""

from dataclasses import dataclass

from vcd_ext.settings.setting import setting, span

SAMPLERS = ("euler", "ddim", "dpmpp_2m", "lcm", "euler_sgm")
MIN_VIDEO_SIDE, MAX_VIDEO_SIDE = 64, 2048  # pixels


@dataclass(frozen=True)
class GenerateSettings:
    """Set what the command line needs beside `VideoSettings`; in the WebUI these are the page's own fields."""

    prompt: str = setting("", "Prompt", "What the video shows.")
    negative_prompt: str = setting("", "Negative prompt", "What it should not show.")
    width: int = setting(512, "Width", "Pixels, a multiple of 8.", **span(MIN_VIDEO_SIDE, MAX_VIDEO_SIDE, 8))
    height: int = setting(512, "Height", "Pixels, a multiple of 8.", **span(MIN_VIDEO_SIDE, MAX_VIDEO_SIDE, 8))
    steps: int = setting(20, "Steps", "Sampling steps.", **span(1, 1000, 1))
    cfg_scale: float = setting(7.5, "CFG scale", "How closely the prompt is followed.", **span(1.0, 30.0))
    sampler: str = setting(
        "euler", "Sampler", "Sampling method; lcm is for AnimateLCM, euler_sgm for Lightning.", choices=SAMPLERS
    )
    denoise: float = setting(
        0.6,
        "Denoise",
        "Of a video that is made again: how much of it is new, from near 0, nothing, to 1, everything.",
        **span(0.01, 1.0, 0.01),
    )
    seed: int = setting(-1, "Seed", "Frame i uses seed + i; -1 draws one.", **span(-1, 2**32 - 1))
