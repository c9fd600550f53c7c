"""A picture of what a training has learned so far, made in between two of its steps."""

from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.hosts.protocols import FACTOR, TrainingHost

STEPS, GUIDANCE, SEED = 12, 5.0, 0


class PreviewHost(TrainingHost, Protocol):
    """A training host that can also show what it denoises."""

    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents [1, 4, h, w] to a picture [3, H, W] in [-1, 1], float32 on the CPU; within `training`."""


@torch.no_grad()
def preview_picture(
    host: PreviewHost, prompt: str, name: str, vectors: Tensor, size: int, seed: int = SEED
) -> NDArray[np.uint8]:
    """Make the prompt's picture [size, size, 3], in which `name` stands for vectors [k, width].

    Twelve steps of DDIM (arXiv 2010.02502, equation 12) with classifier-free guidance, by default always from the
    same noise, so that pictures of one training can be compared. It costs as much as three steps with a batch of 4.
    """
    text = torch.cat([host.text("", {}), host.text(prompt, {name: vectors})])
    kept = host.alphas_cumprod.cpu().double()
    times = torch.linspace(len(kept) - 1, 0, STEPS + 1).round().long()
    shape = (1, 4, size // FACTOR, size // FACTOR)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    for time, following in pairwise(times):
        predicted = host.predict(latents.expand(2, -1, -1, -1), time.expand(2), text).cpu()
        guided = predicted[:1] + GUIDANCE * (predicted[1:] - predicted[:1])
        latents = _ddim(latents, guided, float(kept[time]), float(kept[following]), host.prediction_type)
    decoded = (host.decode(latents).clamp(-1, 1) + 1) * 127.5
    return decoded.round().to(torch.uint8).permute(1, 2, 0).numpy()


def _ddim(latents: Tensor, predicted: Tensor, kept: float, following: float, kind: str) -> Tensor:
    """Make one DDIM step from alpha-bar `kept` to `following`, without new noise."""
    noise = predicted if kind == "epsilon" else kept**0.5 * predicted + (1 - kept) ** 0.5 * latents
    clean = (latents - (1 - kept) ** 0.5 * noise) / kept**0.5
    return following**0.5 * clean + (1 - following) ** 0.5 * noise
