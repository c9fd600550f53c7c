"""LoRAs of a UNet's and a text encoder's own layers, hung on with forward hooks: y + weight * scale * up(down(x)).

The WebUI loads ordinary LoRAs by itself. Here they are for the command line, and in both hosts for AnimateDiff's domain
adapter of v3, whose file has key names that the WebUI's own extension does not know.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vcd_ext.denoising.lora_file import LowRank, changes, flat
from vcd_ext.denoising.unet import is_ldm
from vcd_ext.storage.tensor_file import check_finite, read_model

SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
WHAT_TO_USE = "Use a LoRA for SD1.5 (.safetensors or .ckpt)."
OF_TEXT = "lora_te_"  # how kohya's names of the text encoder's layers begin
# LDM's blocks with a spatial transformer, by diffusers' names: the only layers that a domain adapter changes.
_LDM_ATTENTIONS = {
    **{f"down_blocks.{i}.attentions.{j}": f"input_blocks.{1 + 3 * i + j}.1" for i in range(3) for j in range(2)},
    "mid_block.attentions.0": "middle_block.1",
    **{f"up_blocks.{i}.attentions.{j}": f"output_blocks.{3 * i + j}.1" for i in range(1, 4) for j in range(3)},
}


@dataclass(frozen=True)
class Lora:
    """One file's changes, and how strongly they count."""

    name: str
    changes: Mapping[str, LowRank]  # by the flat names of layers
    weight: float = 1.0

    def weighted(self, weight: float) -> "Lora":
        """Return the same changes with another weight."""
        return replace(self, weight=weight)


def load(path: str | Path) -> Lora:
    """Read the LoRA at `path`, on the CPU; ValueError says in one sentence what is wrong with the file."""
    path = Path(path)
    loaded = read_model(path, "LoRA", SUFFIXES, WHAT_TO_USE)
    loaded.pop("animatediff_config", None)
    found = changes(loaded, path.name, WHAT_TO_USE)
    check_finite(loaded, path.name)
    return Lora(path.stem, found)


def is_domain_adapter(names: Sequence[str]) -> bool:
    """Return whether these are the names of tensors as AnimateDiff's authors name a LoRA for the UNet."""
    return bool(names) and all(".processor.to_" in name and ".attentions." in name for name in names)


def layers(unet: nn.Module, text_encoder: nn.Module | None = None) -> dict[str, nn.Module]:
    """Return the layers that a LoRA can change, by their flat names; of LDM's UNet those of its attentions."""
    changeable = ((name, layer) for name, layer in _named(unet) if isinstance(layer, nn.Linear | nn.Conv2d))
    found: dict[str, nn.Module] = {flat(name): layer for name, layer in changeable}
    if text_encoder is not None:
        linear = ((name, layer) for name, layer in text_encoder.named_modules() if isinstance(layer, nn.Linear))
        found |= {OF_TEXT + flat(name): layer for name, layer in linear}
    return found


def check_lora_fits(loras: Sequence[Lora], known: Mapping[str, nn.Module]) -> None:
    """Raise ValueError, in one sentence, for a LoRA that changes layers which are not there or have other shapes."""
    for lora in loras:
        for name, change in lora.changes.items():
            layer: Any = known.get(name)
            shape = (change.up.shape[0], *change.down.shape[1:])
            if layer is not None and tuple(layer.weight.shape) == shape:
                continue
            lacks = "does not have" if layer is None else f"has as {list(layer.weight.shape)}"
            raise ValueError(
                f"{lora.name} is a LoRA for another kind of model: it changes '{name}' of {list(shape)}, which this "
                f"checkpoint {lacks}. {WHAT_TO_USE}"
            )


@contextmanager
def lora_attached(known: Mapping[str, nn.Module], loras: Sequence[Lora]) -> Iterator[None]:
    """Let LoRAs change the layers' outputs within this context; the layers themselves stay as they are.

    known: those of `layers`. loras: as `check_lora_fits` lets pass; what is for other layers is left out.
    """
    with ExitStack() as stack:
        for lora in loras:
            for name, change in lora.changes.items():
                if lora.weight and name in known:
                    stack.callback(known[name].register_forward_hook(_hook(change, lora.weight)).remove)
        yield


def _hook(change: LowRank, weight: float) -> Callable[..., Tensor]:
    def add(layer: Any, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        up, down = (part.to(output.device, output.dtype) for part in (change.up, change.down))
        if isinstance(layer, nn.Conv2d):
            inner = F.conv2d(args[0], down, None, layer.stride, layer.padding, layer.dilation)
            return output + weight * change.scale * F.conv2d(inner, up)
        return output + weight * change.scale * F.linear(F.linear(args[0], down), up)

    return add


def _named(unet: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if not is_ldm(unet):
        yield from unet.named_modules()
        return
    for theirs, ours in _LDM_ATTENTIONS.items():
        for name, layer in unet.get_submodule(ours).named_modules():
            yield f"{theirs}.{name}", layer


def same_precision(loras: Sequence[Lora], device: torch.device, dtype: torch.dtype) -> list[Lora]:
    """Return the LoRAs on a device, in a precision, so that they are not converted in each call."""
    return [
        replace(lora, changes={name: LowRank(c.up.to(device, dtype), c.down.to(device, dtype), c.scale)
                               for name, c in lora.changes.items()})
        for lora in loras
    ]  # fmt: skip
