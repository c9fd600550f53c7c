"""A line that is covered by pieces which overlap: where they start, and weights with which they add up to one line.

Used along the frames of a long video and along both sides of a large picture.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def count(total: int, size: int, overlap: int) -> int:
    """Count the pieces of `size` places that cover `total` places and share at least `overlap` with a neighbour."""
    return 1 if total <= size else math.ceil((total - overlap) / (size - overlap))


def weights(starts: Sequence[int], size: int, total: int) -> Tensor:
    """Return the weight of each piece at each of its places: float64 [pieces, size], above 0.

    starts: rising, from 0 to total - size, without a gap. At each place the weights of all pieces sum to 1. Where two
    pieces overlap they are the halves of a raised cosine, as long as the overlap is there.
    """
    ends = [start + size for start in starts]
    shares = [ends[i] - starts[i + 1] for i in range(len(starts) - 1)]  # places that neighbours have in common
    pieces = torch.stack(
        [
            _rise(before, size) * _rise(after, size).flip(0)
            for before, after in zip([0, *shares], [*shares, 0], strict=True)
        ]
    )
    # Only where a third piece reaches into an overlap is this not 1 already.
    sums = torch.zeros(total, dtype=torch.float64)
    for start, piece in zip(starts, pieces, strict=True):
        sums[start : start + size] += piece
    return torch.stack([piece / sums[start : start + size] for start, piece in zip(starts, pieces, strict=True)])


def _rise(length: int, size: int) -> Tensor:
    """Return a raised cosine from 0 to 1 over the first `length` of `size` places, sampled in their middles."""
    ramp = torch.ones(size, dtype=torch.float64)
    middles = torch.arange(length, dtype=torch.float64) + 0.5
    ramp[:length] = (1 - torch.cos(math.pi * middles / max(length, 1))) / 2
    return ramp
