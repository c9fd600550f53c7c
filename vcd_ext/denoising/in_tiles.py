"""Run a network on a picture or on latents tile by tile, so that its memory does not grow with the canvas."""

from collections.abc import Callable

import torch
from torch import Tensor

from vcd_ext.denoising.out_of_memory import first_that_fits
from vcd_ext.denoising.partition import tiles

Compute = Callable[[Tensor], Tensor]  # [C, h, w] to [3, scale * h, scale * w]


def in_tiles(compute: Compute, values: Tensor, size: int, overlap: int, scale: int) -> Tensor:
    """Compute `compute(values)` from overlapping tiles, float32 [3, scale * H, scale * W] on the CPU.

    values: [C, H, W]. size, overlap: of the tiles, in places of `values`. Where tiles overlap they fade over.
    """
    _, height, width = values.shape
    total = torch.zeros(3, height * scale, width * scale)
    for tile in tiles(height, width, size, overlap):
        bottom, right = tile.top + tile.height, tile.left + tile.width
        made = compute(values[:, tile.top : bottom, tile.left : right]).float().cpu()
        weights = tile.weights.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
        total[:, tile.top * scale : bottom * scale, tile.left * scale : right * scale] += made * weights
    return total


class Decoder:
    """Decode latents; in tiles, from the frame on for which the memory was too small as a whole."""

    SCALE = 8  # pixels of a latent value's side
    SIZES = (64, 32, 16)  # latents; below that a tile shows too little of the picture for the VAE's normalisation
    SHARE = 4  # a tile shares a quarter of its side with a neighbour

    def __init__(self, decode: Compute):
        """decode: makes the pixels [3, H, W] of latents [4, h, w], in the range and type of the host."""
        self.decode = decode
        self._sizes = [0, *self.SIZES]  # 0: as a whole

    def __call__(self, latents: Tensor) -> Tensor:
        """Return the pixels [3, 8 * h, 8 * w] of latents [4, h, w]."""
        # A tile as large as the canvas would be the whole once more.
        side = max(latents.shape[-2:])
        self._sizes = [size for size in self._sizes if size < side] or [0]
        return first_that_fits(self._sizes, lambda size: self._decoded(latents, size))

    def _decoded(self, latents: Tensor, size: int) -> Tensor:
        if not size:
            return self.decode(latents)
        return in_tiles(self.decode, latents, size, size // self.SHARE, self.SCALE)
