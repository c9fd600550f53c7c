"""The samplers of the standalone host: diffusers' schedulers, set up as the WebUI and AnimateDiff do."""

from collections.abc import Callable
from typing import Any

import numpy as np
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler
from torch import Tensor

# AnimateDiff trains with betas linear from start to end; in SD1.5 their roots are.
BETAS = {"beta_start": 0.00085, "beta_end": 0.012}
ANIMATED, STILL = "linear", "scaled_linear"

MAKERS: dict[str, Callable[..., Any]] = {
    "euler": EulerDiscreteScheduler,
    "ddim": DDIMScheduler,
    "dpmpp_2m": DPMSolverMultistepScheduler,
    "lcm": LCMScheduler,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "euler": {"timestep_spacing": "linspace"},
    "ddim": {"timestep_spacing": "leading", "steps_offset": 1, "clip_sample": False, "set_alpha_to_one": False},
    "dpmpp_2m": {"timestep_spacing": "linspace", "use_karras_sigmas": True},
    "lcm": {},
}
MOST_STEPS = {"ddim": 999, "lcm": 50}  # more do not fit their spacing of 1000 training steps
INFOTEXT = {
    "euler": {"Sampler": "Euler"},
    "ddim": {"Sampler": "DDIM"},
    "dpmpp_2m": {"Sampler": "DPM++ 2M", "Schedule type": "Karras"},
    "lcm": {"Sampler": "LCM"},
}


def scheduler(sampler: str, steps: int, animated: bool, prediction_type: str, device: Any) -> Any:
    """A scheduler of diffusers for one of `settings.SAMPLERS`, ready for `steps` steps.

    animated: a motion module is attached, so the noise schedule is the one that it was trained with.
    ValueError where the sampler cannot make that many steps.
    """
    most = MOST_STEPS.get(sampler, steps)
    if steps > most:
        raise ValueError(f"The sampler {sampler} makes at most {most} steps; {steps} were asked for.")
    made = MAKERS[sampler](
        **BETAS,
        beta_schedule=ANIMATED if animated else STILL,
        prediction_type=prediction_type,
        **OPTIONS[sampler],
    )
    if sampler == "euler":
        # k-diffusion's times; the library's own spacing would begin a single step at the end.
        made.set_timesteps(timesteps=np.linspace(999, 0, steps), device=device)
    else:
        made.set_timesteps(steps, device=device)
    return made


def step(scheduler: Any, i: int, prediction: Tensor, latents: Tensor, noise: Callable[[], Tensor]) -> Tensor:
    """Latents [F, 4, h, w] after step i. noise: draws what the sampler adds, where it adds any (only lcm does)."""
    made = scheduler.step(prediction, scheduler.timesteps[i], latents)
    if not isinstance(scheduler, LCMScheduler) or i + 1 == len(scheduler.timesteps):
        return made.prev_sample
    # LCM's own noise comes from one generator for all frames; ours has a seed for each frame, and may correlate.
    return scheduler.add_noise(made.denoised, noise(), scheduler.timesteps[i + 1])


def noised(scheduler: Any, latents: Tensor, noise: Tensor, begin: int) -> Tensor:
    """Latents [F, 4, h, w] with so much noise that step `begin` of the schedule can be the first."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    return scheduler.add_noise(latents, noise, scheduler.timesteps[begin : begin + 1])


def kept(scheduler: Any, i: int, prediction: Tensor, scaled: Tensor, latents: Tensor, mask: Tensor) -> Tensor:
    """A prediction that leads back to `latents` where the mask is 0, as the WebUI blends at each step.

    scaled: what the UNet was given in step i, [F, 4, h, w]; mask: [F, 1, h, w] in [0, 1].
    """
    signal, noise = _levels(scheduler, i)
    own = (scaled - signal * latents) / noise
    if scheduler.config.prediction_type == "v_prediction":
        own = signal * own - noise * latents
    return own + mask * (prediction - own)


def _levels(scheduler: Any, i: int) -> tuple[Tensor, Tensor]:
    """How much picture and how much noise the UNet is given in step i; their squares sum to 1."""
    if hasattr(scheduler, "sigmas"):
        sigma = scheduler.sigmas[i]
        scale = (1 + sigma**2) ** -0.5
        return scale, sigma * scale
    signal = scheduler.alphas_cumprod[int(scheduler.timesteps[i])]
    return signal**0.5, (1 - signal) ** 0.5
