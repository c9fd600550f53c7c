"""Latents of many renders, and what their places show, made once in parts: a killed process loses one part at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from .captions import held_out
from .pictures import covers
from .spec import sample
from .training import half
from .world import Render

PLACE = 8  # pixels of a latent's side


class Bank(NamedTuple):
    """N clips of F frames: latents float16 [N, F, 4, h, w], and which share of each place subject and face cover."""

    latents: Tensor
    covered: Tensor  # uint8 [N, F, 2, h, w]


@torch.no_grad()
def bank(
    folder: Path,
    model: AutoencoderKL,
    scale: float,
    draw: Callable[[int], Render],
    numbers: list[int],
    part: int,
    workers: int = 0,
) -> Bank:
    """Encode `draw(number)` of each number; what a folder holds is not drawn again.

    `workers` processes draw (0: this one), so `draw` must be a function of a module, or a partial of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {first: folder / f"{first:06d}_{part}.npz" for first in range(0, len(numbers), part)}
    missing = [
        number for first, path in paths.items() if not path.is_file() for number in numbers[first : first + part]
    ]
    pictures = _drawn(draw, missing, workers)
    latents, covered = [], []
    for first, path in paths.items():
        if not path.is_file():
            drawn = [next(pictures) for _ in numbers[first : first + part]]
            codes = torch.stack([encoded(model, one.frames) * scale for one in drawn]).half().numpy()
            places = np.stack([_places(one) for one in drawn])
            beside = folder / "new.npz"
            np.savez(beside, latents=codes, covered=places)
            beside.replace(path)
            print(f"latents: {min(first + part, len(numbers))} of {len(numbers)}", flush=True)
        with np.load(path) as kept:
            latents.append(torch.from_numpy(kept["latents"]))
            covered.append(torch.from_numpy(kept["covered"]))
    return Bank(torch.cat(latents), torch.cat(covered))


def _drawn(draw: Callable[[int], Render], numbers: list[int], workers: int) -> Iterator[Render]:
    if not workers or not numbers:
        yield from map(draw, numbers)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(draw, numbers, chunksize=4)


def encoded(model: AutoencoderKL, frames: NDArray[np.uint8]) -> Tensor:
    """Return the middle of the posterior [F, 4, h, w] of frames [F, H, W, 3], unscaled."""
    device = next(model.parameters()).device
    pictures = torch.from_numpy(frames).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    with half(device):
        return torch.cat([model.encode(part).latent_dist.mode().float().cpu() for part in pictures.split(8)])


def _places(drawn: Render) -> NDArray[np.uint8]:
    """Return the shares [F, 2, h, w] of each latent's place that subject and face cover, 0 to 255."""
    shown = np.stack([covers(drawn, k) for k in range(len(drawn.frames))])
    frames, layers, height, width = shown.shape
    blocks = shown.reshape(frames, layers, height // PLACE, PLACE, width // PLACE, PLACE)
    return np.rint(blocks.mean(axis=(3, 5)) * 255).astype(np.uint8)


def loss_weights(covered: Tensor, subject: float, face: float) -> Tensor:
    """Return weights [..., 1, h, w] of the loss, `subject` and `face` times as much there; 1 on average a frame.

    covered: [..., 2, h, w] as in a bank.
    """
    share = covered.float() / 255
    weights = 1 + (subject - 1) * share[..., :1, :, :] + (face - subject) * share[..., 1:, :, :]
    return weights / weights.mean(dim=(-1, -2), keepdim=True)


def allowed(count: int, first: int = 0) -> list[int]:
    """Return the first `count` numbers from `first` on whose clips are not held out."""
    found: list[int] = []
    while len(found) < count:
        spec = sample(first, "train")
        if not any(held_out(figure.who.kind, spec.scene, spec.action) for figure in spec.figures):
            found.append(first)
        first += 1
    return found
