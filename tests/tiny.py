"""Small random model files with the exact layouts of the real ones: checkpoint, motion module, embedding.

    python -m tests.tiny FOLDER            # 70 MB, a few seconds
    python -m tests.tiny FOLDER --full     # SD1.5's true sizes in half precision, 3 GB, for benchmarks

Values depend on the seed and the tensor's name alone, so the same call gives the same bytes.
"""

import argparse
import math
import zlib
from pathlib import Path

import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig

from tests import layouts
from tests.layouts import Sizes
from vcd_ext.hosts.diffusers.tokenizer import tokenizer

TOKEN_SPREAD = 0.02  # about that of CLIP's own token embeddings

SCALES = {
    # The text encoder's residual stream starts small; the layers that write to it must not drown the tokens.
    "token_embedding": TOKEN_SPREAD,
    "position_embedding": TOKEN_SPREAD / 2,
    "self_attn.out_proj": TOKEN_SPREAD,
    "mlp.fc2": TOKEN_SPREAD,
    "attn2.to_out": 3.0,  # an average over 77 tokens is small, and the prompt should show
    "diffusion_model.out.2": 1.6,  # a noise prediction of spread 1
    "decoder.conv_out": 0.7,  # pictures within [-1, 1]
}

FULL = Sizes(unet=320, unet_heads=8, vae=128, vae_levels=layouts.LEVELS, text=768, layers=12, heads=12)


def checkpoint(
    folder: Path, name: str = "tiny", width: int = 32, seed: int = 0, dtype: torch.dtype = torch.float32
) -> Path:
    """Write an SD1.5 checkpoint whose UNet is `width` wide, a multiple of 32; its path.

    Beside it: `<name>.yaml`, the WebUI's config for these sizes, and the folder `clip` that the config names.
    """
    return _write_checkpoint(Path(folder), name, Sizes(unet=width), seed, dtype)


def full_size_checkpoint(folder: Path) -> Path:
    """Make a checkpoint of SD1.5's true sizes, float16, 2.1 GB: for benchmarks."""
    return _write_checkpoint(Path(folder), "full", FULL, 0, torch.float16)


def full_size_motion_module(folder: Path, version: str = "v2") -> Path:
    """Make a motion module for `full_size_checkpoint`, float16, 0.9 GB."""
    return motion_module(folder, version, FULL.unet, dtype=torch.float16)


def clip_folder(folder: Path, width: int = 64, layers: int = 3, heads: int = 4) -> Path:
    """Write config and tokenizer of a CLIP text encoder, without weights, as `from_pretrained` reads them."""
    config = CLIPTextConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        bos_token_id=49406,
        eos_token_id=49407,
    )
    config.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return Path(folder)


def motion_module(
    folder: Path,
    version: str = "v2",
    width: int = 32,
    seed: int = 0,
    suffix: str = ".safetensors",
    dtype: torch.dtype = torch.float32,
    diffusers: bool = False,
) -> Path:
    """Write an AnimateDiff motion module ("v1", "v2", "v3", "AnimateLCM") in its original key names; its path.

    diffusers: in the names of its `MotionAdapter` instead.
    """
    tensors = _random(layouts.motion(version, width), seed, dtype)
    for key in [key for key in tensors if key.endswith("pos_encoder.pe")]:
        tensors[key] = _sinusoids(*tensors[key].shape[1:]).to(dtype)
    if diffusers:
        tensors = {name: tensor for key, tensor in tensors.items() if (name := layouts.in_diffusers(key))}
    return _saved(tensors, Path(folder, f"mm_{version}{suffix}"))


def motion_lora(
    folder: Path,
    name: str = "v2_lora_PanLeft",
    version: str = "v2",
    width: int = 32,
    *,
    names: str = "AnimateDiff",
    suffix: str = ".safetensors",
    seed: int = 0,
) -> Path:
    """Write a motion LoRA of rank 2; its path. names: "AnimateDiff", "diffusers", "peft" or "kohya", with alpha 1."""
    shapes = layouts.motion_lora(version, width, names=names)
    order = layouts.motion_lora(version, width)  # the same tensors in all names
    values = [_random({key: shape}, seed, torch.float32)[key] for key, shape in order.items()]
    plain = [key for key in shapes if not key.endswith("alpha")]
    tensors = dict(zip(plain, values, strict=True))
    tensors |= {key: torch.tensor(1.0) for key in shapes if key.endswith("alpha")}
    return _saved(tensors, Path(folder, f"{name}{suffix}"))


def domain_adapter(folder: Path, name: str = "v3_sd15_adapter", width: int = 32, seed: int = 0) -> Path:
    """Write a LoRA for the UNet's attentions as AnimateDiff's authors name its tensors; its path."""
    shapes: layouts.Shapes = {}
    for place, factor in (
        ("down_blocks.1.attentions.0", 2),
        ("mid_block.attentions.0", 4),
        ("up_blocks.3.attentions.2", 1),
    ):
        for projection in ("to_q", "to_out"):
            key = f"module.{place}.transformer_blocks.0.attn1.processor.{projection}_lora"
            shapes |= {f"{key}.down.weight": (2, factor * width), f"{key}.up.weight": (factor * width, 2)}
    path = _ready(Path(folder, f"{name}.ckpt"))
    torch.save({"state_dict": _random(shapes, seed, torch.float32), "epoch": 1}, path)
    return path


def controlnet(
    folder: Path,
    name: str = "control_sd15_tile",
    width: int = 32,
    *,
    text: int = 64,
    hint: int = 3,
    silent: bool = False,
    suffix: str = ".safetensors",
    seed: int = 0,
) -> Path:
    """Write a ControlNet for `checkpoint` in LDM's key names; its path. silent: as it is before its training."""
    tensors = _random(layouts.controlnet(width, text, hint), seed, torch.float32)
    if silent:
        tensors |= {key: torch.zeros_like(value) for key, value in tensors.items() if key.startswith(layouts.ZERO)}
    return _saved(tensors, Path(folder, f"{name}{suffix}"))


def t2i_adapter(folder: Path, name: str = "t2iadapter_sd15_tiny", width: int = 32, seed: int = 0) -> Path:
    """Write a T2I-Adapter for `checkpoint` in its original key names; its path."""
    return _saved(_random(layouts.t2i_adapter(width), seed, torch.float32), Path(folder, f"{name}.safetensors"))


def embedding(
    folder: Path, name: str, width: int = 64, vectors: int = 4, suffix: str = ".safetensors", seed: int = 0
) -> Path:
    """Write a textual-inversion embedding of `vectors` x `width`; its path. ".pt" has the WebUI's own layout."""
    tensor = TOKEN_SPREAD * _normal((vectors, width), f"{seed}/{name}")
    path = _ready(Path(folder, f"{name}{suffix}"))
    if suffix == ".safetensors":
        save_file({name: tensor}, path)
    else:
        torch.save({"string_to_param": {"*": tensor}, "name": name, "step": 0}, path)
    return path


def _write_checkpoint(folder: Path, name: str, sizes: Sizes, seed: int, dtype: torch.dtype) -> Path:
    path = _ready(folder / f"{name}.safetensors")
    clip = clip_folder(folder / "clip", sizes.text, sizes.layers, sizes.heads).resolve()
    OmegaConf.save(layouts.config(sizes, clip), path.with_suffix(".yaml"))
    text = "cond_stage_model.transformer.text_model"
    shapes = (
        layouts.prefixed("model.diffusion_model", layouts.unet(sizes.unet, sizes.text))
        | layouts.prefixed("first_stage_model", layouts.vae(sizes.vae, sizes.vae_levels))
        | layouts.prefixed(text, layouts.text_model(sizes.text, sizes.layers))
    )
    tensors = _random(shapes, seed, dtype)
    _calm_posterior(tensors)
    tensors[f"{text}.embeddings.position_ids"] = torch.arange(layouts.POSITIONS)[None]
    save_file(tensors | _schedule(), path, metadata={"format": "pt"})
    return path


def _saved(tensors: dict[str, Tensor], path: Path) -> Path:
    _ready(path)
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path)
    return path


def _ready(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _normal(shape: tuple[int, ...], name: str) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))


def _random(shapes: layouts.Shapes, seed: int, dtype: torch.dtype) -> dict[str, Tensor]:
    return {key: _value(key, shape, seed).to(dtype) for key, shape in shapes.items()}


def _value(key: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Weights of spread 1/sqrt(inputs) keep activations near 1; norms and biases are uneven and off zero."""
    normal = _normal(shape, f"{seed}/{key}")
    scale = next((scale for part, scale in SCALES.items() if part in key), 1.0)
    if len(shape) == 1:
        return 0.1 * normal + 1 if key.endswith("weight") else scale * (0.1 * normal + 0.05)
    inputs = 1 if key.endswith("embedding.weight") else math.prod(shape[1:])
    return normal * scale / math.sqrt(inputs)


def _calm_posterior(tensors: dict[str, Tensor]) -> None:
    """Give the VAE's encoder what a trained one has: means of some size, and next to no spread around them."""
    weight, bias = (tensors[f"first_stage_model.quant_conv.{name}"] for name in ("weight", "bias"))
    weight[:4] *= 8
    weight[4:], bias[4:] = 0, -8


def _sinusoids(frames: int, channels: int) -> Tensor:
    """AnimateDiff's frame positions, [1, frames, channels]: sines and cosines by turns."""
    frequency = torch.exp(torch.arange(0, channels, 2) * (-math.log(10000.0) / channels))
    angle = torch.arange(frames)[:, None] * frequency
    return torch.stack((angle.sin(), angle.cos()), dim=-1).reshape(1, frames, channels)


def _schedule() -> dict[str, Tensor]:
    """Return the buffers of LDM's DDPM class for the schedule that it calls linear (linear in the root of beta)."""
    low, high = layouts.BETAS
    betas = torch.linspace(low**0.5, high**0.5, 1000, dtype=torch.float64) ** 2
    bar = (1 - betas).cumprod(0)
    before = torch.cat((torch.ones(1, dtype=torch.float64), bar[:-1]))
    variance = betas * (1 - before) / (1 - bar)
    buffers = {
        "betas": betas,
        "alphas_cumprod": bar,
        "alphas_cumprod_prev": before,
        "sqrt_alphas_cumprod": bar.sqrt(),
        "sqrt_one_minus_alphas_cumprod": (1 - bar).sqrt(),
        "log_one_minus_alphas_cumprod": (1 - bar).log(),
        "sqrt_recip_alphas_cumprod": (1 / bar).sqrt(),
        "sqrt_recipm1_alphas_cumprod": (1 / bar - 1).sqrt(),
        "posterior_variance": variance,
        "posterior_log_variance_clipped": variance.clamp(min=1e-20).log(),
        "posterior_mean_coef1": betas * before.sqrt() / (1 - bar),
        "posterior_mean_coef2": (1 - before) * (1 - betas).sqrt() / (1 - bar),
    }
    return {key: value.float() for key, value in buffers.items()}


def main() -> None:
    """Write one of each into a folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.tiny", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--full", action="store_true", help="SD1.5's true sizes, float16, 3 GB")
    arguments = parser.parse_args()
    if arguments.full:
        print(full_size_checkpoint(arguments.folder))
        print(full_size_motion_module(arguments.folder))
    else:
        print(checkpoint(arguments.folder))
        print(motion_module(arguments.folder))
    print(embedding(arguments.folder, "tinyperson", FULL.text if arguments.full else Sizes().text))


if __name__ == "__main__":
    main()
