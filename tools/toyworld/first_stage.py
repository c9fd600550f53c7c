"""The autoencoder's tensors in LDM's names (`first_stage_model.` without that prefix), and back."""

from __future__ import annotations

import re
from pathlib import Path

from diffusers import AutoencoderKL
from safetensors import safe_open
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
GROUPS, LATENTS = 32, 4


def autoencoder(channels: list[int], layers: int = 1) -> AutoencoderKL:
    """Make an autoencoder whose four levels have these widths; the picture is halved three times."""
    if len(channels) != 4 or any(width % GROUPS for width in channels):
        raise ValueError(f"channels are {channels}, expected four multiples of {GROUPS} (LDM's group norm)")
    model = AutoencoderKL(
        block_out_channels=tuple(channels), layers_per_block=layers, latent_channels=LATENTS, norm_num_groups=GROUPS,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, sample_size=128,
    )  # fmt: skip
    for part in (model.encoder, model.decoder):
        # It returns a transposed tensor, which every layer behind it would keep; group norm is ten times slower on it.
        part.mid_block.attentions[0].register_forward_hook(lambda module, inputs, output: output.contiguous())
    return model


def to_ldm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """LDM's names and shapes; its attention has 1x1 convolutions where diffusers has linear layers."""
    renamed = {}
    for name, tensor in state.items():
        ldm = ldm_name(name)
        flat = ".attn_1." in ldm and ldm.endswith(".weight") and tensor.ndim == 2
        renamed[ldm] = tensor[:, :, None, None] if flat else tensor
    return renamed


def ldm_name(name: str) -> str:
    """LDM's name of a tensor that diffusers calls `name`."""
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def load(path: Path) -> tuple[AutoencoderKL, float]:
    """Load a trained autoencoder from its file, without gradient, and its scale factor."""
    with safe_open(str(path), "pt") as file:  # type: ignore[attr-defined]
        tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a dict)
        scale = float(file.metadata()["scale_factor"])
    widths = [len(tensors[f"decoder.up.{level}.block.0.conv1.bias"]) for level in range(4)]
    layers = sum(name.startswith("decoder.up.0.block.") and name.endswith(".conv1.bias") for name in tensors) - 1
    model = autoencoder(widths, layers)
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    model.load_state_dict({name: tensors[ldm_name(name)].reshape(shape) for name, shape in shapes.items()})
    return model.requires_grad_(False).eval(), scale
