"""Read an AnimateDiff motion module from its file: strictly, and without running code from it.

Files have AnimateDiff's own key names or diffusers'. Version 1 is told from version 3, and AnimateLCM's original file
from version 2, by the tensors; distilled modules whose tensors are those of version 2 are told by their file's name.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from vcd_ext.denoising.zero_copy import from_state_dict
from vcd_ext.motion.key_names import PLACE, POSITIONS, original_names
from vcd_ext.motion.lora import names_motion_lora
from vcd_ext.motion.module import HEADS, NORM_GROUPS, BlockSize, MotionModule, PositionalEncoding
from vcd_ext.storage.tensor_file import check_finite, read_model

WHAT_TO_USE = "Use a module for SD1.5, such as mm_sd_v15_v2, v3_sd15_mm or AnimateLCM_sd15_t2v (.safetensors or .ckpt)."
SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt")
# AnimateLCM's file has no position table; its authors train with 64 positions.
ANIMATELCM_FRAMES = 64

# What is distilled for a few steps by the names of its files and of their folder; its tensors may be those of v2.
# AnimateDiff-Lightning: arXiv 2403.12706; AnimateLCM: arXiv 2402.00769.
NAMED = {"lightning": "Lightning", "animatelcm": "AnimateLCM"}
V1_FRAMES = 24  # positions of AnimateDiff's first modules, mm_sd_v14 and mm_sd_v15

_KEY = re.compile(rf"({PLACE})\.temporal_transformer\.(.+)")

State = dict[str, Tensor]


def load(path: str | Path) -> MotionModule:
    """Read the motion module at `path`, in evaluation mode, on the CPU, in the file's own precision.

    Version, sizes and length come from the tensors. ValueError says in one sentence what is wrong with the file
    and what to use instead; pickled files are read as tensors only and refused if they hold anything that runs.
    """
    path = Path(path)
    version, sizes, state = _read(path)
    try:
        module = from_state_dict(lambda: MotionModule(version, sizes), state)
    except ValueError as error:
        raise ValueError(f"{path.name} {error}: it is damaged or of an unknown kind. {WHAT_TO_USE}") from error
    check_finite(module.state_dict(), path.name)
    return module


class ModuleFacts(NamedTuple):
    """What the tensors' names and shapes say about a motion module."""

    version: str
    max_frames: int


def module_facts(path: str | Path) -> ModuleFacts:
    """Describe the motion module at `path` without making it or looking at its values; ValueError as `load`."""
    version, sizes, _ = _read(Path(path))
    return ModuleFacts(version, min(size.max_frames for size in sizes.values()))


def _read(path: Path) -> tuple[str, dict[str, BlockSize], State]:
    """Return version, sizes and tensors of a file, whose values stay in it until they are used."""
    state = original_names(_strip(read_model(path, "motion module", SUFFIXES, WHAT_TO_USE), path))
    _refuse_motion_lora(state, path)
    version, sizes = _identify(state, _places(state, path), path)
    if version == "AnimateLCM":
        return version, sizes, state | _positions(sizes)
    return _named(path) if version == "v2" else version, sizes, state


def _strip(loaded: dict[str, Any], path: Path) -> State:
    """Take off the wrappings that the original training script leaves around the tensors."""
    loaded.pop("animatediff_config", None)
    state = {key.removeprefix("module."): value for key, value in loaded.items()}
    for key, value in state.items():
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise ValueError(f"{path.name} is not a motion module: '{key}' is no tensor of numbers. {WHAT_TO_USE}")
    return state


def _places(state: State, path: Path) -> dict[str, State]:
    """Return the tensors of each temporal transformer, by its place in the UNet."""
    places: dict[str, State] = {}
    foreign = []
    for key, value in state.items():
        match = _KEY.fullmatch(key)
        if match:
            places.setdefault(match[1], {})[match[2]] = value
        else:
            foreign.append(key)
    if not places or foreign:
        raise ValueError(f"{path.name} is {_name_foreign(foreign)}, not an SD1.5 motion module. {WHAT_TO_USE}")
    return dict(sorted(places.items()))


def _refuse_motion_lora(state: State, path: Path) -> None:
    if names_motion_lora(state):
        raise ValueError(
            f"{path.name} is a motion LoRA, which adds a camera's pan or the like to a motion module: put it into the "
            f"folder of LoRAs and choose it under 'Motion LoRA', or write <lora:{path.stem}:0.8> into the prompt."
        )


def _name_foreign(keys: Iterable[str]) -> str:
    signs = {
        "lora": "a LoRA",
        "model.diffusion_model.": "a whole checkpoint",
        "conditioner.": "a whole SDXL checkpoint",
        "control": "a ControlNet",
        "temporal_attentions": "a HotShot-XL module",
        "time_embedding.": "a whole UNet",
        "conv_in.": "a PIA module, which also takes a picture",
        "string_to_param": "an embedding",
    }
    keys = list(keys)
    for sign, name in signs.items():
        if any(sign in key for key in keys):
            return name
    return f"something else (it holds '{keys[0]}')" if keys else "empty"


def _identify(state: State, places: dict[str, State], path: Path) -> tuple[str, dict[str, BlockSize]]:
    levels = sum(name.startswith("down_") and name.endswith(".motion_modules.0") for name in places)
    if levels == 3:
        raise ValueError(f"{path.name} is made for SDXL; VCD works with SD1.5. {WHAT_TO_USE}")
    positions = next((t.shape[1] for k, t in state.items() if k.endswith(POSITIONS) and t.dim() == 3), None)
    if "mid_block.motion_modules.0" in places:
        version = "v2" if positions else "AnimateLCM"
    else:
        version = "v1" if positions == V1_FRAMES else "v3"
    sizes = {name: _size(name, tensors, positions or ANIMATELCM_FRAMES, path) for name, tensors in places.items()}
    return version, sizes


def _named(path: Path) -> str:
    """Return "v2", or what is distilled of it by the name of the file; of its folder where diffusers has named it."""
    name = path.parent.name if path.stem.startswith("diffusion_pytorch_model") else path.name
    return next((version for sign, version in NAMED.items() if sign in name.lower()), "v2")


def _size(name: str, tensors: State, positions: int, path: Path) -> BlockSize:
    def count(pattern: str) -> int:
        return len({m[1] for m in (re.match(pattern, key) for key in tensors) if m})

    weight = tensors.get("proj_in.weight")
    channels = weight.shape[0] if weight is not None and weight.dim() == 2 else 0
    if channels == 0 or channels % HEADS or channels % NORM_GROUPS:
        raise ValueError(
            f"{path.name} is not an AnimateDiff module: {name} has {channels} channels in proj_in, a multiple of "
            f"{NORM_GROUPS} is expected. {WHAT_TO_USE}"
        )
    depth = count(r"transformer_blocks\.(\d+)\.")
    attentions = count(r"transformer_blocks\.0\.attention_blocks\.(\d+)\.")
    return BlockSize(channels, depth, attentions, positions)


def _positions(sizes: dict[str, BlockSize]) -> State:
    """Return the position tables, which AnimateLCM's file lacks."""
    return {
        f"{place}.temporal_transformer.transformer_blocks.{i}.attention_blocks.{j}.{POSITIONS}": PositionalEncoding(
            size.channels, size.max_frames
        ).pe
        for place, size in sizes.items()
        for i in range(size.depth)
        for j in range(size.attentions)
    }
