"""The tensor in a file is the same for us and for ComfyUI, whoever wrote it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.identity.embedding_layouts import LAYOUTS, vectors_of
from vcd_ext.identity import load_embedding

WIDTH, KEY = 768, "clip_l"  # what ComfyUI asks an SD1.5 text encoder's embedding for


def comfyui(folder: Path, name: str) -> Tensor:
    """Return the vectors [k, 768] of `embedding:name` by ComfyUI's rules.

    It appends .safetensors, .pt and .bin in turn to the name. A pickle is read with `weights_only`. Of what is read,
    the first of `string_to_param` counts, if that is there; else the entry `clip_l`; else the first entry. One vector
    may stand without a row. The vectors go into the text encoder as they are, so their width must be its own.
    """
    paths = (folder / f"{name}{suffix}" for suffix in (".safetensors", ".pt", ".bin"))
    path = next(path for path in paths if path.is_file())
    read: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
    assert isinstance(read, Mapping)
    inner = read.get("string_to_param")
    found = next(iter(inner.values())) if inner is not None else read.get(KEY, next(iter(read.values())))
    vectors = found[None] if found.dim() == 1 else found
    assert vectors.shape[-1] == WIDTH
    return vectors


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_comfyui_and_we_read_the_same_from_every_layout(layout: str, count: int, tmp_path: Path) -> None:
    vectors = vectors_of(count, WIDTH)
    path = LAYOUTS[layout](tmp_path, vectors)
    assert torch.equal(load_embedding(path), vectors)
    assert torch.equal(comfyui(tmp_path, path.stem), vectors)


def test_what_comfyui_would_not_find_among_several_tensors_is_refused_by_us_too(tmp_path: Path) -> None:
    torch.save([{"a": vectors_of(1, WIDTH)}, {"b": vectors_of(1, 1280)}], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="list, not an embedding"):
        load_embedding(tmp_path / "list.pt")
