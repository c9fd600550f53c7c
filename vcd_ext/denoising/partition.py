"""Cover a line by overlapping pieces, with weights that sum to 1 at each place.

Used along the frames of a long video and along both sides of a large picture.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Tile(NamedTuple):
    """Describe a rectangle that is denoised by itself, with its weights; in pixels or latents."""

    top: int
    left: int
    height: int
    width: int
    weights: Tensor  # float32 [height, width], above 0


def tiles(height: int, width: int, size: int, overlap: int) -> list[Tile]:
    """Cover a canvas by the fewest tiles that share at least `overlap` with their neighbours, row by row.

    All numbers are in the same unit, pixels or latents. All tiles have the sides min(size, height) and
    min(size, width) and are evenly spaced. In the overlaps the weights are raised cosines; over all tiles they sum
    to 1 on every place of the canvas.
    ValueError unless height, width and size are at least 1 and overlap is from 0 to below size.
    """
    if height < 1 or width < 1 or size < 1:
        raise ValueError(f"Tiles of {size} on a canvas of {width}x{height} were asked for; all must be at least 1.")
    if not 0 <= overlap < size:
        raise ValueError(
            f"The tiles' overlap is {overlap}; it must be from 0 to below their size, {size}. "
            "Use larger tiles or a smaller overlap."
        )
    rows, columns = _along(height, size, overlap), _along(width, size, overlap)
    return [
        Tile(top, left, len(down), len(across), torch.outer(down, across).float())
        for top, down in rows
        for left, across in columns
    ]


def count(total: int, size: int, overlap: int) -> int:
    """Count the fewest pieces of `size` places that cover `total` places and share at least `overlap`."""
    return 1 if total <= size else math.ceil((total - overlap) / (size - overlap))


def weights(starts: Sequence[int], size: int, total: int) -> Tensor:
    """Compute how much each piece counts at each of its places: float64 [pieces, size], above 0.

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


def ring_weights(starts: Sequence[int], size: int, total: int) -> Tensor:
    """Compute what `weights` computes for pieces on a ring of `total` places, whose last meets the first again."""
    nexts = [*starts[1:], starts[0] + total]
    shares = [start + size - following for start, following in zip(starts, nexts, strict=True)]
    pieces = torch.stack(
        [
            _rise(before, size) * _rise(after, size).flip(0)
            for before, after in zip([shares[-1], *shares[:-1]], shares, strict=True)
        ]
    )
    places = (torch.tensor(starts)[:, None] + torch.arange(size)) % total
    sums = torch.zeros(total, dtype=torch.float64).index_add_(0, places.flatten(), pieces.flatten())
    return pieces / sums[places]


def _along(total: int, size: int, overlap: int) -> list[tuple[int, Tensor]]:
    """Return start and float64 weights of each tile along one side."""
    number, size = count(total, size, overlap), min(size, total)
    starts = [round(i * (total - size) / max(number - 1, 1)) for i in range(number)]
    return list(zip(starts, weights(starts, size, total), strict=True))


def _rise(length: int, size: int) -> Tensor:
    """Return a raised cosine from 0 to 1 over the first `length` of `size` places, sampled in their middles."""
    ramp = torch.ones(size, dtype=torch.float64)
    middles = torch.arange(length, dtype=torch.float64) + 0.5
    ramp[:length] = (1 - torch.cos(math.pi * middles / max(length, 1))) / 2
    return ramp
