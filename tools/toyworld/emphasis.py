"""Where the loss of a training counts more: on the subject, and most on its face.

What makes a dog no cat, or one woman another, is a few places of 256: with equal weights hardly any of the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .world import Render

PLACES, PIXELS = 16, 8  # of a latent's side, and of a place's


def covers(path: Path, numbers: Sequence[int], draw: Callable[[int], Render]) -> Tensor:
    """Shares [N, F, 2, 16, 16] of each latent's places that subject and face cover; remembered at `path`."""
    if not path.is_file() or len(np.load(path, mmap_mode="r")) < len(numbers):
        beside = path.with_name("new.npy")
        np.save(beside, np.stack([_cover(draw(number)) for number in numbers]))
        beside.replace(path)
    return torch.from_numpy(np.load(path)[: len(numbers)]).float() / 255


def _cover(drawn: Render) -> NDArray[np.uint8]:
    """Subject and face [F, 2, 16, 16], 255 where they cover a place."""
    faces = np.zeros_like(drawn.masks)
    for face, box in zip(faces, drawn.face_boxes.round().astype(int), strict=True):
        x0, y0, x1, y1 = box
        face[y0:y1, x0:x1] = 255
    both = np.stack([drawn.masks, faces], axis=1).reshape(-1, 2, PLACES, PIXELS, PLACES, PIXELS)
    return both.mean(axis=(3, 5)).astype(np.uint8)


def loss_weights(covered: Tensor, subject: float, face: float) -> Tensor:
    """Weights [N, F, 1, 16, 16], `subject` and `face` times as much on those as beside; 1 on average in each frame.

    covered: what `covers` returns.
    """
    its_body, its_face = covered.split(1, dim=2)
    weights = torch.maximum(1 + (subject - 1) * its_body, 1 + (face - 1) * its_face)
    return weights / weights.mean(dim=(3, 4), keepdim=True)
