"""What a Stable Diffusion 1.5 checkpoint (LDM's layout) and an AnimateDiff motion module contain: names and shapes.

Each function gives {name: shape} for one part; a prefix places it. `config` is the yaml beside the checkpoint.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Shapes = dict[str, tuple[int, ...]]

LEVELS = (1, 2, 4, 4)  # channels of each resolution, in widths: the same in SD1.5's UNet and VAE
SLIM = (1, 1, 2, 2)  # of small VAEs: a decoder with LEVELS takes more than a quarter of the tests' videos
TOKENS, POSITIONS = 49408, 77
HINT_WIDTHS = (16, 16, 32, 32, 96, 96, 256)  # of a ControlNet's layers that reduce its picture to latents
ZERO = ("zero_convs.", "middle_block_out.", "input_hint_block.14.")  # its layers that are zero before the training
BETAS = (0.00085, 0.012)
PE_FRAMES = {"v1": 24, "v2": 32, "v3": 32}  # AnimateLCM carries no positions


@dataclass(frozen=True)
class Sizes:
    """Channels of the first level (UNet, VAE), levels of the VAE, and width, layers and heads of the text encoder.

    SD1.5's UNet has 8 heads, which no tensor's shape shows. At a width of 32 that is 4 values a head, and a third of
    the UNet's time.
    """

    unet: int = 32
    unet_heads: int = 2
    vae: int = 32
    vae_levels: tuple[int, ...] = SLIM
    text: int = 64
    layers: int = 3
    heads: int = 4


def merge(parts: Iterable[Shapes]) -> Shapes:
    """One table out of several."""
    return {key: shape for part in parts for key, shape in part.items()}


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    """Return the same table with `prefix.` before each name."""
    return {f"{prefix}.{key}": shape for key, shape in shapes.items()}


def _unit(key: str, *shape: int) -> Shapes:
    """Weight and bias of a layer whose outputs are the first axis."""
    return {f"{key}.weight": shape, f"{key}.bias": shape[:1]}


def _attention(key: str, channels: int, context: int) -> Shapes:
    inputs = {"to_q": channels, "to_k": context, "to_v": context}
    projections = {f"{key}.{name}.weight": (channels, width) for name, width in inputs.items()}
    return projections | _unit(f"{key}.to_out.0", channels, channels)


def _feed_forward(key: str, channels: int) -> Shapes:
    """GEGLU: the first layer makes values and gates of 4 widths each."""
    return _unit(f"{key}.net.0.proj", 8 * channels, channels) | _unit(f"{key}.net.2", channels, 4 * channels)


def _resblock(key: str, inputs: int, outputs: int, time: int) -> Shapes:
    shapes = (
        _unit(f"{key}.in_layers.0", inputs)
        | _unit(f"{key}.in_layers.2", outputs, inputs, 3, 3)
        | _unit(f"{key}.emb_layers.1", outputs, time)
        | _unit(f"{key}.out_layers.0", outputs)
        | _unit(f"{key}.out_layers.3", outputs, outputs, 3, 3)
    )
    return shapes if inputs == outputs else shapes | _unit(f"{key}.skip_connection", outputs, inputs, 1, 1)


def _spatial_transformer(key: str, channels: int, context: int) -> Shapes:
    block = f"{key}.transformer_blocks.0"
    return (
        _unit(f"{key}.norm", channels)
        | _unit(f"{key}.proj_in", channels, channels, 1, 1)
        | _attention(f"{block}.attn1", channels, channels)
        | _attention(f"{block}.attn2", channels, context)
        | _feed_forward(f"{block}.ff", channels)
        | merge(_unit(f"{block}.norm{i}", channels) for i in (1, 2, 3))
        | _unit(f"{key}.proj_out", channels, channels, 1, 1)
    )


def unet(width: int, context: int) -> Shapes:
    """LDM's UNetModel of SD1.5: `width` channels at the first level, text of `context` channels."""
    time = 4 * width
    shapes, skips = _encoder(width, context)
    channels = skips[-1]
    for block in range(12):
        level, last = 3 - block // 3, block % 3 == 2
        inputs, channels = channels + skips.pop(), LEVELS[level] * width
        shapes |= _resblock(f"output_blocks.{block}.0", inputs, channels, time)
        if level < 3:
            shapes |= _spatial_transformer(f"output_blocks.{block}.1", channels, context)
        if last and level > 0:
            shapes |= _unit(f"output_blocks.{block}.{2 if level < 3 else 1}.conv", channels, channels, 3, 3)
    return shapes | _unit("out.0", width) | _unit("out.2", 4, width, 3, 3)


def controlnet(width: int, context: int, hint: int = 3) -> Shapes:
    """LDM's ControlNet for that UNet, which sees pictures of `hint` channels."""
    shapes, skips = _encoder(width, context)
    shapes |= merge(_unit(f"zero_convs.{i}.0", channels, channels, 1, 1) for i, channels in enumerate(skips))
    shapes |= _unit("middle_block_out.0", skips[-1], skips[-1], 1, 1)
    widths = [hint, *HINT_WIDTHS, width]
    return shapes | merge(_unit(f"input_hint_block.{2 * i}", widths[i + 1], widths[i], 3, 3) for i in range(8))


def t2i_adapter(width: int) -> Shapes:
    """T2I-Adapter (Mou et al., arXiv 2302.08453) for that UNet, which sees pictures of 3 channels, 64 values each."""
    shapes, before = _unit("conv_in", width, 3 * 64, 3, 3), width
    for level, factor in enumerate(LEVELS):
        for block in (2 * level, 2 * level + 1):
            if before != factor * width:
                shapes |= _unit(f"body.{block}.in_conv", factor * width, before, 1, 1)
            before = factor * width
            shapes |= _unit(f"body.{block}.block1", before, before, 3, 3)
            shapes |= _unit(f"body.{block}.block2", before, before, 1, 1)
    return shapes


def _encoder(width: int, context: int) -> tuple[Shapes, list[int]]:
    """Return the half of a UNet that makes the picture smaller, with its middle; the channels of its skips."""
    time = 4 * width
    shapes = _unit("time_embed.0", time, width) | _unit("time_embed.2", time, time)
    shapes |= _unit("input_blocks.0.0", width, 4, 3, 3)
    block, channels, skips = 1, width, [width]
    for level, factor in enumerate(LEVELS):
        for _ in range(2):
            shapes |= _resblock(f"input_blocks.{block}.0", channels, channels := factor * width, time)
            if level < 3:
                shapes |= _spatial_transformer(f"input_blocks.{block}.1", channels, context)
            block, skips = block + 1, [*skips, channels]
        if level < 3:
            shapes |= _unit(f"input_blocks.{block}.0.op", channels, channels, 3, 3)
            block, skips = block + 1, [*skips, channels]
    shapes |= merge(_resblock(f"middle_block.{i}", channels, channels, time) for i in (0, 2))
    shapes |= _spatial_transformer("middle_block.1", channels, context)
    return shapes, skips


def _vae_resblock(key: str, inputs: int, outputs: int) -> Shapes:
    shapes = (
        _unit(f"{key}.norm1", inputs)
        | _unit(f"{key}.conv1", outputs, inputs, 3, 3)
        | _unit(f"{key}.norm2", outputs)
        | _unit(f"{key}.conv2", outputs, outputs, 3, 3)
    )
    return shapes if inputs == outputs else shapes | _unit(f"{key}.nin_shortcut", outputs, inputs, 1, 1)


def _vae_middle(key: str, channels: int) -> Shapes:
    attention = merge(_unit(f"{key}.attn_1.{name}", channels, channels, 1, 1) for name in ("q", "k", "v", "proj_out"))
    blocks = merge(_vae_resblock(f"{key}.block_{i}", channels, channels) for i in (1, 2))
    return blocks | _unit(f"{key}.attn_1.norm", channels) | attention


def vae(width: int, levels: tuple[int, ...] = LEVELS) -> Shapes:
    """LDM's AutoencoderKL of SD1.5: 4 latent channels, factor 8."""
    top = levels[-1] * width
    shapes = _unit("encoder.conv_in", width, 3, 3, 3) | _unit("decoder.conv_in", top, 4, 3, 3)
    channels = width
    for level, factor in enumerate(levels):
        for i in range(2):
            shapes |= _vae_resblock(f"encoder.down.{level}.block.{i}", channels, channels := factor * width)
        if level < 3:
            shapes |= _unit(f"encoder.down.{level}.downsample.conv", channels, channels, 3, 3)
    shapes |= _vae_middle("encoder.mid", top) | _vae_middle("decoder.mid", top)
    for level in (3, 2, 1, 0):
        for i in range(3):
            shapes |= _vae_resblock(f"decoder.up.{level}.block.{i}", channels, channels := levels[level] * width)
        if level > 0:
            shapes |= _unit(f"decoder.up.{level}.upsample.conv", channels, channels, 3, 3)
    shapes |= _unit("encoder.norm_out", top) | _unit("encoder.conv_out", 8, top, 3, 3)
    shapes |= _unit("decoder.norm_out", width) | _unit("decoder.conv_out", 3, width, 3, 3)
    return shapes | _unit("quant_conv", 8, 8, 1, 1) | _unit("post_quant_conv", 4, 4, 1, 1)


def text_model(width: int, layers: int) -> Shapes:
    """CLIP's text encoder as transformers names it, without the position ids."""
    shapes: Shapes = {
        "embeddings.token_embedding.weight": (TOKENS, width),
        "embeddings.position_embedding.weight": (POSITIONS, width),
    }
    for layer in (f"encoder.layers.{i}" for i in range(layers)):
        shapes |= merge(_unit(f"{layer}.self_attn.{name}_proj", width, width) for name in ("k", "v", "q", "out"))
        shapes |= _unit(f"{layer}.layer_norm1", width) | _unit(f"{layer}.layer_norm2", width)
        shapes |= _unit(f"{layer}.mlp.fc1", 4 * width, width) | _unit(f"{layer}.mlp.fc2", width, 4 * width)
    return shapes | _unit("final_layer_norm", width)


def _temporal_transformer(channels: int, positions: int) -> Shapes:
    block = "transformer_blocks.0"
    shapes = _unit("norm", channels) | _unit("proj_in", channels, channels) | _unit("proj_out", channels, channels)
    for i in range(2):
        shapes |= _attention(f"{block}.attention_blocks.{i}", channels, channels)
        shapes |= _unit(f"{block}.norms.{i}", channels)
        if positions:
            shapes[f"{block}.attention_blocks.{i}.pos_encoder.pe"] = (1, positions, channels)
    return shapes | _feed_forward(f"{block}.ff", channels) | _unit(f"{block}.ff_norm", channels)


def motion(version: str, width: int) -> Shapes:
    """AnimateDiff's motion module in its own names, for a UNet of `width`: "v1", "v2", "v3" or "AnimateLCM"."""
    down = {f"down_blocks.{i}.motion_modules.{j}": LEVELS[i] for i in range(4) for j in range(2)}
    up = {f"up_blocks.{i}.motion_modules.{j}": LEVELS[3 - i] for i in range(4) for j in range(3)}
    places = down | up | ({"mid_block.motion_modules.0": LEVELS[3]} if version in ("v2", "AnimateLCM") else {})
    positions = PE_FRAMES.get(version, 0)
    return merge(
        prefixed(f"{place}.temporal_transformer", _temporal_transformer(factor * width, positions))
        for place, factor in places.items()
    )


def in_diffusers(name: str) -> str:
    """Return a motion module's key in diffusers' `MotionAdapter`; the table of a second attention is left out: ""."""
    if name.endswith("pe"):
        return "" if ".attention_blocks.1." in name else re.sub(
            r"temporal_transformer\.|attention_blocks\.0\.", "", name
        ).replace("pos_encoder", "pos_embed")  # fmt: skip
    name = re.sub(
        r"attention_blocks\.(\d)", lambda m: f"attn{int(m[1]) + 1}", name.replace("temporal_transformer.", "")
    )
    return re.sub(r"(?<=\.)norms\.(\d)", lambda m: f"norm{int(m[1]) + 1}", name).replace("ff_norm", "norm3")


def motion_lora(version: str, width: int, rank: int = 2, names: str = "AnimateDiff") -> Shapes:
    """Both parts of a motion LoRA for each projection of each attention; names: AnimateDiff's, or another tool's."""
    shapes: Shapes = {}
    for key, shape in motion(version, width).items():
        if ".attention_blocks." not in key or len(shape) != 2:
            continue
        down, up = lora_names(key.removesuffix(".weight"), names)
        shapes |= {down: (rank, shape[1]), up: (shape[0], rank)}
        if names == "kohya":
            shapes[down.replace("lora_down.weight", "alpha")] = ()
    return shapes


def lora_names(layer: str, names: str) -> tuple[str, str]:
    """Return the names of both parts of a motion LoRA for a layer such as `...attention_blocks.0.to_out.0`."""
    if names == "kohya":
        flat = f"lora_unet_{layer.replace('.', '_')}"
        return f"{flat}.lora_down.weight", f"{flat}.lora_up.weight"
    if names == "peft":
        layer = in_diffusers(layer)
        return f"unet.{layer}.lora_A.weight", f"unet.{layer}.lora_B.weight"
    start, _, projection = layer.removesuffix(".0").rpartition(".")
    start = start if names == "AnimateDiff" else f"unet.{in_diffusers(start)}"
    return tuple(f"{start}.processor.{projection}_lora.{side}.weight" for side in ("down", "up"))  # type: ignore[return-value]


def config(sizes: Sizes, clip: Path) -> dict[str, object]:
    """Return the WebUI's configs/v1-inference.yaml for these sizes; clip: the folder of the text encoder's config."""
    vae = {"embed_dim": 4, "ddconfig": _vae_config(sizes), "lossconfig": {"target": "torch.nn.Identity"}}
    parts = {
        "unet_config": ("ldm.modules.diffusionmodules.openaimodel.UNetModel", _unet_config(sizes)),
        "first_stage_config": ("ldm.models.autoencoder.AutoencoderKL", vae),
        "cond_stage_config": (
            "ldm.modules.encoders.modules.FrozenCLIPEmbedder",
            {"version": str(clip), "device": "cpu"},
        ),
    }
    parameters = {
        "linear_start": BETAS[0],
        "linear_end": BETAS[1],
        "timesteps": 1000,
        "first_stage_key": "jpg",
        "cond_stage_key": "txt",
        "image_size": 64,
        "channels": 4,
        "conditioning_key": "crossattn",
        "scale_factor": 0.18215,
        "use_ema": False,
        **{name: {"target": target, "params": params} for name, (target, params) in parts.items()},
    }
    return {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": parameters}}


def _unet_config(sizes: Sizes) -> dict[str, object]:
    return {
        "image_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": sizes.unet,
        "attention_resolutions": [4, 2, 1],
        "num_res_blocks": 2,
        "channel_mult": list(LEVELS),
        "num_heads": sizes.unet_heads,
        "use_spatial_transformer": True,
        "transformer_depth": 1,
        "context_dim": sizes.text,
        "use_checkpoint": False,
        "legacy": False,
    }


def _vae_config(sizes: Sizes) -> dict[str, object]:
    return {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": sizes.vae,
        "ch_mult": list(sizes.vae_levels),
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
