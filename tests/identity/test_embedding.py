"""Embedding files: what is read, what is refused, and that saving is safe."""

import os
import re
from pathlib import Path

import pytest
import safetensors
import torch
from safetensors.torch import save_file

from tests import tiny
from vcd_ext.identity import load_embedding, save_embedding
from vcd_ext.identity.embedding import names_meant

VECTORS = torch.arange(8.0).reshape(2, 4)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_reads_the_webuis_layouts(tmp_path: Path, suffix: str):
    vectors = load_embedding(tiny.embedding(tmp_path, "anna", width=64, vectors=3, suffix=suffix))
    assert vectors.shape == (3, 64)
    assert vectors.dtype == torch.float32


@pytest.mark.parametrize("key", ["emb_params", "clip_l", "anna"])
def test_reads_a_single_tensor_of_any_name(tmp_path: Path, key: str):
    save_file({key: VECTORS.half()}, tmp_path / "a.safetensors")
    assert torch.equal(load_embedding(tmp_path / "a.safetensors"), VECTORS)


def test_reads_diffusers_bin_with_one_vector(tmp_path: Path):
    torch.save({"<anna>": VECTORS[0]}, tmp_path / "learned_embeds.bin")
    assert torch.equal(load_embedding(tmp_path / "learned_embeds.bin"), VECTORS[:1])


def test_reads_the_webuis_file_with_all_its_entries(tmp_path: Path):
    entries = {"string_to_token": {"*": 265}, "string_to_param": {"*": VECTORS}, "name": "a", "sd_checkpoint": None}
    torch.save(entries, tmp_path / "a.pt")
    assert torch.equal(load_embedding(tmp_path / "a.pt"), VECTORS)


@pytest.mark.parametrize("ones", [1, 2])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
def test_reads_vectors_in_a_batch_of_one(tmp_path: Path, ones: int, suffix: str):
    batch = VECTORS.reshape(*[1] * ones, 2, 4).clone()
    if suffix == ".safetensors":
        save_file({"emb_params": batch}, tmp_path / "a.safetensors")
    else:
        torch.save({"string_to_param": {"*": torch.nn.Parameter(batch)}}, tmp_path / f"a{suffix}")
    vectors = load_embedding(tmp_path / f"a{suffix}")
    assert torch.equal(vectors, VECTORS)
    assert not vectors.requires_grad


@pytest.mark.parametrize("layout", ["diffusers", "textual inversion", "safetensors"])
def test_reads_each_of_several_concepts(tmp_path: Path, layout: str):
    tensors = {"<rex>": VECTORS, "<ann>": VECTORS[0] * 2}
    path = tmp_path / ("all.safetensors" if layout == "safetensors" else "learned_embeds.bin")
    if layout == "safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors if layout == "diffusers" else {"string_to_param": torch.nn.ParameterDict(tensors)}, path)
    assert torch.equal(load_embedding(path, "<rex>"), VECTORS)
    assert torch.equal(load_embedding(path, "<ann>"), VECTORS[:1] * 2)
    with pytest.raises(ValueError, match="concepts <ann>, <rex>; say which"):
        load_embedding(path)
    assert names_meant(path, "photo of <ann>") == ["<ann>"]
    with pytest.raises(ValueError, match="write the one that is meant into the prompt: <ann> or <rex>"):
        names_meant(path, "photo of somebody")


def test_a_saved_embedding_is_read_back_with_name_and_metadata(tmp_path: Path):
    path = save_embedding(tmp_path / "deep" / "anna.safetensors", VECTORS, {"class": "woman"})
    assert torch.equal(load_embedding(path), VECTORS)
    with safetensors.safe_open(path, "pt") as file:
        assert list(file.keys()) == ["anna"]
        assert file.metadata() == {"class": "woman"}
    assert os.listdir(path.parent) == ["anna.safetensors"]


def test_a_view_that_needs_gradients_can_be_saved(tmp_path: Path):
    table = torch.nn.Parameter(torch.ones(10, 4))
    assert load_embedding(save_embedding(tmp_path / "a.safetensors", table[2:4], None)).shape == (2, 4)


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = save_embedding(tmp_path / "a.safetensors", VECTORS, {})
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_embedding(path, VECTORS * 0, {})
    assert torch.equal(load_embedding(path), VECTORS)
    assert os.listdir(tmp_path) == ["a.safetensors"]


class Exploit:
    """A pickle that runs a command when it is read carelessly."""

    def __reduce__(self):
        return os.system, ("touch exploited",)


def test_code_in_a_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"string_to_param": {"*": Exploit()}}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"could run code.*\.safetensors"):
        load_embedding(tmp_path / "a.pt")
    assert not Path("exploited").exists()


BAD_TENSORS = {
    "SDXL": ({"clip_l": VECTORS, "clip_g": VECTORS.clone()}, "SDXL"),
    "clip_g": ({"clip_g": VECTORS}, r"for SDXL \(it holds 'clip_g'\)"),
    "two": ({"a": VECTORS, "b": VECTORS.clone()}, "the concepts a, b; say which one is meant"),
    "cube": ({"a": VECTORS.repeat(2, 1, 1)}, r"\[2, 2, 4\]"),
    "scalar": ({"a": VECTORS.sum()}, r"float32 \[\]"),
    "none": ({}, "holds no tensor"),
    "empty": ({"a": VECTORS[:0].clone()}, r"\[0, 4\]"),
    "integers": ({"a": VECTORS.long()}, "int64"),
    "nan": ({"a": VECTORS * torch.nan}, "NaN"),
}


@pytest.mark.parametrize("kind", BAD_TENSORS)
def test_tensors_that_are_no_embedding_are_refused(tmp_path: Path, kind: str):
    tensors, reason = BAD_TENSORS[kind]
    save_file(tensors, tmp_path / "bad.safetensors")
    with pytest.raises(ValueError, match=reason):
        load_embedding(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 100])
def test_damaged_files_are_refused(tmp_path: Path, suffix: str, content: bytes):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(path.name)):
        load_embedding(path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str):
    path = tiny.embedding(tmp_path, "anna", suffix=suffix)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ValueError, match="damaged"):
        load_embedding(path)


def test_a_pickle_of_something_else_is_refused(tmp_path: Path):
    torch.save([VECTORS], tmp_path / "a.pt")
    with pytest.raises(ValueError, match="list, not an embedding"):
        load_embedding(tmp_path / "a.pt")


def test_missing_file_and_other_kinds_of_file_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="There is no embedding"):
        load_embedding(tmp_path / "a.pt")
    with pytest.raises(ValueError, match="must end in"):
        load_embedding(tmp_path / "a.png")
    with pytest.raises(ValueError, match="There is no embedding"):
        load_embedding(tmp_path / "folder.pt")


def test_what_cannot_be_saved_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"\.safetensors"):
        save_embedding(tmp_path / "a.pt", VECTORS, {})
    with pytest.raises(ValueError, match="must be texts.*steps"):
        save_embedding(tmp_path / "a.safetensors", VECTORS, {"steps": 5})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="NaN"):
        save_embedding(tmp_path / "a.safetensors", VECTORS * torch.nan, {})
    assert not list(tmp_path.iterdir())
