"""Read files of tensors, .safetensors or pickled, without ever running code from them."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError  # type: ignore[attr-defined]
from torch import Tensor

from vcd_ext.storage import unpickler

_BITS = {2: (torch.int16, np.uint16), 4: (torch.int32, np.uint32), 8: (torch.int64, np.uint64)}
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
_DAMAGE = (SafetensorError, RuntimeError, EOFError, OSError, KeyError, ValueError)


def read(path: Path) -> Any:
    """Return the content of the file at `path`, on the CPU: {name: tensor} of .safetensors, whatever a pickle holds.

    Records of a training beside the tensors are read as `unpickler.Record`. ValueError, in one sentence, for a damaged
    file, and for a pickle that names anything else, of which nothing is run.
    """
    if path.suffix.lower() in PICKLES:
        return _unpickled(path)
    try:
        return safetensors.torch.load_file(path)
    except _DAMAGE as error:
        raise ValueError(_damaged(path)) from error


def keys(path: Path) -> list[str]:
    """Return the names of a file's tensors; none for a file that cannot be read."""
    try:
        if path.suffix.lower() not in PICKLES:
            opened: Any = safetensors.safe_open(path, "pt")
            with opened as file:
                return list(file.keys())
        loaded = read(path)
    except (ValueError, OSError, SafetensorError):
        return []
    inner = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else {}
    return list(map(str, inner))


def write(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and texts as .safetensors; OSError, with its number, where the disk does not take them.

    The same tensors and texts give the same bytes. Through memory: safetensors' own writing to a file raises an error
    of its own kind for a full disk, without number.
    """
    header, values = _divided(safetensors.torch.save(dict(tensors), metadata=dict(metadata)))
    with path.open("wb") as file:
        file.write(header)
        file.write(values)


def _divided(data: bytes) -> tuple[bytes, memoryview]:
    """Return a file's header, with its texts in order, and its values: safetensors orders texts by chance."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # values begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text, memoryview(data)[end:]


def check_finite(tensors: Mapping[str, Tensor], name: str) -> None:
    """Raise ValueError, in one sentence, if a network's tensor has NaN or infinite values. name: of its file."""
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not _is_finite(tensor):
            raise ValueError(
                f"{name} has values in '{key}' that are no numbers (NaN or infinite), which would make noise or black "
                "pictures: its training or conversion failed; use another copy."
            )


def _is_finite(tensor: Tensor) -> bool:
    # By the bits, which takes a thirtieth of the time of `isfinite` for half precision: as integers, all that is no
    # number lies above infinity, and as integers without sign also what is negative.
    if not tensor.numel():
        return True
    signed, unsigned = _BITS[tensor.element_size()]
    infinity = torch.tensor(torch.inf, dtype=tensor.dtype)
    bits, limits = (each.detach().cpu().view(signed).numpy() for each in (tensor, torch.stack([infinity, -infinity])))
    return bool(bits.max() < limits[0] and bits.view(unsigned).max() < limits.view(unsigned)[1])


def _unpickled(path: Path) -> Any:
    zipped = _is_zip(path)
    try:
        # torch hands a program over to torch.jit, which runs it.
        program = zipped and "constants.pkl" in _records(path)
        # Not torch.load: inside the WebUI that name is its own loader, which prints and returns None on failure.
        # Mapped, a pickle of gigabytes is not copied into memory first; files from before torch 1.6 cannot be.
        load = partial(torch.serialization.load, map_location="cpu", pickle_module=unpickler, weights_only=False)
        loaded = None if program else load(str(path), mmap=zipped or None)
    except unpickler.ForbiddenError as error:
        raise ValueError(
            f"{path.name} is not read because it holds more than tensors ({error}), which could run code on this "
            "machine; get or save it as .safetensors."
        ) from error
    except Exception as error:  # bytes in disorder lead to any kind
        raise ValueError(_damaged(path)) from error
    if program:
        raise ValueError(
            f"{path.name} is not read because it is TorchScript, a program that comes with its weights; get or save "
            "the weights alone, as .safetensors."
        )
    return loaded


def _damaged(path: Path) -> str:
    return f"{path.name} is damaged or incomplete; copy or download it again."


def read_model(path: Path, what: str, suffixes: Sequence[str], what_to_use: str) -> dict[str, Any]:
    """Return the tensors in a network's file by name, taken out of "state_dict" if a trainer has put them there.

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


def _records(path: Path) -> list[str]:
    reader: Any = torch._C.PyTorchFileReader(str(path))
    names: list[str] = reader.get_all_records()
    return names


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"  # as torch itself tells the two kinds apart
