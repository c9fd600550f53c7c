"""The network that says who a subject is, of which kind, and what it does.

It sees the subject alone, cut out along its mask, brought to one size and to white light: what is behind it can play
no part, what is far away looks as what is near, and a white cat at night as a white cat by day.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vcd_ext.toyworld.picture_judge import PATCH, Residual, convolution

CROP = 96  # pixels of the cut-out's sides
GREY = 0.5  # what lies behind the subject
_MARGIN = 1.12  # the cut-out's side as a multiple of the subject's longer one
_TAIL = 0.004  # this share of the mask may lie outside on each side, so that stray spots do not move the cut-out


class CutOut(NamedTuple):
    """B subjects, and where they were cut out."""

    subjects: Tensor  # [B, 4, 96, 96] colours in [0, 1] on grey, and the mask
    places: Tensor  # [B, 3] x and y of the middle, with the picture from -1 to 1, and half the side


class Impression(NamedTuple):
    """What the network says about B subjects; class scores are logits."""

    identity: Tensor  # [B, d] unit vectors
    kinds: Tensor  # [B, kinds]
    poses: Tensor  # [B, actions] the action as one picture tells it
    summary: Tensor  # [B, 64] what `actions` reads


def cut_out(pictures: Tensor, masks: Tensor, lights: Tensor) -> CutOut:
    """Cut subjects out of pictures [B, 3, h, w] in [0, 1] by masks [B, h, w] in [0, 1], as in white light.

    lights: [B, 3], what the light multiplies their colours by. Where a mask is empty the whole picture is taken.
    """
    covered = (masks > 0.5).float()
    empty = covered.sum(dim=(1, 2), keepdim=True) < 8
    masks, covered = (torch.where(empty, torch.ones_like(some), some) for some in (masks, covered))
    height, width = masks.shape[1:]
    left, right = _extent(covered.sum(dim=1))
    top, low = _extent(covered.sum(dim=2))
    half = 0.5 * _MARGIN * torch.maximum(right - left, low - top)
    matrix = torch.zeros(len(masks), 2, 3, device=masks.device)
    matrix[:, 0, 0], matrix[:, 0, 2] = 2 * half / width, (left + right) / width - 1
    matrix[:, 1, 1], matrix[:, 1, 2] = 2 * half / height, (top + low) / height - 1
    grid = F.affine_grid(matrix, [len(masks), 4, CROP, CROP], align_corners=False)
    white = (pictures / lights.clamp(0.25, 1.5)[:, :, None, None]).clamp_max(1)
    alone = torch.cat([(white - GREY) * masks[:, None], masks[:, None]], dim=1)
    seen = F.grid_sample(alone, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    places = torch.stack([matrix[:, 0, 2], matrix[:, 1, 2], matrix[:, 1, 1]], dim=1)
    return CutOut(torch.cat([seen[:, :3] + GREY, seen[:, 3:]], dim=1), places)


def _extent(profile: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the mass of each profile [B, n] begins and ends, [B] and [B], in pixels."""
    below = profile.cumsum(dim=1) / profile.sum(dim=1, keepdim=True)
    return (below < _TAIL).sum(dim=1).float(), (below < 1 - _TAIL).sum(dim=1).float() + 1


class SubjectJudge(nn.Module):
    """Cut-outs to `Impression`; their summaries to actions."""

    def __init__(
        self, kinds: int, actions: int, dimensions: int = 64, widths: tuple[int, int, int] = (48, 96, 112)
    ) -> None:
        """kinds, actions, dimensions: how many there are of each; widths: channels at 24x24, 12x12 and 6x6."""
        super().__init__()
        fine, middle, coarse = widths
        self.layers = nn.Sequential(
            convolution(4 * PATCH**2, fine), Residual(fine),
            convolution(fine, middle, 2), Residual(middle), Residual(middle),
            convolution(middle, coarse, 2), Residual(coarse), Residual(coarse),
        )  # fmt: skip
        self.layout = nn.Conv2d(coarse, 12, 1)
        seen = 2 * coarse + 12 * (CROP // PATCH // 4) ** 2
        self.even = nn.BatchNorm1d(seen)
        self.identity = nn.Linear(seen, dimensions)
        self.kinds, self.poses = nn.Linear(seen, kinds), nn.Linear(seen, actions)
        self.brief = nn.Sequential(nn.Linear(seen + 3, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU())
        self.movement = nn.Sequential(nn.Conv1d(64, 96, 5, padding=2), nn.ReLU(), nn.Conv1d(96, 96, 3), nn.ReLU())
        self.actions_of = nn.Linear(2 * 96, actions)

    def forward(self, cut: CutOut) -> Impression:
        """Look at each subject by itself."""
        features = self.layers(F.pixel_unshuffle(2 * cut.subjects - 1, PATCH))
        parts = [features.mean(dim=(2, 3)), features.amax(dim=(2, 3)), self.layout(features).flatten(1)]
        seen = self.even(torch.cat([part.float() for part in parts], dim=1))
        identity = F.normalize(self.identity(seen).float(), dim=1)
        summary = self.brief(torch.cat([seen, 4 * cut.places], dim=1))
        return Impression(identity, self.kinds(seen).float(), self.poses(seen).float(), summary.float())

    def actions(self, summaries: Tensor) -> Tensor:
        """Return the logits [N, actions] of N clips from pictures' summaries [N, F, 64]; F is at least 3."""
        moves = self.movement(summaries.transpose(1, 2))
        return self.actions_of(torch.cat([moves.mean(dim=2), moves.amax(dim=2)], dim=1)).float()
