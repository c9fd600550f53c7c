"""AnimateDiff's temporal transformer, as its authors defined it (Guo et al., arXiv 2307.04725, section 4.2).

Names of modules and parameters are those of the original checkpoints, so that a state dict loads strictly.
One point is easily missed: the GroupNorm at the entrance normalises each frame alone, not the whole video
(diffusers 0.31 normalises across frames and differs from the original by up to 78% of the module's effect).
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from vcd_ext.motion import layout
from vcd_ext.motion.products import gated, join, product, summed, together

HEADS = 8
NORM_GROUPS = 32
# Rows that are computed at a time: CUDA's attention kernels take at most 65,535 batch entries, and half of that also
# bounds the feed-forward's memory. On a CPU that many tokens (rows * frames) stay near the caches.
MAX_ROWS = 32768
TOKENS_CPU = 1024


class BlockSize(NamedTuple):
    """What a checkpoint's tensors say about one temporal transformer."""

    channels: int
    depth: int  # transformer blocks, 1 in every published module
    attentions: int  # temporal self-attentions in each, 2 in every published module
    max_frames: int


class PositionalEncoding(nn.Module):
    """Sinusoidal frame positions, pe [1, max_frames, channels]; most checkpoints carry the table as a buffer."""

    pe: Tensor

    def __init__(self, channels: int, max_frames: int):
        super().__init__()
        position = torch.arange(max_frames, dtype=torch.float32)[:, None]
        frequency = torch.exp(torch.arange(0, channels, 2, dtype=torch.float32) * (-math.log(10000.0) / channels))
        pe = torch.stack([torch.sin(position * frequency), torch.cos(position * frequency)], dim=-1)
        self.register_buffer("pe", pe.reshape(1, max_frames, channels))

    def forward(self, tokens: Tensor) -> Tensor:
        """Add the positions to tokens [rows, frames, channels], in place where nothing is learned."""
        positions = self.pe[:, : tokens.shape[1]].to(tokens.dtype)
        return tokens + positions if torch.is_grad_enabled() else tokens.add_(positions)


class TemporalAttention(nn.Module):
    """Self-attention along the frames of one place in the picture; tokens [rows, frames, channels], overwritten."""

    def __init__(self, size: BlockSize):
        super().__init__()
        self.pos_encoder = PositionalEncoding(size.channels, size.max_frames)
        self.to_q = nn.Linear(size.channels, size.channels, bias=False)
        self.to_k = nn.Linear(size.channels, size.channels, bias=False)
        self.to_v = nn.Linear(size.channels, size.channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(size.channels, size.channels))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.pos_encoder(tokens)
        # Heads stay an axis of their own: folded into the rows they would pass the kernels' limit at 512x512.
        q, k, v = (
            rearrange(projected, "rows frames (heads c) -> rows heads frames c", heads=HEADS)
            for projected in together(tokens, (self.to_q, self.to_k, self.to_v))
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        return product(rearrange(mixed, "rows heads frames c -> rows frames (heads c)"), self.to_out[0])


class GEGLU(nn.Module):
    """Gated linear unit with GELU; [..., channels] to [..., inner]."""

    def __init__(self, channels: int, inner: int):
        super().__init__()
        self.proj = nn.Linear(channels, 2 * inner)

    def forward(self, tokens: Tensor) -> Tensor:
        return gated(tokens, self.proj)


class FeedForward(nn.Module):
    """Two layers with a GEGLU between; the dropout at index 1 of the original is the identity here."""

    def __init__(self, channels: int):
        super().__init__()
        self.net = nn.Sequential(GEGLU(channels, 4 * channels), nn.Identity(), nn.Linear(4 * channels, channels))

    def forward(self, tokens: Tensor) -> Tensor:
        return product(self.net[0](tokens), self.net[2])


class TemporalTransformerBlock(nn.Module):
    """Pre-norm attentions, then a feed-forward, each with its residual; tokens [rows, frames, channels]."""

    def __init__(self, size: BlockSize):
        super().__init__()
        self.attention_blocks = nn.ModuleList(TemporalAttention(size) for _ in range(size.attentions))
        self.norms = nn.ModuleList(nn.LayerNorm(size.channels) for _ in range(size.attentions))
        self.ff = FeedForward(size.channels)
        self.ff_norm = nn.LayerNorm(size.channels)

    def forward(self, tokens: Tensor) -> Tensor:
        for attention, norm in zip(self.attention_blocks, self.norms, strict=True):
            tokens = summed(attention(norm(tokens).to(tokens.dtype)), tokens)
        return summed(self.ff(self.ff_norm(tokens).to(tokens.dtype)), tokens)


class TemporalTransformer(nn.Module):
    """What is added behind one block of the UNet: hidden states [videos * frames, C, H, W], same shape out."""

    def __init__(self, size: BlockSize):
        super().__init__()
        self.size = size
        self.norm = nn.GroupNorm(NORM_GROUPS, size.channels, eps=1e-6)
        self.proj_in = nn.Linear(size.channels, size.channels)
        self.transformer_blocks = nn.ModuleList(TemporalTransformerBlock(size) for _ in range(size.depth))
        self.proj_out = nn.Linear(size.channels, size.channels)

    def forward(self, hidden: Tensor, frames: int) -> Tensor:
        normed = self.norm(hidden).to(hidden.dtype)
        if hidden.device.type == "cpu" and not torch.is_grad_enabled():
            return self._by_parts(hidden, normed, frames)
        # One row for each place of each video, its frames side by side.
        tokens = rearrange(normed, "(videos frames) c h w -> (videos h w) frames c", frames=frames)
        moved = [self._along_frames(part) for part in tokens.split(MAX_ROWS)]
        tokens = moved[0] if len(moved) == 1 else torch.cat(moved)
        height, width = hidden.shape[2:]
        change = rearrange(tokens, "(videos h w) frames c -> (videos frames) c h w", h=height, w=width)
        return hidden + change.to(hidden.dtype)

    def _by_parts(self, hidden: Tensor, normed: Tensor, frames: int) -> Tensor:
        """Do the same with a processor's caches in mind, and no gradients."""
        out = torch.empty_like(hidden, memory_format=torch.contiguous_format)
        shape = (-1, frames, hidden.shape[1], hidden[0, 0].numel())
        before, source, to = (pictures.reshape(shape) for pictures in (hidden, normed, out))
        for videos, places in layout.row_parts(len(source), source.shape[3], TOKENS_CPU // frames):
            part = (videos, slice(None), slice(None), places)
            layout.add_rows(to[part], before[part], self._along_frames(layout.rows_of(source[part])))
        return out

    def _along_frames(self, tokens: Tensor) -> Tensor:
        tokens = product(tokens, self.proj_in)
        for block in self.transformer_blocks:
            tokens = block(tokens)
        return product(tokens, self.proj_out)


class MotionModule(nn.Module):
    """All temporal transformers of one motion module file.

    version: "v1", "v2", "v3", "AnimateLCM" or "Lightning".
    max_frames: the longest video its positions allow in one piece.
    blocks: the transformers by the name that AnimateDiff gives their place, e.g. "up_blocks.1.motion_modules.2".
    """

    def __init__(self, version: str, sizes: Mapping[str, BlockSize]):
        super().__init__()
        self.version = version
        self.max_frames = min(size.max_frames for size in sizes.values())
        self.blocks: dict[str, TemporalTransformer] = {}
        for name, size in sizes.items():
            self.blocks[name] = TemporalTransformer(size)
            _place(self, f"{name}.temporal_transformer", self.blocks[name])

    def join(self) -> None:
        """Let queries, keys and values be one product each, unless the module is learning and will be saved."""
        for part in self.modules():
            if isinstance(part, TemporalAttention) and not part.to_q.weight.requires_grad:
                join((part.to_q, part.to_k, part.to_v))

    @property
    def normalises_videos(self) -> bool:
        """Return whether the UNet's own norms go over the frames of a video, as in AnimateDiff v1."""
        return self.version == "v1"

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each level of the UNet it was made for, SD1.5: (320, 640, 1280, 1280)."""
        first = {name: block for name, block in self.blocks.items() if name.startswith("down_")}
        return tuple(b.size.channels for name, b in first.items() if name.endswith("motion_modules.0"))


def _place(root: nn.Module, name: str, module: nn.Module) -> None:
    """Register `module` under a dotted name, with plain containers on the way: the original's key names."""
    *parents, last = name.split(".")
    for part in parents:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root._modules[part] or root
    root.add_module(last, module)
