"""Read a Stable Diffusion 1.5 checkpoint in LDM's layout, as the WebUI uses it, into diffusers' models.

Nothing is downloaded: sizes come from the tensors' shapes, and what shapes cannot tell (numbers of heads, the
kind of prediction) from the yaml beside the checkpoint, as in the WebUI, or from SD1.5.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    create_unet_diffusers_config_from_ldm,
    create_vae_diffusers_config_from_ldm,
)
from diffusers.models.upsampling import Upsample2D
from omegaconf import OmegaConf
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from vcd_ext.denoising.zero_copy import from_state_dict
from vcd_ext.hosts.diffusers.tokenizer import tokenizer
from vcd_ext.storage.tensor_file import check_finite, read_model

SUFFIXES = (".safetensors", ".ckpt")
HEADS, CLIP_HEAD_WIDTH, POSITIONS = 8, 64, 77  # of SD1.5
SCALE_FACTOR = 0.18215

_UNET, _VAE, _TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."
_INPUT = f"{_UNET}input_blocks.0.0.weight"
_WHAT_TO_USE = "Use a Stable Diffusion 1.5 checkpoint."
_OTHER_KINDS = {
    "conditioner.": "an SDXL checkpoint",
    "cond_stage_model.model.": "a Stable Diffusion 2 checkpoint",
    "joint_blocks.": "a Stable Diffusion 3 checkpoint",
    "double_blocks.": "a Flux checkpoint",
    "control_model.": "a ControlNet",
    "lora": "a LoRA",
    "motion_modules.": "a motion module",
    "down_blocks.": "one model in diffusers' key names",
}
_OTHER_INPUTS = {9: "an inpainting checkpoint", 8: "an instruct-pix2pix checkpoint"}

State = dict[str, Tensor]


class Config(NamedTuple):
    """What a model's tensors do not tell. clip: a folder with the text encoder's config and tokenizer, if it is one.

    A relative folder counts from the yaml's own.
    """

    heads: int = HEADS
    scale_factor: float = SCALE_FACTOR
    clip: str = ""
    prediction_type: str = "epsilon"


@dataclass(frozen=True)
class Models:
    """The parts of one checkpoint, in evaluation mode. prediction_type: "epsilon", or "v_prediction" by its yaml."""

    unet: nn.Module
    vae: nn.Module
    text_encoder: nn.Module
    tokenizer: CLIPTokenizer
    prediction_type: str


def load(path: str | Path) -> Models:
    """Load the models of the checkpoint at `path`, on the CPU, in the file's own precision.

    ValueError says in one sentence why a file cannot be used; pickles are read as tensors only.
    """
    path = Path(path)
    state = _state(path)
    config = _config(path.with_suffix(".yaml"))
    check_finite(state, path.name)
    try:
        return _models(state, config)
    except (KeyError, RuntimeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{path.name} does not have SD1.5's layers, or is damaged. {_WHAT_TO_USE}") from error


def _models(state: State, config: Config) -> Models:
    layout = _ldm_config(state, config)
    unet = create_unet_diffusers_config_from_ldm(layout, state)
    vae = create_vae_diffusers_config_from_ldm(layout, state)
    text = _text_state(state)
    return Models(
        from_state_dict(partial(_unet, unet), convert_ldm_unet_checkpoint(state, unet)),
        from_state_dict(partial(AutoencoderKL.from_config, vae), convert_ldm_vae_checkpoint(state, vae)),
        from_state_dict(partial(CLIPTextModel, _text_config(text, config)), text),
        _tokenizer(config),
        config.prediction_type,
    )


def _state(path: Path) -> State:
    loaded = read_model(path, "checkpoint", SUFFIXES, _WHAT_TO_USE)
    state = {key: value for key, value in loaded.items() if isinstance(value, Tensor)}
    _refuse_other_kinds(state, path)
    return state


def _refuse_other_kinds(state: State, path: Path) -> None:
    for sign, kind in _OTHER_KINDS.items():
        if any(sign in key for key in state):
            raise ValueError(f"{path.name} is {kind}; VCD works with SD1.5. {_WHAT_TO_USE}")
    for part, prefix in {"UNet": _INPUT, "VAE": _VAE, "text encoder": _TEXT}.items():
        if not any(key.startswith(prefix) for key in state):
            raise ValueError(f"{path.name} is not a complete checkpoint: it has no {part}. {_WHAT_TO_USE}")
    channels = state[_INPUT].shape[1]
    if channels != 4:
        kind = _OTHER_INPUTS.get(channels, f"made for {channels} input channels")
        raise ValueError(f"{path.name} is {kind}; VCD makes videos from text alone. {_WHAT_TO_USE}")


def _config(path: Path) -> Config:
    """Read what the yaml beside the checkpoint says; SD1.5's values where it is missing or silent."""
    if not path.is_file():
        return Config()
    try:
        params = OmegaConf.load(path).model.params
        return Config(
            heads=int(OmegaConf.select(params, "unet_config.params.num_heads", default=HEADS)),
            scale_factor=float(params.get("scale_factor", SCALE_FACTOR)),
            clip=_beside(path, str(OmegaConf.select(params, "cond_stage_config.params.version", default=""))),
            prediction_type="v_prediction" if params.get("parameterization") == "v" else "epsilon",
        )
    except Exception as error:  # OmegaConf and its YAML parser have their own kinds
        raise ValueError(f"{path.name} is not a checkpoint's config; correct it, or remove it for SD1.5's.") from error


def _beside(path: Path, clip: str) -> str:
    """Return the folder that a yaml names; from where it lies, if that is where the folder is."""
    folder = path.parent / clip
    return str(folder) if clip and folder.is_dir() else clip


def _ldm_config(state: State, config: Config) -> dict[str, Any]:
    """Make an LDM config with the sizes of these tensors, for diffusers' converters; KeyError where one is missing."""

    def multiples(names: Iterable[str], width: int) -> list[int]:
        return [len(state[f"{name}.bias"]) // width for name in names]

    width, inputs = state[_INPUT].shape[:2]
    unet = {
        "in_channels": inputs,
        "out_channels": inputs,
        "model_channels": width,
        "channel_mult": multiples((f"{_UNET}input_blocks.{i}.0.out_layers.3" for i in (1, 4, 7, 10)), width),
        "num_res_blocks": 2,
        "attention_resolutions": [4, 2, 1],
        "transformer_depth": 1,
        "context_dim": state[f"{_UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1],
        "num_heads": config.heads,
    }
    width = len(state[f"{_VAE}encoder.conv_in.bias"])
    vae = {
        "in_channels": 3,
        "out_ch": 3,
        "ch": width,
        "ch_mult": multiples((f"{_VAE}decoder.up.{i}.block.0.conv1" for i in range(4)), width),
        "num_res_blocks": sum(f"{_VAE}decoder.up.0.block.{i}.conv1.bias" in state for i in range(1, 9)),
        "z_channels": inputs,
    }
    parameters = {
        "unet_config": {"params": unet},
        "first_stage_config": {"params": {"ddconfig": vae}},
        "scale_factor": config.scale_factor,
    }
    return {"model": {"params": parameters}}


def _text_state(state: State) -> State:
    """Return the text encoder's tensors, without what mergers leave in or take out of them."""
    text = {key: value for key, value in convert_ldm_clip_checkpoint(state).items() if key.startswith("text_model.")}
    return text | {"text_model.embeddings.position_ids": torch.arange(POSITIONS)[None]}


def _text_config(text: State, config: Config) -> Any:
    if config.clip and Path(config.clip, "config.json").is_file():
        return CLIPTextConfig.from_pretrained(config.clip)
    tokens, width = text["text_model.embeddings.token_embedding.weight"].shape
    return CLIPTextConfig(
        vocab_size=tokens,
        hidden_size=width,
        intermediate_size=4 * width,
        num_attention_heads=max(width // CLIP_HEAD_WIDTH, 1),
        num_hidden_layers=sum(key.endswith(".mlp.fc1.bias") for key in text),
    )


def _tokenizer(config: Config) -> CLIPTokenizer:
    """Load the one in the config's folder; CLIP's own for every usual checkpoint."""
    if config.clip and Path(config.clip, "merges.txt").is_file():
        return CLIPTokenizer.from_pretrained(config.clip)
    return tokenizer()


class _Upsample(Upsample2D):
    """Doubles the sides, and cuts off what is too much where the layer that it is to meet has odd sides.

    After the convolution, as in the WebUI; diffusers does it before, so that the last row and column know no more.
    """

    def forward(self, hidden_states: Tensor, output_size: Any = None, *args: Any, **kwargs: Any) -> Tensor:
        """Enlarge [B, C, h, w] to [B, C, 2h, 2w], or to the sides of output_size."""
        doubled: Tensor = super().forward(hidden_states, None, *args, **kwargs)
        return doubled if output_size is None else doubled[..., : output_size[0], : output_size[1]]


def _unet(config: Any) -> nn.Module:
    """Make diffusers' UNet, for odd sides as the WebUI's is."""
    unet: Any = UNet2DConditionModel.from_config(config)
    for block in unet.up_blocks:
        for layer in block.upsamplers or []:
            layer.__class__ = _Upsample
    return unet
