"""Renders as training pictures: picture `index` of a split is always the same one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .world import FRAMES, render, sample


class Pictures(Dataset[Tensor]):
    """Single frames as float32 [4, 128, 128]: colours in [-1, 1], then the subject's mask in [0, 1].

    Every index is another clip.
    """

    def __init__(self, split: str, count: int) -> None:
        """`count` pictures of a split of the drawn world."""
        self.split, self.count = split, count

    def __len__(self) -> int:
        """How many pictures there are."""
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        """Return the picture with that number, and its mask."""
        drawn = render(sample(index, self.split), [moment(index)])
        colours = torch.from_numpy(drawn.frames[0]).permute(2, 0, 1).float() / 127.5 - 1
        return torch.cat([colours, torch.from_numpy(drawn.masks[0])[None].float() / 255])


def moment(index: int) -> int:
    """Return the frame that picture `index` shows of its clip."""
    return int(np.random.default_rng([index, 5]).integers(FRAMES))


def batches(split: str, first_step: int, steps: int, batch: int, workers: int = 0) -> Iterator[Tensor]:
    """Yield the batches [batch, 4, 128, 128] of steps `first_step` to `steps`; the same ones whoever draws them."""
    indices = range(first_step * batch, steps * batch)
    loader = DataLoader(
        Pictures(split, steps * batch),
        batch,
        sampler=indices,
        num_workers=workers,
        generator=torch.Generator().manual_seed(0),
    )
    return iter(loader)
