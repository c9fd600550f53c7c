"""The samplers of the standalone host: diffusers' schedulers on the noise levels and times of the WebUI.

The WebUI's own samplers are k-diffusion's. What they go by is made here: diffusers rounds times to whole ones, spaces
those of LCM differently and interpolates between levels in another way.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler
from torch import Tensor

# AnimateDiff trains with betas linear from start to end; in SD1.5 their roots are.
BETAS = {"beta_start": 0.00085, "beta_end": 0.012}
ANIMATED, STILL = "linear", "scaled_linear"
TIMES = 1000
RHO = 7  # of Karras et al., arXiv 2206.00364
LCM_TIMES = 50  # that models were distilled on (Luo et al., arXiv 2310.04378)
LCM_DATA, LCM_SCALE = 0.5, 10  # sigma_data and the scale of times in its boundary condition


class LCMScheduler(EulerDiscreteScheduler):
    """Told apart from Euler's by `step`: each step goes to the picture, and noise is added anew."""


MAKERS: dict[str, Callable[..., Any]] = {
    "euler": EulerDiscreteScheduler,
    "ddim": DDIMScheduler,
    "dpmpp_2m": DPMSolverMultistepScheduler,
    "lcm": LCMScheduler,
    "euler_sgm": EulerDiscreteScheduler,
}
OPTIONS: dict[str, dict[str, Any]] = {"ddim": {"clip_sample": False, "set_alpha_to_one": False}}
MOST_STEPS = {"ddim": 999}  # more do not fit its spacing of the training's times
INFOTEXT = {
    "euler": {"Sampler": "Euler"},
    "ddim": {"Sampler": "DDIM"},
    "dpmpp_2m": {"Sampler": "DPM++ 2M", "Schedule type": "Karras"},
    "lcm": {"Sampler": "LCM"},
    "euler_sgm": {"Sampler": "Euler", "Schedule type": "SGM Uniform"},
}


def scheduler(sampler: str, steps: int, animated: bool, prediction_type: str, device: Any) -> Any:
    """Make a scheduler of diffusers for one of `settings.SAMPLERS`, ready for `steps` steps.

    animated: a motion module is attached, so the noise schedule is the one that it was trained with. As in the WebUI,
    ddim makes a few steps more where they do not divide 1000.
    ValueError where the sampler cannot make that many steps.
    """
    most = MOST_STEPS.get(sampler, steps)
    if steps > most:
        raise ValueError(f"The sampler {sampler} makes at most {most} steps; {steps} were asked for.")
    kind = ANIMATED if animated else STILL
    made = MAKERS[sampler](**BETAS, beta_schedule=kind, prediction_type=prediction_type, **OPTIONS.get(sampler, {}))
    made.alphas_cumprod = alphas_cumprod(animated)
    made.set_timesteps(steps)
    if sampler == "ddim":
        made.timesteps = (torch.arange(0, TIMES, TIMES // steps) + 1).clamp(max=TIMES - 1).flip(0).to(device)
        return made
    levels = ((1 - made.alphas_cumprod) / made.alphas_cumprod).sqrt().log()
    times, sigmas = SCHEDULES[sampler](levels, steps)
    made.timesteps, made.sigmas = times.to(device), torch.cat([sigmas, torch.zeros(1)])
    made.set_begin_index(0)
    return made


def alphas_cumprod(animated: bool) -> Tensor:
    """Compute how much of the picture's variance is left at each time of the training: float32 [1000]."""
    low, high = BETAS["beta_start"], BETAS["beta_end"]
    if animated:
        betas = torch.linspace(low, high, TIMES, dtype=torch.float64)
    else:
        betas = torch.linspace(low**0.5, high**0.5, TIMES, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float()


def _even(levels: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Space times evenly from the last to the first, with their sigmas; levels: log sigma of each time, [1000]."""
    times = torch.linspace(TIMES - 1, 0, steps)
    return times, _between(levels, times).exp()


def _trailing(levels: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Space times evenly from the last, each as far from the next as the last step's is from the picture."""
    times = torch.linspace(TIMES - 1, 0, steps + 1)[:-1]
    return times, _between(levels, times).exp()


def _karras(levels: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Space sigmas so that their seventh roots are even, with the times between which they lie."""
    low, high = (level.exp().item() ** (1 / RHO) for level in (levels[0], levels[-1]))
    sigmas = (high + torch.linspace(0, 1, steps) * (low - high)) ** RHO
    return torch.from_numpy(np.interp(sigmas.log(), levels, np.arange(TIMES))).float(), sigmas


def _distilled(levels: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Space sigmas evenly between the levels that LCM was distilled on, with those of its times that are nearest."""
    apart = TIMES // LCM_TIMES
    known = levels[apart - 1 :: apart]
    places = (torch.linspace(TIMES - 1, apart - 1, steps) - (apart - 1)) / apart
    sigmas = _between(known, places).exp()
    nearest = (sigmas.log() - known[:, None]).abs().argmin(dim=0)
    return (nearest * apart + apart - 1).float(), sigmas


def _between(levels: Tensor, places: Tensor) -> Tensor:
    """Interpolate levels at places between them, in float32 as the WebUI: rounding decides which time is nearer."""
    below, above, share = places.floor().long(), places.ceil().long(), places.frac()
    return (1 - share) * levels[below] + share * levels[above]


SCHEDULES = {"euler": _even, "dpmpp_2m": _karras, "lcm": _distilled, "euler_sgm": _trailing}


def step(scheduler: Any, i: int, prediction: Tensor, latents: Tensor, noise: Callable[[], Tensor]) -> Tensor:
    """Make step i; returns latents [F, 4, h, w]. noise: draws what the sampler adds, if it does (only lcm)."""
    made = scheduler.step(prediction, scheduler.timesteps[i], latents)
    if not isinstance(scheduler, LCMScheduler):
        return made.prev_sample
    time, after = LCM_SCALE * float(scheduler.timesteps[i]), float(scheduler.sigmas[i + 1])
    scale = time**2 + LCM_DATA**2
    picture = time / scale**0.5 * made.pred_original_sample + LCM_DATA**2 / scale * latents
    return picture + after * noise() if after else picture


def history(scheduler: Any) -> dict[str, Tensor]:
    """Return what the next step needs of those before it, by names: the predictions of a sampler of several steps."""
    outputs = getattr(scheduler, "model_outputs", None) or ()
    return {f"output {i}": output for i, output in enumerate(outputs) if output is not None}


def resumed(scheduler: Any, i: int, history: Mapping[str, Tensor]) -> None:
    """Let step i be the next one, with what `history` gave."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(i)
    if hasattr(scheduler, "model_outputs"):
        names = [f"output {k}" for k in range(len(scheduler.model_outputs))]
        scheduler.model_outputs = [history.get(name) for name in names]
        scheduler.lower_order_nums = sum(name in history for name in names)


def started(scheduler: Any, noise: Tensor) -> Tensor:
    """Return latents [F, 4, h, w] of pure noise, from which the first step of the schedule starts."""
    if isinstance(scheduler, DDIMScheduler):
        return noise  # as large as if no picture were in it, as in the WebUI
    return noised(scheduler, torch.zeros_like(noise), noise, 0)


def noised(scheduler: Any, latents: Tensor, noise: Tensor, begin: int) -> Tensor:
    """Add noise to latents [F, 4, h, w], so much that step `begin` of the schedule can be the first."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    return scheduler.add_noise(latents, noise, scheduler.timesteps[begin : begin + 1])


def keep_unmasked(scheduler: Any, i: int, prediction: Tensor, scaled: Tensor, latents: Tensor, mask: Tensor) -> Tensor:
    """Blend in, where the mask is 0, a prediction that leads back to `latents`, as the WebUI does at each step.

    scaled: what the UNet was given in step i, [F, 4, h, w]; mask: [F, 1, h, w] in [0, 1].
    """
    signal, noise = levels(scheduler, i)
    own = (scaled - signal * latents) / noise
    if scheduler.config.prediction_type == "v_prediction":
        own = signal * own - noise * latents
    return own + mask * (prediction - own)


def levels(scheduler: Any, i: int) -> tuple[Tensor, Tensor]:
    """Return how much picture and how much noise the UNet is given in step i; their squares sum to 1."""
    if hasattr(scheduler, "sigmas"):
        sigma = scheduler.sigmas[i]
        scale = (1 + sigma**2) ** -0.5
        return scale, sigma * scale
    signal = scheduler.alphas_cumprod[int(scheduler.timesteps[i])]
    return signal**0.5, (1 - signal) ** 0.5
