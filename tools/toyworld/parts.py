"""Where the parts of a figure are: what a denoiser is asked for while it learns, so that words find their places.

A figure is drawn once more with colours that stand for its parts. Aligning the inner features of a denoiser with what
a drawing means is REPA's idea (arXiv 2410.06940); here the meaning is known and needs no other network.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from . import figures
from .canvas import UNITS, Canvas
from .compose import blend
from .identity import KINDS, Identity, Person, Shade
from .pictures import moment
from .spec import Figure, Spec, sample

PLACE = 8  # pixels of a latent's side
_PEOPLE = (("skin", "hair", "hat_colour"), ("top", "bottom", "accent"))  # fields drawn in red, green and blue
_ANIMALS = (("fur", "second", "scarf"),)
PARTS = (*(name for names in (*_PEOPLE, *_ANIMALS) for name in names), *KINDS, "faces left", "faces right")


def parts(spec: Spec, time: float, size: int) -> NDArray[np.uint8]:
    """Return the share [PARTS, size / 8, size / 8], 0 to 255, of each latent's place that each part covers."""
    found = np.zeros((len(PARTS), size, size), np.float32)
    for figure in sorted(spec.figures, key=lambda one: one.at.imag):  # the nearest last, as it is drawn
        mine, cover = _of_figure(spec, figure, time, size)
        found = found * (1 - cover) + mine
    blocks = found.reshape(len(PARTS), size // PLACE, PLACE, size // PLACE, PLACE)
    return np.rint(blocks.mean(axis=(2, 4)) * 255).astype(np.uint8)


def _of_figure(spec: Spec, figure: Figure, time: float, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the parts [PARTS, H, W] of one figure and what it covers [H, W], in [0, 1]."""
    mine = np.zeros((len(PARTS), size, size), np.float32)
    cover = np.zeros((size, size), np.float32)
    for names in _PEOPLE if isinstance(figure.who, Person) else _ANIMALS:
        sheet = Canvas(detail=2 * size / UNITS)
        with sheet.at(spec.feet(figure, time), scale=spec.size(figure, time), flip=figure.facing):
            figures.draw(sheet, _coded(figure.who, names), figure.pose(time))
        picture = np.zeros((size, size, 3), np.uint8)
        cover = blend(picture, sheet.pixels, (1.0, 1.0, 1.0)).astype(np.float32) / 255
        for layer, name in enumerate(names):
            mine[PARTS.index(name)] = picture[..., layer] / np.float32(255)
    mine[PARTS.index(figure.who.kind)] = cover
    mine[PARTS.index("faces left" if figure.facing < 0 else "faces right")] = cover
    return mine, cover


def _coded(who: Identity, names: tuple[str, ...]) -> Identity:
    """Return the individual in black, but for the parts `names`, which are red, green and blue."""
    others = [name for group in (*_PEOPLE, *_ANIMALS) for name in group if getattr(who, name, None) is not None]
    colours: dict[str, Any] = {name: Shade("black", (0, 0, 0)) for name in others}
    for layer, name in enumerate(names):
        if name in colours:
            rgb = (255 * (layer == 0), 255 * (layer == 1), 255 * (layer == 2))
            colours[name] = Shade(name, rgb)
    return replace(who, **colours)


def kept(file: Path, numbers: list[int], size: int) -> Tensor:
    """Return the parts uint8 [N, PARTS, h, w] of the training pictures `numbers`; drawn once and kept in `file`."""
    if file.is_file():
        with np.load(file) as saved:
            if len(saved["parts"]) == len(numbers):
                return torch.from_numpy(saved["parts"])
    specs = (sample(number, "train") for number in numbers)
    maps = [parts(spec, moment(number, spec.frames), size) for spec, number in zip(specs, numbers, strict=True)]
    beside = file.with_suffix(".new.npz")
    np.savez(beside, parts=np.stack(maps))
    beside.replace(file)
    return torch.from_numpy(np.stack(maps))


class Finder(nn.Module):
    """Reads the parts off the features of the last three resolutions of a UNet's way up."""

    def __init__(self, widths: list[int]) -> None:
        """Make a layer for each resolution; `widths` are the channels of the features, the coarsest first."""
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(width, len(PARTS), 1) for width in widths)

    def loss(self, features: list[Tensor], shares: Tensor) -> Tensor:
        """Return the cross-entropy with the true shares [B, PARTS, h, w], the mean over places and resolutions."""
        total = shares.new_zeros(())
        for layer, one in zip(self.layers, features, strict=True):
            truth = F.adaptive_avg_pool2d(shares, (one.shape[-2], one.shape[-1]))
            total = total + F.binary_cross_entropy_with_logits(layer(one.float()), truth)
        return total / len(features)
