"""Latents of many renders, made once: a folder of parts that grows, so that a killed process loses one part at most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from .training import half

Draw = Callable[[int], NDArray[np.uint8]]  # number -> frames [F, 128, 128, 3]


@torch.no_grad()
def bank(folder: Path, model: AutoencoderKL, scale: float, draw: Draw, count: int, a_part: int) -> Tensor:
    """Latents float16 [count, F, 4, 16, 16], scaled to a spread of about 1, of `draw(0)` to `draw(count - 1)`."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for first in range(0, count, a_part):
        path = folder / f"{first:06d}_{a_part}.npy"
        if not path.is_file():
            codes = [encoded(model, draw(number)) * scale for number in range(first, first + a_part)]
            beside = folder / "new.npy"
            np.save(beside, torch.stack(codes).half().numpy())
            beside.replace(path)
            print(f"latents: {first + a_part} of {count}", flush=True)
        parts.append(torch.from_numpy(np.load(path)))
    return torch.cat(parts)[:count]


def encoded(model: AutoencoderKL, frames: NDArray[np.uint8]) -> Tensor:
    """Return the middle of the posterior [F, 4, 16, 16] of frames, unscaled."""
    device = next(model.parameters()).device
    pictures = torch.from_numpy(frames).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    with half(device):
        return torch.cat([model.encode(part).latent_dist.mode().float().cpu() for part in pictures.split(16)])
