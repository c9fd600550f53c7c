"""Text encoder and UNet as a file in LDM's names, whatever names the installed transformers has for the encoder's."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from .second_stage import Denoiser, unet_name

_TEXT, _UNET, _INNER = "cond_stage_model.transformer.", "model.diffusion_model.", "text_model."


def save(model: Denoiser, path: Path) -> None:
    """Write the tensors as Stable Diffusion 1.x names them."""
    tensors = {_UNET + unet_name(name): value for name, value in model.unet.state_dict().items()}
    tensors |= {_text_name(name): value for name, value in model.text.state_dict().items()}
    save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, path)


def load(path: Path, clip: Path) -> Denoiser:
    """Read a denoiser, float32 with gradients; `clip` is the folder with the text encoder's config."""
    tensors = whole_tensors(path)
    widths = [len(tensors[f"{_UNET}input_blocks.{block}.0.out_layers.3.bias"]) for block in (1, 4, 7, 10)]
    model = Denoiser.make(widths, clip)
    model.unet.load_state_dict({name: tensors[_UNET + unet_name(name)] for name in model.unet.state_dict()})
    model.text.load_state_dict(_of_text(model, tensors))
    return model


def whole_tensors(path: Path) -> dict[str, Tensor]:
    """Read the float32 tensors of a file by LDM's names."""
    return {name: value.float() for name, value in load_file(path).items()}


def _of_text(model: Denoiser, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors.get(_text_name(name), value) for name, value in model.text.state_dict().items()}


def _text_name(name: str) -> str:
    """Return the name in the file; transformers 5 has dropped `text_model.` from the encoder's own names."""
    return _TEXT + (name if name.startswith(_INNER) else _INNER + name)
