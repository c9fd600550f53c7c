"""diffusers' names of an autoencoder's tensors, turned into LDM's (`first_stage_model.` without that prefix)."""

from __future__ import annotations

import re

from torch import Tensor

_NAMES = (
    (r"^(encoder|decoder)\.mid_block\.resnets\.(\d)\.", lambda m: f"{m[1]}.mid.block_{int(m[2]) + 1}."),
    (r"^(encoder|decoder)\.mid_block\.attentions\.0\.", lambda m: f"{m[1]}.mid.attn_1."),
    (r"^encoder\.down_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f"encoder.down.{m[1]}.block.{m[2]}."),
    (r"^encoder\.down_blocks\.(\d)\.downsamplers\.0\.", lambda m: f"encoder.down.{m[1]}.downsample."),
    (r"^decoder\.up_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f"decoder.up.{3 - int(m[1])}.block.{m[2]}."),
    (r"^decoder\.up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f"decoder.up.{3 - int(m[1])}.upsample."),
    (r"\.conv_shortcut\.", lambda m: ".nin_shortcut."),
    (r"\.conv_norm_out\.", lambda m: ".norm_out."),
    (r"\.group_norm\.", lambda m: ".norm."),
    (r"\.to_([qkv])\.", lambda m: f".{m[1]}."),
    (r"\.to_out\.0\.", lambda m: ".proj_out."),
)


def to_ldm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """LDM's names and shapes; its attention has 1x1 convolutions where diffusers has linear layers."""
    renamed = {}
    for name, tensor in state.items():
        for pattern, replacement in _NAMES:
            name = re.sub(pattern, replacement, name)
        flat = ".attn_1." in name and name.endswith(".weight") and tensor.ndim == 2
        renamed[name] = tensor[:, :, None, None] if flat else tensor
    return renamed
