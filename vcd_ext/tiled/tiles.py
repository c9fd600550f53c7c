"""Overlapping tiles of a canvas."""

from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.denoising import partition


class Tile(NamedTuple):
    """A rectangle that is denoised by itself, and how much the result counts at each place; pixels or latents."""

    top: int
    left: int
    height: int
    width: int
    weights: Tensor  # float32 [height, width], above 0


def tiles(height: int, width: int, size: int, overlap: int) -> list[Tile]:
    """Cover a canvas by the fewest tiles that share at least `overlap` with their neighbours, row by row.

    All numbers are in the same unit, pixels or latents. All tiles have the sides min(size, height) and
    min(size, width) and lie evenly spread. In the overlaps the weights are raised cosines; over all tiles they sum
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


def _along(total: int, size: int, overlap: int) -> list[tuple[int, Tensor]]:
    """Start and float64 weights of each tile along one side."""
    number, size = partition.count(total, size, overlap), min(size, total)
    starts = [round(i * (total - size) / max(number - 1, 1)) for i in range(number)]
    return list(zip(starts, partition.weights(starts, size, total), strict=True))
