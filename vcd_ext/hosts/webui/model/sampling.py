"""Make the WebUI's samplers run exact steps, draw correlated noise and stop within a step.

By itself the WebUI's img2img runs one step more than the strength asks for where `steps * strength` is a whole number,
and as many as the slider says if the person has chosen so. Its samplers that go by time steps (DDIM, PLMS, UniPC) run
one or two less, and begin below the noise that was put in.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from k_diffusion.sampling import BrownianTreeNoiseSampler
from modules import sd_samplers_common, shared
from torch import Tensor

from vcd_ext.hosts.shared.passes import steps_run
from vcd_ext.noise import correlate

# Needs no time step below its last one; the others of its kind leave out the step that leads away from the lowest.
_WHOLE = "UniPC"


@contextmanager
def exact_steps(p: Any, count: int) -> Iterator[None]:
    """Make the sampler of `p`, an img2img, run within this context the last `count` steps of a schedule of `p.steps`.

    The noise that it begins from is that of the first of them. The WebUI's settings have no say in it.
    """
    sampler, strength = p.sampler, p.denoising_strength
    steps = count
    if hasattr(sampler, "get_timesteps"):
        lowest = [] if p.sampler_name == _WHOLE else [0]
        times = _last_times(sampler.get_timesteps(p, p.steps), count, lowest)
        sampler.get_timesteps = lambda _p, _steps: times
        steps = len(times)
    sampler.sample_img2img = partial(sampler.sample_img2img, steps=steps)
    p.denoising_strength = steps / (p.steps + 0.5)  # the WebUI makes a schedule of int(steps / strength) steps
    try:
        yield
    finally:
        p.denoising_strength = strength
        for name in ("sample_img2img", "get_timesteps"):
            vars(sampler).pop(name, None)


@contextmanager
def steps_of_strength(p: Any) -> Iterator[None]:
    """Make an img2img, within this context, run the steps of its strength, unless the person wants all of them."""
    if shared.opts.img2img_fix_steps or not p.denoising_strength:
        yield
        return
    with exact_steps(p, steps_run(p.steps, p.denoising_strength)):
        yield


def _last_times(times: Tensor, count: int, lowest: list[int]) -> Tensor:
    """Return rising time steps: the sampler takes all but the last, which is for the noise to begin from."""
    begin = times[count - 1 : count]
    return torch.cat([times.new_tensor(lowest), times[:count], begin])


class CorrelatedRNG:
    """Draw from the WebUI's `ImageRNG` with correlated frames, for the noise that samplers draw at their steps."""

    def __init__(self, rng: Any, gamma: float, loop: bool):
        self._rng = rng
        self._gamma = gamma
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rng, name)

    def next(self) -> Tensor:
        return correlate(self._rng.next(), self._gamma, self._loop)


def correlate_steps(p: Any, gamma: float, loop: bool = False) -> None:
    """Correlate what the sampler of `p` draws from now on: ancestral, LCM, DDIM eta and restart noise; SDE noise.

    Called before each pass, when `p.rng` and `p.sampler` are new. The sampler takes its noise from `p.rng`, except
    for the SDE samplers, which build Brownian trees from the seeds.
    """
    p.rng = CorrelatedRNG(p.rng, gamma, loop)
    make_tree = p.sampler.create_noise_sampler

    def create_noise_sampler(x: Tensor, sigmas: Tensor, p: Any) -> Callable[..., Tensor]:
        tree = make_tree(x, sigmas, p)
        if tree is None:  # the WebUI's option to let k-diffusion make its own tree
            tree = BrownianTreeNoiseSampler(x, sigmas[sigmas > 0].min(), sigmas.max())
        return lambda *interval: correlate(tree(*interval), gamma, loop)

    p.sampler.create_noise_sampler = create_noise_sampler


def stop_if_asked() -> None:
    """End the sampling as the WebUI's denoiser does; it asks between steps only, and those of a long video are long."""
    if shared.state.interrupted or shared.state.skipped:
        raise sd_samplers_common.InterruptedException
