"""Read files of tensors, .safetensors or pickled, without ever running code from them."""

import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError  # type: ignore[attr-defined]

PICKLES = (".ckpt", ".pt", ".pth", ".bin")
_DAMAGE = (SafetensorError, RuntimeError, EOFError, OSError, KeyError, ValueError, zipfile.BadZipFile)


def read(path: Path) -> Any:
    """What the file at `path` holds, on the CPU: {name: tensor} from .safetensors, anything of tensors from a pickle.

    ValueError, in one sentence, for a damaged file and for a pickle with more than tensors and plain values in it.
    """
    try:
        if path.suffix.lower() not in PICKLES:
            return safetensors.torch.load_file(path)
        # Not torch.load: inside the WebUI that name is its own loader, which prints and returns None on failure.
        return torch.serialization.load(str(path), map_location="cpu", weights_only=True, mmap=_mappable(path))
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path.name} is not read because it is damaged or holds more than tensors, which could run code on this "
            "machine; get or save it as .safetensors."
        ) from error
    except _DAMAGE as error:
        raise ValueError(f"{path.name} is damaged or incomplete; copy or download it again.") from error


def read_model(path: Path, what: str, suffixes: Sequence[str], what_to_use: str) -> dict[str, Any]:
    """What the file of a network holds, by name; taken out of "state_dict" where a training has wrapped it in that.

    what: it should be, such as "checkpoint". ValueError, in a sentence, for another suffix, a file that is not there,
    and as `read`; what_to_use ends what is said of another content.
    """
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{path.name} is not a {what}: its name must end in {', '.join(suffixes)}.")
    if not path.is_file():
        raise ValueError(f"There is no {what} at {path}; put the file there or choose another.")
    loaded = read(path)
    if isinstance(loaded, Mapping):
        loaded = loaded.get("state_dict", loaded)
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{path.name} holds a {type(loaded).__name__}, not a {what}. {what_to_use}")
    return {str(key): value for key, value in loaded.items()}


def _mappable(path: Path) -> bool | None:
    # Mapped, a pickle of gigabytes is not copied into memory first; files from before torch 1.6 cannot be.
    return zipfile.is_zipfile(path) or None
