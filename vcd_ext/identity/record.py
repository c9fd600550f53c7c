"""Small files of tensors with a description: what a training saves to go on from."""

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError  # type: ignore[attr-defined]
from torch import Tensor

from vcd_ext.atomic import atomically

_HEADER = 8  # bytes that hold the length of the description


def write(path: Path, tensors: dict[str, Tensor], description: dict[str, str]) -> None:
    """Write tensors and texts as .safetensors, whole or not at all; OSError in a sentence if that fails."""
    with atomically(path) as part:
        safetensors.torch.save_file(tensors, part, metadata=description)


def read(path: Path) -> tuple[Mapping[str, str], dict[str, Tensor]]:
    """The description and the tensors of a file; ValueError for a file that is no such thing.

    The file is not mapped into memory: under Windows it could not be replaced then.
    """
    try:
        data = path.read_bytes()
        length = int.from_bytes(data[:_HEADER], "little")
        tensors = {name: tensor.clone() for name, tensor in safetensors.torch.load(data).items()}
        return json.loads(data[_HEADER : _HEADER + length]).get("__metadata__", {}), tensors
    except (OSError, SafetensorError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or was not written by a training.") from error
