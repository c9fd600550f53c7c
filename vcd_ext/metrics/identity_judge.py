"""The network that tells individuals apart. It sees the subject alone, cut out and brought to one size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vcd_ext.metrics.picture_judge import PATCH, Residual, convolution

CROP = 96  # pixels of the cut-out's sides
GREY = 0.5  # what lies behind the subject
_MARGIN = 1.12  # the cut-out's side as a multiple of the subject's longer one
_TAIL = 0.004  # this share of the mask may lie outside on each side, so that stray spots do not move the cut-out


def cut_out(pictures: Tensor, masks: Tensor) -> Tensor:
    """The subjects [B, 4, 96, 96] of pictures [B, 3, h, w] in [0, 1]: colours on grey, and the mask.

    masks: [B, h, w] in [0, 1]. Where a mask is empty the whole picture is taken for the subject.
    """
    masks = torch.where(masks.sum(dim=(1, 2), keepdim=True) < 8, torch.ones_like(masks), masks)
    height, width = masks.shape[1:]
    left, right = _extent(masks.sum(dim=1))
    top, low = _extent(masks.sum(dim=2))
    half = 0.5 * _MARGIN * torch.maximum(right - left, low - top)
    matrix = torch.zeros(len(masks), 2, 3, device=masks.device)
    matrix[:, 0, 0], matrix[:, 0, 2] = 2 * half / width, (left + right) / width - 1
    matrix[:, 1, 1], matrix[:, 1, 2] = 2 * half / height, (top + low) / height - 1
    grid = F.affine_grid(matrix, [len(masks), 4, CROP, CROP], align_corners=False)
    alone = torch.cat([(pictures - GREY) * masks[:, None], masks[:, None]], dim=1)
    seen = F.grid_sample(alone, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return torch.cat([seen[:, :3] + GREY, seen[:, 3:]], dim=1)


def _extent(profile: Tensor) -> tuple[Tensor, Tensor]:
    """Where the mass of each profile [B, n] begins and ends, [B] and [B], in pixels."""
    below = profile.cumsum(dim=1) / profile.sum(dim=1, keepdim=True)
    return (below < _TAIL).sum(dim=1).float(), (below < 1 - _TAIL).sum(dim=1).float() + 1


class IdentityJudge(nn.Module):
    """Cut-outs [B, 4, 96, 96] to unit vectors [B, DIMENSIONS]: near for one individual, far for two."""

    def __init__(self, dimensions: int = 64, widths: tuple[int, int, int] = (48, 96, 112)) -> None:
        """`widths` are the channels at 24x24, 12x12 and 6x6."""
        super().__init__()
        fine, middle, coarse = widths
        self.layers = nn.Sequential(
            convolution(4 * PATCH**2, fine), Residual(fine),
            convolution(fine, middle, 2), Residual(middle), Residual(middle),
            convolution(middle, coarse, 2), Residual(coarse), Residual(coarse),
        )  # fmt: skip
        self.vector = nn.Linear(2 * coarse, dimensions)

    def forward(self, subjects: Tensor) -> Tensor:
        """Whom the pictures show."""
        seen = self.layers(F.pixel_unshuffle(2 * subjects - 1, PATCH))
        vectors = self.vector(torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], dim=1).float())
        return F.normalize(vectors.float(), dim=1)
