"""Products of a motion module's layers, by the faster of the two libraries that PyTorch has on a CPU.

PyTorch's own `linear` is MKL's there, which first copies the bias into every row. oneDNN, with which PyTorch computes
convolutions, makes the same sums in a tenth to a third less time on AMD's processors (`python -m benchmarks.temporal`)
and applies a GELU on the way. PyTorch offers its products to what its compiler makes; they know no gradients.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def quick(tokens: Tensor, layer: nn.Linear) -> bool:
    """Return whether oneDNN computes this product: float32 on a CPU that has it, with nothing to learn from."""
    return (
        tokens.device.type == "cpu"
        and tokens.dtype == layer.weight.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.is_autocast_cpu_enabled()
        and _offered()
    )


def product(tokens: Tensor, layer: nn.Linear) -> Tensor:
    """Return what the layer makes of the tokens [..., in]: a new tensor [..., out]."""
    return _quickly(tokens, layer.weight, layer.bias) if quick(tokens, layer) else layer(tokens)


def gated(tokens: Tensor, layer: nn.Linear) -> Tensor:
    """Return value * gelu(gate) of tokens [..., in], where the layer makes both one beside the other: [..., out / 2].

    Quickly, each half is a product of its own, and the values are multiplied where they are.
    """
    if not quick(tokens, layer):
        value, gate = layer(tokens).chunk(2, dim=-1)
        return value * F.gelu(gate)
    values, gates = layer.weight.chunk(2)
    biases = (None, None) if layer.bias is None else layer.bias.chunk(2)
    opened = _quickly(tokens, gates, biases[1], "gelu")
    return _quickly(tokens, values, biases[0]).mul_(opened)


def together(tokens: Tensor, layers: Sequence[nn.Linear]) -> Sequence[Tensor]:
    """Return what each layer makes of the same tokens; one product where their weights lie one behind the other.

    oneDNN gains nothing by one product of three times the width; a GPU reads the tokens once and starts one kernel.
    """
    one = None if torch.is_grad_enabled() or quick(tokens, layers[0]) else _joined(layers)
    if one is None or one.dtype != tokens.dtype:
        return [product(tokens, layer) for layer in layers]
    return F.linear(tokens, one).chunk(len(layers), dim=-1)


def join(layers: Sequence[nn.Linear]) -> None:
    """Let the weights of layers without biases lie one behind the other; the values and all names stay.

    A weight that is replaced afterwards, by a motion LoRA or on another device, is no longer found among the others.
    """
    if _joined(layers) is None:
        whole = torch.cat([layer.weight.data for layer in layers])
        for layer, weight in zip(layers, whole.chunk(len(layers)), strict=True):
            layer.weight.data = weight


def summed(change: Tensor, before: Tensor) -> Tensor:
    """Return before + change; in place of the change, which nobody else may hold, where nothing is learned."""
    if torch.is_grad_enabled() or change.dtype != before.dtype:
        return before + change
    return change.add_(before)


def _quickly(tokens: Tensor, weight: Tensor, bias: Tensor | None, then: str = "none") -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(tokens, weight, bias, then, [], "none" if then == "gelu" else "")


def _joined(layers: Sequence[nn.Linear]) -> Tensor | None:
    """Return the weights of all layers as one, where they lie so in memory at this moment."""
    first = layers[0].weight.data
    for number, weight in enumerate(layer.weight.data for layer in layers):
        if (
            weight.untyped_storage().data_ptr() != first.untyped_storage().data_ptr()
            or weight.storage_offset() != first.storage_offset() + number * first.numel()
            or (weight.dtype, weight.shape, weight.is_contiguous()) != (first.dtype, first.shape, True)
        ):
            return None
    return first.as_strided((len(layers) * first.shape[0], first.shape[1]), (first.shape[1], 1))


@cache
def _offered() -> bool:
    """Try it once: not every PyTorch is built with oneDNN, and the name is not promised to later ones."""
    some: Any = torch.ones(2, 2)
    try:
        with torch.no_grad():
            return torch.equal(_quickly(some, some, None), some @ some)
    except (AttributeError, RuntimeError, TypeError):
        return False
