"""A small network that tells drawn windows from reconstructions by patches, for the decoder's last training.

The loss is the hinge loss of Lim and Ye (arXiv 1705.02894) on patches (Isola et al., arXiv 1611.07004).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Critic(nn.Module):
    """Scores of patches: high for drawn ones. Sees 22 pixels around."""

    def __init__(self, width: int = 32) -> None:
        """Make one; `width` is that of its first layer."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.GroupNorm(8, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 2 * width, 4, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 1),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Score pictures [B, 3, H, W] in [-1, 1]: [B, 1, H / 4 - 1, W / 4 - 1]."""
        return torch.as_tensor(self.layers(pictures))


def critic_loss(critic: Critic, drawn: Tensor, again: Tensor) -> Tensor:
    """Return the critic's own loss: the hinge on both kinds, without a gradient to the decoder."""
    return F.relu(1 - critic(drawn).float()).mean() + F.relu(1 + critic(again.detach()).float()).mean()


def deceived(critic: Critic, again: Tensor) -> Tensor:
    """Return the decoder's part: how badly it deceives, without a gradient to the critic."""
    frozen = {name: value.detach() for name, value in critic.named_parameters()}
    return -torch.func.functional_call(critic, frozen, (again,)).float().mean()
