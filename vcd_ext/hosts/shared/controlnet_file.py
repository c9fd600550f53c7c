"""Read a ControlNet for SD1.5 from its file, into diffusers' `ControlNetModel`.

Both layouts are read: LDM's, in which ControlNet 1.1 is published, and diffusers'.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vcd_ext.denoising.zero_copy import from_state_dict
from vcd_ext.motion.attach import points
from vcd_ext.settings import NO_MODULE
from vcd_ext.storage.tensor_file import check_finite, read_model

SUFFIXES = (".safetensors", ".pth", ".ckpt", ".pt", ".bin")
TRIED = "0.31.0"  # of diffusers; 0.30 and 0.32 work as well
HEADS = 8  # of SD1.5
LATENTS, COLOURS = 4, 3  # channels of what is denoised, and of the pictures
SD2_TEXT = 1024

_PREFIX = "control_model."
_WHAT_TO_USE = "Use a ControlNet for SD1.5, such as control_v11f1e_sd15_tile.pth."
_OTHER_KINDS = {
    "lllite": "a ControlNet-LLLite",
    "lora": "a LoRA",
    "label_emb.": "a ControlNet for SDXL",
    "add_embedding.": "a ControlNet for SDXL",
    "difference": "the difference of a ControlNet from a checkpoint",
    "motion_modules.": "a motion module",
    "adapter.": "a T2I-Adapter",
    "model.diffusion_model.": "a whole checkpoint",
    "up_blocks.": "a whole UNet",
}

State = dict[str, Tensor]


def is_tile(path: Path) -> bool:
    """Return whether a file is a ControlNet Tile for SD1.5 by its name: control_v11f1e_sd15_tile.pth."""
    name = path.name.lower()
    return path.suffix.lower() in SUFFIXES and "tile" in name and "sd15" in name


def readable() -> bool:
    """Return whether the library that reads them is there; a WebUI without a network may lack it."""
    return importlib.util.find_spec("diffusers") is not None


class WrongLibraryError(ValueError):
    """The diffusers that is installed cannot read them, none of them."""


def load(path: str | Path, unet: nn.Module) -> nn.Module:
    """Load the ControlNet at `path` for a UNet of either host, on the CPU, in the file's own precision.

    Its values stay in the file, which is mapped. ValueError says in one sentence why it cannot be used; pickles are
    read as tensors only.
    """
    network = _mapped(Path(path), unet)
    check_finite(network.state_dict(), Path(path).name)
    return network


def check_fits(path: str | Path, unet: nn.Module) -> None:
    """Raise ValueError, in one sentence, if the ControlNet at `path` cannot be used for a UNet of either host.

    Only names and sizes of its tensors are read, as long as it is no pickle from before torch 1.6.
    """
    _mapped(Path(path), unet)


def first_fitting(candidates: Mapping[str, Path], unet: nn.Module, note: Callable[[str], None]) -> str:
    """Return the first file's name that fits a UNet, "none" if none does. note: told why one before it does not."""
    for name, path in candidates.items():
        try:
            check_fits(path, unet)
        except WrongLibraryError as error:
            note(f"{error} Until then no ControlNet is used.")
            return NO_MODULE
        except ValueError as error:
            note(f"{error} It is not used.")
        else:
            return name
    return NO_MODULE


def _mapped(path: Path, unet: nn.Module) -> nn.Module:
    state, config = _read(path, unet)
    try:
        with _by_diffusers(path):
            return from_state_dict(partial(_made, config), state)
    except WrongLibraryError:
        raise
    except ValueError as error:
        raise ValueError(_damaged(path)) from error


def _read(path: Path, unet: nn.Module) -> tuple[State, dict[str, Any]]:
    """Read the tensors by diffusers' names, and their network's config, which fits the UNet; ValueError."""
    if not readable():
        raise ValueError(
            "ControlNet needs the package diffusers, which is not installed: pip install diffusers==0.31.0, or let the "
            "WebUI do it at its next start with a network."
        )
    state = _state(path)
    try:
        config = _config(state)
    except (KeyError, IndexError) as error:
        raise ValueError(_damaged(path)) from error
    _check(config, unet, path)
    return state, config


def _state(path: Path) -> State:
    """Return the tensors by diffusers' names."""
    loaded = read_model(path, "ControlNet", SUFFIXES, _WHAT_TO_USE)
    state = {key: value for key, value in loaded.items() if isinstance(value, Tensor)}
    # Some files hold the checkpoint as well that the ControlNet was trained on.
    state = {k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)} or state
    _refuse_other_kinds(state, path)
    return _renamed(state, path) if "input_blocks.0.0.weight" in state else state


def _refuse_other_kinds(state: State, path: Path) -> None:
    kind = next((kind for sign, kind in _OTHER_KINDS.items() if any(sign in key for key in state)), None)
    if kind is None and not any(key.startswith(("zero_convs.", "controlnet_down_blocks.")) for key in state):
        kind = f"something else (it holds '{next(iter(state))}')" if state else "empty"
    if kind is not None:
        raise ValueError(f"{path.name} is {kind}, not a ControlNet for SD1.5. {_WHAT_TO_USE}")


def _renamed(state: State, path: Path) -> State:
    with _by_diffusers(path):
        from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint

        renamed: State = convert_controlnet_checkpoint(state, {"layers_per_block": 2})
    if len(renamed) != len(state) or any(value is None for value in renamed.values()):
        raise ValueError(_damaged(path))
    return renamed


def _config(state: State) -> dict[str, Any]:
    """Read the network's config from the tensors' shapes; KeyError or IndexError where one is missing."""
    hint = "controlnet_cond_embedding"
    widened = [name for name in (f"{hint}.blocks.{i}.bias" for i in range(1, 16, 2)) if name in state]
    return {
        "in_channels": state["conv_in.weight"].shape[1],
        "conditioning_channels": state[f"{hint}.conv_in.weight"].shape[1],
        "conditioning_embedding_out_channels": [len(state[name]) for name in (f"{hint}.conv_in.bias", *widened)],
        "block_out_channels": [len(state[f"down_blocks.{i}.resnets.0.conv1.bias"]) for i in range(4)],
        "cross_attention_dim": state["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape[1],
        "attention_head_dim": HEADS,  # the library calls the number of heads so
    }


def _check(config: Mapping[str, Any], unet: nn.Module, path: Path) -> None:
    """Raise ValueError unless it fits SD1.5 and this UNet."""
    text = config["cross_attention_dim"]
    if text == SD2_TEXT:
        raise ValueError(f"{path.name} is made for SD2; VCD works with SD1.5. {_WHAT_TO_USE}")
    for key, what, expected in (("in_channels", "latents", LATENTS), ("conditioning_channels", "pictures", COLOURS)):
        if config[key] != expected:
            raise ValueError(
                f"{path.name} takes {what} of {config[key]} channels instead of {expected}. {_WHAT_TO_USE}"
            )
    theirs, ours = (tuple(config["block_out_channels"]), text), _sizes(unet)
    if theirs != ours:
        raise ValueError(
            f"{path.name} is made for a UNet of {theirs[0]} channels and texts {theirs[1]} wide; this one has "
            f"{ours[0]} and {ours[1]}. {_WHAT_TO_USE}"
        )


def _sizes(unet: nn.Module) -> tuple[Sequence[int], int]:
    """Return channels of each level of a UNet, and the width of its texts."""
    levels = [point.channels for name, point in points(unet).items() if name.startswith("down") and name.endswith(".0")]
    text = next(module for name, module in unet.named_modules() if name.endswith("attn2.to_k"))
    return tuple(levels), int(text.in_features)


def _made(config: Mapping[str, Any]) -> nn.Module:
    from diffusers import ControlNetModel

    network: nn.Module = ControlNetModel.from_config(dict(config))
    return network


@contextmanager
def _by_diffusers(path: Path) -> Iterator[None]:
    """Blame the file for a failure within this context if diffusers is the version that was tried, else the library."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:  # whatever another version does not have, or not so
        if (installed := version("diffusers")) == TRIED:
            raise ValueError(_damaged(path)) from error
        raise WrongLibraryError(
            f"ControlNet is read by diffusers {TRIED}, and {installed} is installed, which cannot "
            f"({type(error).__name__}): pip install diffusers=={TRIED}."
        ) from error


def _damaged(path: Path) -> str:
    return f"{path.name} does not have the layers of a ControlNet for SD1.5, or is damaged. {_WHAT_TO_USE}"
