"""The network that looks at whole pictures: what, where, doing what, and where subject and face are.

A U-Net over 4x4 patches: every pixel of the 128x128 picture reaches it, and it never computes at more than 32x32.
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
    """What the network says about B pictures; class scores are logits."""

    mask: Tensor  # [B, 128, 128] logit that the subject covers the pixel
    face: Tensor  # [B, 32, 32] logit that the face's middle is in the cell
    sides: Tensor  # [B, 4, 32, 32] from the cell's middle to the face's left, top, right and low side, in pixels
    kinds: Tensor  # [B, kinds]
    scenes: Tensor  # [B, scenes]
    poses: Tensor  # [B, actions] the action as one picture tells it
    summary: Tensor  # [B, SUMMARY] what `actions` reads


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3, batch norm, ReLU."""
    weights = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(weights, nn.BatchNorm2d(outputs), nn.ReLU())


class Residual(nn.Module):
    """Adds a convolution's result to its input."""

    def __init__(self, width: int) -> None:
        """`width` channels in and out."""
        super().__init__()
        self.change = convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, width, h, w] to the same."""
        return x + self.change(x)


class PictureJudge(nn.Module):
    """Pictures [B, 3, 128, 128] in [0, 1] to `Findings`; their summaries to actions."""

    def __init__(self, kinds: int, scenes: int, actions: int, widths: tuple[int, int, int] = (32, 64, 112)) -> None:
        """The numbers of classes; `widths` are the channels at 32x32, 16x16 and 8x8."""
        super().__init__()
        fine, middle, coarse = widths
        self.fine = nn.Sequential(convolution(3 * PATCH**2, fine), Residual(fine))
        self.middle = nn.Sequential(convolution(fine, middle, 2), Residual(middle), Residual(middle))
        self.coarse = nn.Sequential(convolution(middle, coarse, 2), Residual(coarse), Residual(coarse))
        self.to_middle = nn.Conv2d(coarse, middle, 1)
        self.middle_again = Residual(middle)
        self.to_fine = nn.Conv2d(middle, fine, 1)
        self.fine_again = nn.Sequential(Residual(fine), convolution(fine, fine))
        self.maps = nn.Conv2d(fine, PATCH**2 + 5, 1)
        assert self.maps.bias is not None
        nn.init.constant_(self.maps.bias[PATCH**2 : PATCH**2 + 1], -4.0)  # nearly all cells are no face's middle
        seen = 2 * coarse + middle + 4
        self.kinds, self.scenes, self.poses = nn.Linear(seen, kinds), nn.Linear(seen, scenes), nn.Linear(seen, actions)
        self.brief = nn.Sequential(nn.Linear(seen, 64), nn.ReLU())
        self.movement = nn.Sequential(nn.Conv1d(64, 96, 5, padding=2), nn.ReLU(), nn.Conv1d(96, 96, 3), nn.ReLU())
        self.actions_of = nn.Linear(2 * 96, actions)

    def forward(self, pictures: Tensor) -> Findings:
        """Look at each picture by itself."""
        fine = self.fine(F.pixel_unshuffle(2 * pictures - 1, PATCH))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = self.middle_again(middle + _twice(self.to_middle(coarse)))
        maps = self.maps(self.fine_again(fine + _twice(self.to_fine(middle)))).float()
        mask = F.pixel_shuffle(maps[:, : PATCH**2], PATCH)[:, 0]
        share = F.avg_pool2d(mask.detach().sigmoid()[:, None], 8)
        means = [coarse.mean(dim=(2, 3)), coarse.amax(dim=(2, 3)), _mean_inside(middle, share), _place(share)]
        seen = torch.cat([mean.float() for mean in means], dim=1)
        sides = SIDE / 8 * F.softplus(maps[:, -4:])
        scores = self.kinds(seen).float(), self.scenes(seen).float(), self.poses(seen).float()
        return Findings(mask, maps[:, PATCH**2], sides, *scores, self.brief(seen).float())

    def actions(self, summaries: Tensor) -> Tensor:
        """Logits [N, actions] of N clips from their pictures' summaries [N, F, SUMMARY]; F is at least 3."""
        moves = self.movement(summaries.transpose(1, 2))
        return self.actions_of(torch.cat([moves.mean(dim=2), moves.amax(dim=2)], dim=1)).float()


def boxes_of(sides: Tensor) -> Tensor:
    """The boxes [B, 4, 32, 32] (x0, y0, x1, y1 in pixels) whose distances from their cells' middles are `sides`."""
    middles = (torch.arange(CELLS, device=sides.device).float() + 0.5) * PATCH
    x, y = middles[None, None], middles[None, :, None]
    left, top, right, low = sides.unbind(dim=1)
    return torch.stack([x - left, y - top, x + right, y + low], dim=1)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _mean_inside(features: Tensor, share: Tensor) -> Tensor:
    """The mean [B, C] of features [B, C, h, w], weighted with share [B, 1, h, w]."""
    return (features * share).sum(dim=(2, 3)) / (share.sum(dim=(2, 3)) + 1e-2)


def _place(share: Tensor) -> Tensor:
    """Where the mask is: the means and spreads [B, 4] of x and y, with the picture from -1 to 1."""
    _, _, height, width = share.shape
    y = torch.linspace(-1, 1, height, device=share.device)[:, None].expand(height, width)
    x = torch.linspace(-1, 1, width, device=share.device)[None].expand(height, width)
    places = torch.stack([x, y])[None]
    mean = _mean_inside(places, share)
    spread = _mean_inside((places - mean[:, :, None, None]) ** 2, share).clamp_min(1e-6).sqrt()
    return torch.cat([mean, spread], dim=1)
