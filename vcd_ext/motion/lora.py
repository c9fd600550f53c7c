"""Motion LoRAs: small changes of a motion module's weights, such as a camera's pan, W + weight * scale * up @ down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from vcd_ext.denoising.lora_file import LowRank, changes, flat
from vcd_ext.motion.module import MotionModule
from vcd_ext.storage.tensor_file import check_finite, keys, read_model

SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
WHAT_TO_USE = "Use a motion LoRA for SD1.5, such as v2_lora_PanLeft (.safetensors or .ckpt)."
OF_MOTION = "motion_modules"  # in the names of all layers that a motion LoRA changes


@dataclass(frozen=True)
class MotionLora:
    """One file's changes, and how strongly they count; 0 has no effect, below 0 it is the opposite movement."""

    name: str
    changes: Mapping[str, LowRank]  # by the flat names of layers, for both parts [out, rank] and [rank, in]
    weight: float = 1.0

    def weighted(self, weight: float) -> "MotionLora":
        """Return the same changes with another weight."""
        return replace(self, weight=weight)


def is_motion_lora(path: Path) -> bool:
    """Return whether a file's names say that it changes a motion module; only its names are read."""
    return names_motion_lora(keys(path))


def names_motion_lora(names: Iterable[str]) -> bool:
    """Return whether these are the names of a motion LoRA's tensors."""
    return any("lora" in name and (OF_MOTION in name or "temporal_transformer" in name) for name in names)


def load_lora(path: str | Path) -> MotionLora:
    """Read the motion LoRA at `path`, on the CPU; ValueError says in one sentence what is wrong with the file."""
    path = Path(path)
    loaded = read_model(path, "motion LoRA", SUFFIXES, WHAT_TO_USE)
    loaded.pop("animatediff_config", None)
    found = changes(loaded, path.name, WHAT_TO_USE)
    for layer, change in found.items():
        if OF_MOTION not in layer or change.up.dim() != 2:
            raise ValueError(f"{path.name} is not a motion LoRA: it changes '{layer}'. {WHAT_TO_USE}")
    check_finite(loaded, path.name)
    return MotionLora(path.stem, {_of_module(layer): change for layer, change in found.items()})


def check_motion_loras(loras: Sequence[MotionLora], module: MotionModule) -> None:
    """Raise ValueError, in one sentence, for a motion LoRA that is made for another motion module."""
    weights = _weights(module)
    for lora in loras:
        for layer, (up, down, _) in lora.changes.items():
            name = weights.get(layer)
            shape = (up.shape[0], down.shape[1])
            if name is not None and tuple(module.get_parameter(name).shape) == shape:
                continue
            lacks = "does not have" if name is None else f"has as {list(module.get_parameter(name).shape)}"
            raise ValueError(
                f"{lora.name} is a motion LoRA for another motion module: it changes '{layer}' of {list(shape)}, which "
                f"this one ({module.version}) {lacks}. AnimateDiff's motion LoRAs go with mm_sd_v15_v2 and what is "
                "distilled from it; use the module that it was made for."
            )


@contextmanager
def adapted(module: MotionModule, loras: Sequence[MotionLora]) -> Iterator[None]:
    """Add the motion LoRAs to the module's weights within this context; after it they are bit for bit what they were.

    loras: as `check_motion_loras` lets pass. Sums are made in float32 and rounded once to the weights' precision.
    The weights as they were wait on the CPU.
    """
    weights = _weights(module)
    with ExitStack() as stack:
        for layer in sorted({layer for lora in loras for layer in lora.changes if lora.weight}):
            parameter = module.get_parameter(weights[layer])
            stack.callback(_put_back, parameter, parameter.data.cpu())
            parameter.data = (parameter.data.float() + _sum(loras, layer, parameter.device)).to(parameter.dtype)
        yield


def _put_back(parameter: torch.nn.Parameter, before: Tensor) -> None:
    parameter.data = before.to(parameter.device)


def _sum(loras: Sequence[MotionLora], layer: str, device: torch.device) -> Tensor:
    """Return all changes of one layer, [out, in], float32."""
    parts = ((lora.weight, *lora.changes[layer]) for lora in loras if layer in lora.changes)
    changes = [weight * scale * (up.to(device).float() @ down.to(device).float()) for weight, up, down, scale in parts]
    return torch.stack(changes).sum(dim=0)


def _weights(module: MotionModule) -> dict[str, str]:
    """Return the names of the layers' weights by their flat names, [out, in] each."""
    names: dict[str, str] = {}
    for name, parameter in module.named_parameters():
        if name.endswith(".weight") and parameter.dim() == 2:
            names[_of_module(flat(name.removesuffix(".weight")))] = name
    return names


def _of_module(layer: str) -> str:
    """Return a flat name as AnimateDiff's module has it, without what diffusers leaves out."""
    layer = layer.replace("_temporal_transformer", "", 1)
    return layer.replace("_attn1_", "_attention_blocks_0_").replace("_attn2_", "_attention_blocks_1_")
