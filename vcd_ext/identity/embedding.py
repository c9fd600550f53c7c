"""Embedding files: an identity is k vectors that stand in the prompt for the embedding's name.

The layouts are those of the WebUI's textual inversion, of diffusers, and of kohya's trainer.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from vcd_ext.prompt.names import mentions
from vcd_ext.storage import tensor_file
from vcd_ext.storage.atomic import atomically
from vcd_ext.storage.tensor_file import read

SUFFIXES = (".safetensors", ".pt", ".bin")


# Names of tensors that tell what other text encoder vectors are for.
_OTHER_ENCODERS = {"clip_g": "SDXL", "t5xxl": "SD3 or Flux", "clip_h": "SD2"}


def load_embedding(path: str | Path, concept: str | None = None) -> Tensor:
    """Read the vectors of an embedding file: float32 [k, width], on the CPU (width 768 for SD1.5).

    Reads .safetensors, and .pt or .bin as textual inversion, the WebUI or diffusers write them; never runs code from
    the file. concept: which one, where a file holds several. ValueError says in one sentence what is wrong with it.
    """
    path, found = Path(path), load_concepts(path)
    chosen = next(iter(found)) if concept is None and len(found) == 1 else concept
    if chosen not in found:
        raise ValueError(f"{path.name} holds the concepts {', '.join(sorted(found))}; say which one is meant.")
    return found[chosen]


def load_concepts(path: str | Path) -> dict[str, Tensor]:
    """Read the vectors [k, width] of an embedding file, as `load_embedding` does, by the names of its concepts.

    That is the file's own name, and the concepts' where it holds several.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path.name} is not an embedding: its name must end in {', '.join(SUFFIXES)}.")
    if not path.is_file():
        raise ValueError(f"There is no embedding at {path}; train one or choose another file.")
    found = {key: _checked(tensor, path.name) for key, tensor in _tensors(read(path), path.name).items()}
    return found if len(found) > 1 else dict.fromkeys([path.stem], *found.values())


def names_meant(path: str | Path, prompt: str) -> list[str]:
    """Return the names by which a prompt calls a file's embedding: of several concepts those that it mentions.

    ValueError, in one sentence, if there are several and it mentions none.
    """
    names = list(load_concepts(path))
    meant = names if len(names) == 1 else [name for name in names if mentions(prompt, name)]
    if not meant:
        raise ValueError(
            f"{Path(path).name} holds several concepts; write the one that is meant into the prompt: "
            f"{' or '.join(sorted(names))}."
        )
    return meant


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
        tensor_file.write(part, {path.stem: tensor}, metadata or {})
    return path


def _tensors(loaded: Any, name: str) -> dict[str, Tensor]:
    """Return the tensors of a file that may be an embedding, by their names there."""
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{name} holds a {type(loaded).__name__}, not an embedding.")
    for key, kind in _OTHER_ENCODERS.items():
        if key in loaded:
            raise ValueError(
                f"{name} is an embedding for {kind} (it holds '{key}'); VCD works with SD1.5, whose embeddings have "
                "768 values."
            )
    inner = loaded.get("string_to_param")
    tensors = (inner if isinstance(inner, Mapping) else loaded).items()
    found = {str(key): value for key, value in tensors if isinstance(value, Tensor)}
    if not found:
        raise ValueError(f"{name} holds no tensor; an embedding holds one, of shape [vectors, width].")
    return found


def _checked(tensor: Tensor, name: str) -> Tensor:
    """Return the tensor as float32 [k, width]; ValueError unless it can be vectors for a text encoder."""
    vectors = tensor.detach()[None] if tensor.dim() == 1 else tensor.detach()
    while vectors.dim() > 2 and len(vectors) == 1:  # some trainers keep their batch of one
        vectors = vectors[0]
    if vectors.dim() != 2 or vectors.numel() == 0 or not vectors.is_floating_point():
        raise ValueError(
            f"{name} holds {tensor.dtype} {list(tensor.shape)}, which is no embedding; it must be numbers of shape "
            "[vectors, width]."
        )
    if not vectors.isfinite().all():
        raise ValueError(f"{name} holds NaN or infinite values; the training that made it failed.")
    return vectors.float()
