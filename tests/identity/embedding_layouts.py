"""Embedding files as the programs write them that make embeddings for SD1.5."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from vcd_ext.identity import save_embedding

NAME = "layoutling"


def _webui(folder: Path, vectors: Tensor) -> Path:
    entries = {
        "string_to_token": {"*": 265}, "string_to_param": {"*": vectors}, "name": NAME, "step": 300,
        "sd_checkpoint": "0123456789", "sd_checkpoint_name": "v1-5-pruned",
    }  # fmt: skip
    torch.save(entries, folder / f"{NAME}.pt")
    return folder / f"{NAME}.pt"


def _magic_me(folder: Path, vectors: Tensor) -> Path:
    torch.save({"string_to_param": {"*": vectors}}, folder / f"{NAME}.pt")
    return folder / f"{NAME}.pt"


def _diffusers(folder: Path, vectors: Tensor) -> Path:
    torch.save({f"<{NAME}>": vectors}, folder / f"{NAME}.bin")
    return folder / f"{NAME}.bin"


def _named(key: str) -> Callable[[Path, Tensor], Path]:
    def write(folder: Path, vectors: Tensor) -> Path:
        save_file({key: vectors}, folder / f"{NAME}.safetensors")
        return folder / f"{NAME}.safetensors"

    return write


# Each writes vectors [k, width] into a folder; the file's path.
LAYOUTS: dict[str, Callable[[Path, Tensor], Path]] = {
    "ours": lambda folder, vectors: save_embedding(folder / f"{NAME}.safetensors", vectors, {"class": "dog"}),
    "the WebUI's": _webui,
    "Magic-Me's": _magic_me,
    "diffusers'": _diffusers,
    "kohya's": _named("emb_params"),
    "ComfyUI's": _named("clip_l"),
}


def vectors_of(count: int, width: int) -> Tensor:
    """Vectors [count, width] that no rounding leaves as they are."""
    return torch.randn(count, width, generator=torch.Generator().manual_seed(count)) / 3
