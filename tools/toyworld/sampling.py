"""DDIM with guidance (Song et al., 2010.02502) for the sheets of a training; the product has its own hosts."""

from __future__ import annotations

import torch
from torch import Tensor

from .second_stage import STEPS, Denoiser, scaled_linear
from .training import half


@torch.no_grad()
def sample_latents(
    model: Denoiser,
    tokens: Tensor,
    empty: Tensor,
    steps: int = 20,
    guidance: float = 4.0,
    seed: int = 0,
    alphas: Tensor | None = None,
    noise: Tensor | None = None,
) -> Tensor:
    """Latents [B, 4, 16, 16] for tokens [B, 77]; `empty` [1, 77] is guided away from."""
    device = next(model.parameters()).device
    bars = (scaled_linear() if alphas is None else alphas).float()
    if noise is None:
        noise = torch.randn(len(tokens), 4, 16, 16, generator=torch.Generator().manual_seed(seed))
    latents = noise.to(device)
    both = torch.cat([empty.expand_as(tokens), tokens]).to(device)
    times = torch.linspace(STEPS - 1, 0, steps).round().long().tolist()
    for time, after in zip(times, [*times[1:], -1], strict=True):
        with half(device):
            row = torch.full((len(both),), time, device=device)
            uncond, cond = model(latents.repeat(2, 1, 1, 1), row, both).float().chunk(2)
        predicted = uncond + guidance * (cond - uncond)
        bar, then = bars[time], bars[after] if after >= 0 else torch.tensor(1.0)
        clean = (latents - (1 - bar).sqrt() * predicted) / bar.sqrt()
        latents = then.sqrt() * clean + (1 - then).sqrt() * predicted
    return latents
