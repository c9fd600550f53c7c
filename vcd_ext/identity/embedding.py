"""Embedding files: an identity is k vectors that stand in the prompt for the embedding's name.

The layouts are those of the WebUI's textual inversion, of diffusers, and of kohya's trainer.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from vcd_ext import tensorfile
from vcd_ext.atomic import atomically
from vcd_ext.tensorfile import read

SUFFIXES = (".safetensors", ".pt", ".bin")


def load_embedding(path: str | Path) -> Tensor:
    """The vectors of an embedding file: float32 [k, width], on the CPU (width 768 for SD1.5).

    Reads .safetensors with one tensor, and .pt or .bin as the WebUI or diffusers write them; never runs code from
    the file. ValueError says in one sentence what is wrong with it.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name} is not an embedding: its name must end in {', '.join(SUFFIXES)}.")
    if not path.is_file():
        raise ValueError(f"There is no embedding at {path}; train one or choose another file.")
    return _checked(_only_tensor(read(path), path.name), path.name)


def save_embedding(path: str | Path, vectors: Tensor, metadata: Mapping[str, str] | None = None) -> Path:
    """Write vectors [k, width] as .safetensors with one tensor named after the file, and return the path.

    The file appears whole or not at all, so a WebUI that is looking at its folder never reads half of it.
    ValueError where the suffix, the vectors or the metadata cannot be written.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"An embedding is saved as .safetensors, not as {path.name}.")
    if wrong := [key for key, value in (metadata or {}).items() if not isinstance(value, str)]:
        raise ValueError(f"The metadata of {path.name} must be texts; these are not: {', '.join(wrong)}.")
    # A copy: the vectors may be part of a larger tensor or need gradients, and safetensors saves neither.
    tensor = _checked(vectors.detach(), path.name).cpu().clone()
    with atomically(path) as part:
        tensorfile.write(part, {path.stem: tensor}, metadata or {})
    return path


def _only_tensor(loaded: Any, name: str) -> Tensor:
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{name} holds a {type(loaded).__name__}, not an embedding.")
    if {"clip_l", "clip_g"} <= loaded.keys():
        raise ValueError(f"{name} is an embedding for SDXL; VCD works with SD1.5, whose embeddings have 768 values.")
    inner = loaded.get("string_to_param")
    tensors = [v for v in (inner if isinstance(inner, Mapping) else loaded).values() if isinstance(v, Tensor)]
    if len(tensors) != 1:
        raise ValueError(f"{name} holds {len(tensors)} tensors; an embedding holds one, of shape [vectors, width].")
    return tensors[0]


def _checked(tensor: Tensor, name: str) -> Tensor:
    """The tensor as float32 [k, width]; ValueError unless it can be vectors for a text encoder."""
    vectors = tensor[None] if tensor.dim() == 1 else tensor
    if vectors.dim() != 2 or vectors.numel() == 0 or not vectors.is_floating_point():
        raise ValueError(
            f"{name} holds {tensor.dtype} {list(tensor.shape)}, which is no embedding; it must be numbers of shape "
            "[vectors, width]."
        )
    if not vectors.isfinite().all():
        raise ValueError(f"{name} holds NaN or infinite values; the training that made it failed.")
    return vectors.float()
