"""What the shipped autoencoder leaves of drawn figures: for `benchmarks.quality`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tools.toyworld.pictures import whole
from tools.toyworld.world import Render
from vcd_ext import toyworld
from vcd_ext.toyworld.judging import Judges

Frames = NDArray[np.uint8]


class Figure(NamedTuple):
    """A held-out figure that the autoencoder wrote and read again."""

    psnr: float  # in dB, inside its mask
    likeness: float  # to itself before
    both: Frames  # [2, H, W, 3] before and after


def figures(vae: Any, judges: Judges, distance: str, count: int) -> Iterator[Figure]:
    """Draw figures of the test split, `count` of them, at a distance, and send them through the autoencoder."""
    for k in range(count):
        drawn = whole("test", k, toyworld.SIZE, subjects=1, distance=distance)
        again = reconstructed(vae, drawn.frames)
        ones, others = (judges.identity(frames, drawn.masks[0]) for frames in (drawn.frames, again))
        yield Figure(_psnr(drawn, again), float((ones * others).sum()), np.stack([drawn.frames[0], again[0]]))


@torch.no_grad()
def reconstructed(vae: Any, frames: Frames) -> Frames:
    """Return frames [F, H, W, 3] as diffusers' autoencoder writes and reads them."""
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
    again = vae.decode(vae.encode(pictures).latent_dist.mode()).sample.clamp(-1, 1)
    return np.asarray(((again + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy(), np.uint8)


def _psnr(drawn: Render, again: Frames) -> float:
    weight = drawn.masks[0, 0].astype(float) / 255
    squares = ((drawn.frames[0].astype(float) - again[0]) ** 2).mean(axis=2)
    return float(10 * np.log10(255**2 / ((squares * weight).sum() / weight.sum())))
