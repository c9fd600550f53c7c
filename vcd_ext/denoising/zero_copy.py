"""Make a network from the tensors of a file, without copying them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def from_state_dict(make: Callable[[], Network], state: Mapping[str, Tensor]) -> Network:
    """Return the network that `make` makes, in evaluation mode, with exactly these tensors in their own precision.

    The tensors are not copied, and none is allocated before: a mapped file is read when it is computed with.
    ValueError names a tensor that is missing, unknown or of another shape; it begins with a verb, for a sentence.

    Not by `load_state_dict`: the WebUI replaces that of all modules while it loads a checkpoint, and its own cannot
    take tensors over (modules/sd_disable_initialization.py in 1.10.1). Its page is made in the meantime.
    """
    with torch.device("meta"):
        network = make()
    expected = network.state_dict()
    for key in sorted(expected.keys() ^ state.keys()):
        raise ValueError(f"lacks '{key}'" if key in expected else f"has the unknown tensor '{key}'")
    for key, tensor in state.items():
        if tensor.shape != expected[key].shape:
            raise ValueError(f"has '{key}' as {list(tensor.shape)} instead of {list(expected[key].shape)}")
        owner, _, name = key.rpartition(".")
        module = network.get_submodule(owner)
        if name in module._parameters:
            module._parameters[name] = nn.Parameter(tensor, requires_grad=False)
        else:
            module._buffers[name] = tensor
    return network.eval().requires_grad_(False)
