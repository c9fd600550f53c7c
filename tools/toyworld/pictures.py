"""Renders as training pictures: picture `index` of a split is always the same one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .world import SIZE, Render, render, sample

WINDOW = 128  # pixels of a training window's side
_SIZES, _SHARES = (128, 192, 256, 384), (0.15, 0.55, 0.2, 0.1)  # of the picture that a window is taken from


class Windows(Dataset[Tensor]):
    """Windows of single frames as float32 [5, 128, 128]: colours in [-1, 1], then masks of subjects and of faces.

    Pictures are drawn at several sizes, for tiles of an enlarged picture show a part of it, and the window mostly
    shows a subject. Every index is another clip.
    """

    def __init__(self, split: str, count: int, size: int = 0) -> None:
        """Take `count` pictures of a split of the drawn world, all of one size or, 0, of several."""
        self.split, self.count, self.size = split, count, size

    def __len__(self) -> int:
        """Return how many windows there are."""
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        """Draw the picture with that number and cut its window out."""
        rng = np.random.default_rng([index, 6])
        spec = sample(index, self.split)
        several = int(rng.choice(_SIZES, p=_SHARES))
        size = self.size or several
        drawn = render(spec, [moment(index, spec.frames)], size)
        layers = torch.from_numpy(np.concatenate([colours(drawn), covers(drawn)], axis=0))
        x, y = (_corner(rng, low, high, size) for low, high in _extent(drawn.masks.max(axis=(0, 1)), size))
        return layers[:, y : y + WINDOW, x : x + WINDOW]


def colours(drawn: Render, frame: int = 0) -> NDArray[np.float32]:
    """Return a frame's colours [3, H, W] in [-1, 1]."""
    return drawn.frames[frame].transpose(2, 0, 1).astype(np.float32) / 127.5 - 1


def covers(drawn: Render, frame: int = 0) -> NDArray[np.float32]:
    """Return which pixels [2, H, W] are of a subject and of a face, in [0, 1]."""
    masks = drawn.masks[:, frame].max(axis=0).astype(np.float32) / 255
    faces = np.zeros_like(masks)
    for x0, y0, x1, y1 in drawn.face_boxes[:, frame].round().astype(int):
        faces[y0:y1, x0:x1] = 1
    return np.stack([masks, faces * masks])


def _extent(mask: NDArray[np.uint8], size: int) -> list[tuple[int, int]]:
    """Return the subjects' extent in x and in y."""
    found = [np.flatnonzero(mask.max(axis=axis) > 0) for axis in (0, 1)]
    return [(int(places[0]), int(places[-1])) if len(places) else (0, size) for places in found]


def _corner(rng: np.random.Generator, low: int, high: int, size: int) -> int:
    """Draw the window's first pixel so that its middle lies near the subject."""
    middle = rng.uniform(low, high + 1) - WINDOW / 2
    return int(np.clip(round(middle), 0, size - WINDOW))


def moment(index: int, frames: int) -> int:
    """Return the frame that picture `index` shows of its clip."""
    return int(np.random.default_rng([index, 5]).integers(frames))


def batches(split: str, first_step: int, steps: int, batch: int, workers: int = 0, size: int = 0) -> Iterator[Tensor]:
    """Yield the batches [batch, 5, 128, 128] of steps `first_step` to `steps`; the same ones whoever draws them."""
    loader = DataLoader(
        Windows(split, steps * batch, size),
        batch,
        sampler=range(first_step * batch, steps * batch),
        num_workers=workers,
        generator=torch.Generator().manual_seed(0),
    )
    return iter(loader)


def whole(split: str, index: int, size: int = SIZE, **fixed: str | int) -> Render:
    """Draw the whole picture with that number."""
    spec = sample(index, split, **fixed)
    return render(spec, [moment(index, spec.frames)], size)
