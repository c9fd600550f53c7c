"""The network that looks at whole pictures: the scene, the light, and where the subject and its face are.

A U-Net over 4x4 patches: every pixel of the 128x128 picture reaches it, and all but the mask's edges is computed at
32x32 or less.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 128  # pixels of the pictures' sides
PATCH = 4
CELLS = SIDE // PATCH


class Findings(NamedTuple):
    """What the network says about B pictures."""

    mask: Tensor  # [B, 128, 128] logit that the subject covers the pixel
    face: Tensor  # [B, 32, 32] logit that the face's middle is in the cell
    sides: Tensor  # [B, 4, 32, 32] from the cell's middle to the face's left, top, right and low side, in pixels
    scenes: Tensor  # [B, scenes] logits
    lights: Tensor  # [B, 3] what the light multiplies the subject's red, green and blue by; 1 in white light


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Make a layer of 3x3 convolution, batch norm and ReLU."""
    weights = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(weights, nn.BatchNorm2d(outputs), nn.ReLU())


class Residual(nn.Module):
    """Adds a convolution's result to its input."""

    def __init__(self, width: int) -> None:
        """`width` channels in and out."""
        super().__init__()
        self.change = convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, width, h, w] to the same shape."""
        return x + self.change(x)


class PictureJudge(nn.Module):
    """Pictures [B, 3, 128, 128] in [0, 1] to `Findings`."""

    def __init__(self, scenes: int, widths: tuple[int, int, int] = (32, 64, 96)) -> None:
        """scenes: how many there are; widths: channels at 32x32, 16x16 and 8x8."""
        super().__init__()
        fine, middle, coarse = widths
        self.fine = nn.Sequential(convolution(3 * PATCH**2, fine), Residual(fine))
        self.middle = nn.Sequential(convolution(fine, middle, 2), Residual(middle), Residual(middle))
        self.coarse = nn.Sequential(convolution(middle, coarse, 2), Residual(coarse), Residual(coarse))
        self.to_middle = nn.Conv2d(coarse, middle, 1)
        self.middle_again = Residual(middle)
        self.to_fine = nn.Conv2d(middle, fine, 1)
        self.fine_again = nn.Sequential(Residual(fine), convolution(fine, fine))
        self.to_edges = nn.Conv2d(fine, 8 * 4, 1)
        self.edges = nn.Sequential(convolution(8 + 3 * 4, 16), nn.Conv2d(16, 4, 3, padding=1))
        self.heat, self.sides = nn.Conv2d(fine, 1, 1), nn.Conv2d(fine, 4, 1)
        assert self.heat.bias is not None
        nn.init.constant_(self.heat.bias, -4.0)  # nearly all cells are no face's middle
        self.even = nn.BatchNorm1d(2 * coarse)
        self.scenes = nn.Linear(2 * coarse, scenes)
        self.lights = nn.Sequential(nn.Linear(2 * coarse, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, pictures: Tensor) -> Findings:
        """Look at each picture by itself."""
        pictures = 2 * pictures - 1
        fine = self.fine(F.pixel_unshuffle(pictures, PATCH))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = self.middle_again(middle + _twice(self.to_middle(coarse)))
        fine = self.fine_again(fine + _twice(self.to_fine(middle)))
        # The pictures' own edges, which the features are too coarse for, sharpen the mask.
        near = torch.cat([F.pixel_shuffle(self.to_edges(fine), 2).float(), F.pixel_unshuffle(pictures, 2)], dim=1)
        mask = F.pixel_shuffle(self.edges(near).float(), 2)[:, 0]
        sides = SIDE / 8 * F.softplus(self.sides(fine).float())
        seen = self.even(torch.cat([coarse.mean(dim=(2, 3)), coarse.amax(dim=(2, 3))], dim=1).float())
        lights = 1 + self.lights(seen).float()
        return Findings(mask, self.heat(fine).float()[:, 0], sides, self.scenes(seen).float(), lights)


def face_boxes(sides: Tensor) -> Tensor:
    """Return boxes [B, 4, 32, 32] (x0, y0, x1, y1, pixels); sides: their distances from the cells' middles."""
    middles = (torch.arange(CELLS, device=sides.device).float() + 0.5) * PATCH
    x, y = middles[None, None], middles[None, :, None]
    left, top, right, low = sides.unbind(dim=1)
    return torch.stack([x - left, y - top, x + right, y + low], dim=1)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
