"""Correlated noise inside the WebUI's samplers: the start of each pass, and on request each step."""

from collections.abc import Callable
from typing import Any

from k_diffusion.sampling import BrownianTreeNoiseSampler
from torch import Tensor

from vcd_ext.noise import correlate


class CorrelatedRNG:
    """The WebUI's `ImageRNG` with correlated frames, for the noise that samplers draw at their steps."""

    def __init__(self, rng: Any, gamma: float):
        self._rng = rng
        self._gamma = gamma

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rng, name)

    def next(self) -> Tensor:
        return correlate(self._rng.next(), self._gamma)


def correlate_steps(p: Any, gamma: float) -> None:
    """Correlate what the sampler of `p` draws from now on: ancestral, LCM, DDIM eta and restart noise; SDE noise.

    Called before each pass, when `p.rng` and `p.sampler` are new. The sampler takes its noise from `p.rng`, except
    for the SDE samplers, which build Brownian trees from the seeds.
    """
    p.rng = CorrelatedRNG(p.rng, gamma)
    make_tree = p.sampler.create_noise_sampler

    def create_noise_sampler(x: Tensor, sigmas: Tensor, p: Any) -> Callable[..., Tensor]:
        tree = make_tree(x, sigmas, p)
        if tree is None:  # the WebUI's option to let k-diffusion make its own tree
            tree = BrownianTreeNoiseSampler(x, sigmas[sigmas > 0].min(), sigmas.max())
        return lambda *interval: correlate(tree(*interval), gamma)

    p.sampler.create_noise_sampler = create_noise_sampler
