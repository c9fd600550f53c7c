"""Small files of tensors with a description: what a run saves to go on from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open  # type: ignore[attr-defined]
from torch import Tensor

from vcd_ext.storage import tensor_file
from vcd_ext.storage.atomic import atomically


def write(path: Path, tensors: dict[str, Tensor], description: dict[str, str]) -> None:
    """Write tensors and texts as .safetensors, whole or not at all; OSError in a sentence if that fails."""
    with atomically(path) as part:
        tensor_file.write(part, tensors, description)


def summarize(path: Path) -> Mapping[str, str]:
    """Read the description of a file alone, without its tensors; ValueError as `read`."""
    return _read(path, tensors=False)[0]


def read(path: Path) -> tuple[Mapping[str, str], dict[str, Tensor]]:
    """Read the description and the tensors of a file; ValueError for a file of another kind."""
    return _read(path, tensors=True)


def _read(path: Path, tensors: bool) -> tuple[Mapping[str, str], dict[str, Tensor]]:
    try:
        opened: Any = safe_open(path, framework="pt")
        with opened as file:
            names = file.keys() if tensors else ()
            # Copies: under Windows, a file that is mapped into memory cannot be replaced.
            return file.metadata() or {}, {name: file.get_tensor(name).clone() for name in names}
    except (OSError, SafetensorError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or was written by something else.") from error
