"""The denoiser of the drawn world, a UNet with SD1.5's layers and a small CLIP text encoder, and LDM's names of it."""

from __future__ import annotations

import re
from math import log
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel
from typing_extensions import Self

STEPS, HEADS = 1000, 4  # SD1.5 has 8 heads; here each would have 8 values, and attention be twice as slow
BETAS = (0.00085, 0.012)
NOISY = (1.5, 14.0)  # sigma of the half of a training's pictures that get much noise

_NAMES = (
    (r"^time_embedding\.linear_(\d)\.", lambda m: f"time_embed.{2 * int(m[1]) - 2}."),
    (r"^conv_in\.", lambda m: "input_blocks.0.0."),
    (r"^conv_norm_out\.", lambda m: "out.0."),
    (r"^conv_out\.", lambda m: "out.2."),
    (r"^down_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f"input_blocks.{3 * int(m[1]) + int(m[2]) + 1}.0."),
    (r"^down_blocks\.(\d)\.attentions\.(\d)\.", lambda m: f"input_blocks.{3 * int(m[1]) + int(m[2]) + 1}.1."),
    (r"^down_blocks\.(\d)\.downsamplers\.0\.conv\.", lambda m: f"input_blocks.{3 * int(m[1]) + 3}.0.op."),
    (r"^mid_block\.resnets\.(\d)\.", lambda m: f"middle_block.{2 * int(m[1])}."),
    (r"^mid_block\.attentions\.0\.", lambda m: "middle_block.1."),
    (r"^up_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f"output_blocks.{3 * int(m[1]) + int(m[2])}.0."),
    (r"^up_blocks\.(\d)\.attentions\.(\d)\.", lambda m: f"output_blocks.{3 * int(m[1]) + int(m[2])}.1."),
    (r"^up_blocks\.0\.upsamplers\.0\.", lambda m: "output_blocks.2.1."),  # the deepest level has no attention
    (r"^up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"output_blocks.{3 * int(m[1]) + 2}.2."),
    (r"\.norm1\.(?=weight|bias)", lambda m: ".in_layers.0."),
    (r"\.conv1\.", lambda m: ".in_layers.2."),
    (r"\.time_emb_proj\.", lambda m: ".emb_layers.1."),
    (r"\.norm2\.(?=weight|bias)", lambda m: ".out_layers.0."),
    (r"\.conv2\.", lambda m: ".out_layers.3."),
    (r"\.conv_shortcut\.", lambda m: ".skip_connection."),
)


class Denoiser(nn.Module):
    """UNet and text encoder, trained together."""

    def __init__(self, unet: UNet2DConditionModel, text: CLIPTextModel) -> None:
        """Both, made by `make`."""
        super().__init__()
        self.unet, self.text = unet, text

    @classmethod
    def make(cls, channels: list[int], clip: Path) -> Self:
        """Make new random networks; `clip` is the folder with the text encoder's config."""
        config = CLIPTextConfig.from_pretrained(clip)
        unet = UNet2DConditionModel(
            sample_size=16, block_out_channels=tuple(channels), cross_attention_dim=config.hidden_size,
            attention_head_dim=HEADS, norm_num_groups=32,
        )  # fmt: skip
        # torch's fused attention is slower on a CPU with so few values a head, above all backward.
        unet.set_attn_processor(AttnProcessor())
        return cls(unet, CLIPTextModel(config))

    def forward(self, latents: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predict the noise [B, 4, 16, 16] in noisy latents at `times` [B] for `tokens` [B, 77]."""
        return self.unet(latents, times, self.text(tokens).last_hidden_state).sample


def scaled_linear() -> Tensor:
    """SD1.5's schedule: the products of alphas [1000], float64."""
    low, high = BETAS
    return (1 - torch.linspace(low**0.5, high**0.5, STEPS, dtype=torch.float64) ** 2).cumprod(0)


def linear() -> Tensor:
    """AnimateDiff's schedule: the products of alphas [1000], float64."""
    return (1 - torch.linspace(*BETAS, STEPS, dtype=torch.float64)).cumprod(0)


def drawn_times(rng: np.random.Generator, schedules: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw a time [B] for each schedule [B, 1000]: half of them even, half with sigma log-even in NOISY.

    Layout, class, action and looks are decided where there is much noise, which even times seldom give.
    """
    even = rng.integers(STEPS, size=len(schedules))
    wanted = np.exp(rng.uniform(log(NOISY[0]), log(NOISY[1]), size=len(schedules)))
    sigmas = np.sqrt((1 - schedules) / schedules)
    noisy = np.array([np.searchsorted(row, sigma) for row, sigma in zip(sigmas, wanted, strict=True)])
    return np.where(rng.random(len(schedules)) < 0.5, even, noisy.clip(0, STEPS - 1))


def noised(latents: Tensor, noise: Tensor, times: Tensor, alphas: Tensor) -> Tensor:
    """Latents at `times` of the schedule; times [B], latents [B, ...]."""
    bar = alphas[times].float().view(-1, *[1] * (latents.ndim - 1))
    return bar.sqrt() * latents + (1 - bar).sqrt() * noise


def unet_name(name: str) -> str:
    """LDM's name of a UNet tensor that diffusers calls `name`."""
    inside_attention = ".transformer_blocks." in name  # where norm1 and norm2 are other things
    for pattern, replacement in _NAMES:
        if not (inside_attention and pattern.startswith(r"\.norm")):
            name = re.sub(pattern, replacement, name)
    return name
