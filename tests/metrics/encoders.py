"""Small encoders with random weights, in the exact layout of CLIP's and DINO's files: same names, fewer values."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

WIDTH, EMBEDDED, LAYERS = 128, 32, 2  # of a token (two heads of 64), of what comes out; blocks
WORDS, LONGEST = 49408, 77  # of CLIP's vocabulary; tokens


def clip_tensors(patch: int, seed: int = 0) -> dict[str, Tensor]:
    """Return OpenAI's names with random values that float16 holds, as OpenAI's do."""
    make = _Maker(seed)
    tensors = {
        "positional_embedding": make(LONGEST, WIDTH), "text_projection": make(WIDTH, EMBEDDED),
        "logit_scale": make(), "token_embedding.weight": make(WORDS, WIDTH),
        "visual.class_embedding": make(WIDTH), "visual.positional_embedding": make((224 // patch) ** 2 + 1, WIDTH),
        "visual.proj": make(WIDTH, EMBEDDED), "visual.conv1.weight": make(WIDTH, 3, patch, patch),
    }  # fmt: skip
    for part in ("", "visual."):
        for k in range(LAYERS):
            block = f"{part}transformer.resblocks.{k}."
            shapes = {"attn.in_proj_": (3 * WIDTH, WIDTH), "attn.out_proj.": (WIDTH, WIDTH),
                      "mlp.c_fc.": (4 * WIDTH, WIDTH), "mlp.c_proj.": (WIDTH, 4 * WIDTH)}  # fmt: skip
            for name, shape in shapes.items():
                tensors |= {f"{block}{name}weight": make(*shape), f"{block}{name}bias": make(shape[0])}
            tensors |= make.norm(f"{block}ln_1") | make.norm(f"{block}ln_2")
    return tensors | make.norm("ln_final") | make.norm("visual.ln_pre") | make.norm("visual.ln_post")


def dino_tensors(seed: int = 0) -> dict[str, Tensor]:
    """Return the names of the authors' ViT-S/16 with random values."""
    make = _Maker(seed)
    tensors = {
        "cls_token": make(1, 1, WIDTH), "pos_embed": make(1, 14 * 14 + 1, WIDTH),
        "patch_embed.proj.weight": make(WIDTH, 3, 16, 16), "patch_embed.proj.bias": make(WIDTH),
    }  # fmt: skip
    for k in range(LAYERS):
        shapes = {"attn.qkv": (3 * WIDTH, WIDTH), "attn.proj": (WIDTH, WIDTH), "mlp.fc1": (4 * WIDTH, WIDTH),
                  "mlp.fc2": (WIDTH, 4 * WIDTH)}  # fmt: skip
        for name, shape in shapes.items():
            tensors |= {f"blocks.{k}.{name}.weight": make(*shape), f"blocks.{k}.{name}.bias": make(shape[0])}
        tensors |= make.norm(f"blocks.{k}.norm1") | make.norm(f"blocks.{k}.norm2")
    return tensors | make.norm("norm")


def write_encoders(folder: Path) -> Path:
    """Write all three encoders under the names by which they are found, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(clip_tensors(32), folder / "ViT-B-32.safetensors")
    save_file(clip_tensors(14, seed=1), folder / "ViT-L-14.safetensors")
    torch.save(dino_tensors(), folder / "dino_deitsmall16_pretrain.pth")
    return folder


class _Maker:
    def __init__(self, seed: int):
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, *shape: int) -> Tensor:
        return (torch.randn(shape, generator=self.generator) * 0.1).half().float()

    def norm(self, name: str) -> dict[str, Tensor]:
        return {f"{name}.weight": 1 + self(WIDTH), f"{name}.bias": self(WIDTH)}
