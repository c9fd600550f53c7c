"""Pickles: tensors are read from what trainers really save, and nothing that a file names is run."""

import argparse
import os
import pickle
import sys
import types
from collections import Counter, OrderedDict, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from torch import Tensor, nn

from tests import tiny
from vcd_ext.hosts.diffusers import checkpoint
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.identity import load_embedding
from vcd_ext.motion import load as load_motion
from vcd_ext.storage.tensor_file import check_finite, read, write

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.ones(2).half()}


@pytest.fixture
def lightning(monkeypatch: pytest.MonkeyPatch) -> type:
    """Return the class ModelCheckpoint of a Lightning that is not there when the file is read."""
    names = ["pytorch_lightning", "pytorch_lightning.callbacks", "pytorch_lightning.callbacks.model_checkpoint"]
    modules = {name: types.ModuleType(name) for name in names}
    kind = type("ModelCheckpoint", (), {"__module__": names[-1]})
    modules[names[-1]].ModelCheckpoint = kind  # type: ignore[attr-defined]
    for name in names:
        monkeypatch.setitem(sys.modules, name, modules[name])
    return kind


def as_trained(weights: dict[str, Any], lightning: type) -> dict[str, Any]:
    """Return what a trainer saves: v1-5-pruned-emaonly.ckpt holds the first five."""
    callback = lightning()
    callback.best = np.float64(0.25)
    return {
        "state_dict": weights,
        "epoch": 0,
        "global_step": np.int64(840000),
        "pytorch-lightning_version": "1.4.2",
        "callbacks": {lightning: {"monitor": "val/loss", "best_model_score": np.float32(0.25), "of": callback}},
        "optimizer_states": [torch.optim.AdamW([nn.Parameter(torch.ones(2))]).state_dict()],
        "rng": np.random.RandomState(0).get_state(),
        "seen": {1, 2},
        "hyper_parameters": OmegaConf.create({"model": {"layers": [1, 2]}}),
        "args": argparse.Namespace(out=Path("/tmp"), when=datetime(2022, 10, 1)),
        "counts": [defaultdict(list, a=[1]), Counter("aab"), torch.float16, torch.device("cpu"), torch.Size([2])],
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".pth", ".bin"])
def test_tensors_are_read_beside_what_trainers_leave(tmp_path: Path, lightning: type, suffix: str, zipped: bool):
    path = tmp_path / f"a{suffix}"
    torch.save(as_trained(WEIGHTS, lightning), path, _use_new_zipfile_serialization=zipped)
    for name in [name for name in sys.modules if name.startswith("pytorch_lightning")]:
        del sys.modules[name]
    loaded = read(path)
    assert loaded["state_dict"].keys() == WEIGHTS.keys()
    assert all(torch.equal(loaded["state_dict"][key], value) for key, value in WEIGHTS.items())
    assert loaded["global_step"] == 840000
    assert (loaded["rng"][1] == np.random.RandomState(0).get_state()[1]).all()
    assert "pytorch_lightning" not in sys.modules, "the class was imported"


@pytest.mark.parametrize("kind", ["checkpoint", "motion module", "ControlNet"])
def test_every_network_is_read_from_a_trainers_file(tmp_path: Path, files, lightning: type, kind: str):
    from safetensors.torch import load_file

    if kind == "checkpoint":
        source, read_it = files.checkpoint, checkpoint.load
    elif kind == "motion module":
        source, read_it = tiny.motion_module(tmp_path), load_motion
    else:
        unet = checkpoint.load(files.checkpoint).unet
        source, read_it = tiny.controlnet(tmp_path), lambda path: controlnet_file.load(path, unet)  # type: ignore[assignment]
    torch.save(as_trained(load_file(source), lightning), tmp_path / "trained.ckpt")
    read_it(tmp_path / "trained.ckpt")


@pytest.mark.parametrize("old", [True, False])
def test_the_original_textual_inversion_is_read(tmp_path: Path, old: bool):
    """Its vectors lie in a torch.nn.ParameterDict; before torch 1.12 its items were not attributes."""
    vectors = torch.arange(8.0).reshape(2, 4)
    parameters = nn.ParameterDict({"*": nn.Parameter(vectors)})
    if old:
        parameters.__dict__.pop("_keys", None)
    saved = {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": parameters}
    torch.save(saved, tmp_path / "embeddings.pt")
    assert torch.equal(load_embedding(tmp_path / "embeddings.pt"), vectors)


class Runs:
    """A pickle that calls something when it is read carelessly."""

    def __init__(self, function: Any, *arguments: Any):
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


RAN = "ran"
EXPLOITS = {
    "system": Runs(os.system, f"touch {RAN}"),
    "eval": Runs(eval, f"open('{RAN}', 'w')"),
    "exec": Runs(exec, f"open('{RAN}', 'w')"),
    "open": Runs(open, RAN, "w"),
    "getattr": Runs(getattr, "a", "upper"),
    "partial": Runs(__import__("functools").partial, os.system, f"touch {RAN}"),
    "hub": Runs(torch.hub.load, "a", "b"),
    "bytes": Runs(torch.storage._load_from_bytes, b"\x80\x02."),
    "runstring": Runs(__import__("numpy.testing", fromlist=["runstring"]).runstring, f"open('{RAN}','w')", {}),
    "import": Runs(__import__, "this"),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", EXPLOITS)
def test_nothing_that_a_file_names_is_run(tmp_path: Path, monkeypatch, name: str, zipped: bool):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": WEIGHTS, "x": EXPLOITS[name]}, "evil.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"evil\.ckpt .*\(\w+\..*could run code.*\.safetensors"):
        read(Path("evil.ckpt"))
    assert not Path(RAN).exists()


def test_a_record_runs_none_of_its_classes_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Neither constructor nor state of a class of this name is called, though it can be imported."""

    class Callback:
        def __setstate__(self, _state: Any) -> None:
            raise AssertionError("ran")

    Callback.__module__, Callback.__qualname__ = "lightning", "Callback"
    monkeypatch.setitem(sys.modules, "lightning", types.ModuleType("lightning"))
    sys.modules["lightning"].Callback = Callback  # type: ignore[attr-defined]
    callback = Callback()
    callback.a = 1  # type: ignore[attr-defined]
    torch.save({"a": WEIGHTS["a.weight"], "callback": callback}, tmp_path / "a.ckpt")
    assert torch.equal(read(tmp_path / "a.ckpt")["a"], WEIGHTS["a.weight"])


def test_a_file_cannot_change_what_it_may_call(tmp_path: Path):
    """The opcode BUILD sets attributes on whatever lies on the stack, functions and classes as well."""
    before = dict(vars(torch._utils._rebuild_tensor_v2))
    for name in (b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch.nn.modules.container\nParameterDict\n"):
        content = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
        content += b"\x80\x02" + name + b"(N}X\x01\x00\x00\x00aK\x01sttb."  # BUILD with (None, {"a": 1})
        (tmp_path / "a.pt").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.pt"):
            load_embedding(tmp_path / "a.pt")
    assert dict(vars(torch._utils._rebuild_tensor_v2)) == before
    assert not hasattr(nn.ParameterDict, "a")


def test_a_program_is_refused_and_not_run(tmp_path: Path):
    class Network(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            return values

    torch.jit.save(torch.jit.script(Network()), tmp_path / "net.pt")
    with pytest.raises(ValueError, match=r"net\.pt .*TorchScript"):
        read(tmp_path / "net.pt")


def test_an_ordered_state_dict_with_metadata_is_a_mapping(tmp_path: Path):
    state = nn.Linear(2, 2).state_dict()
    torch.save(state, tmp_path / "a.pth")
    assert isinstance(read(tmp_path / "a.pth"), OrderedDict)


def test_a_damaged_pickle_is_one_sentence(tmp_path: Path):
    """One byte is another one; in the oldest layout nothing checks it."""
    path = tmp_path / "a.pt"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    refusals = []
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        refusals += refusal(path)
    assert len(refusals) > 20
    assert all("a.pt" in sentence and "\n" not in sentence for sentence in refusals)


def refusal(path: Path) -> list[str]:
    """Return the sentence by which a file is refused, if it is."""
    try:
        read(path)
    except ValueError as error:
        return [str(error)]
    return []


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("value", [torch.nan, -torch.nan, torch.inf, -torch.inf])
def test_values_that_are_no_numbers_are_found(value: float, dtype: torch.dtype):
    most = torch.finfo(dtype)
    tensor = torch.tensor([[most.max, -most.max, 0.0], [-0.0, most.tiny, 1.0]], dtype=dtype)
    check_finite({"a": tensor, "b": tensor.t(), "c": tensor[:0], "d": torch.ones(2, dtype=torch.int64)}, "net.pth")
    tensor[1, 1] = value
    for changed in (tensor, tensor.t(), tensor[1:, 1:]):
        with pytest.raises(ValueError, match=r"net\.pth has values in 'a' that are no numbers"):
            check_finite({"a": changed}, "net.pth")


def test_the_same_tensors_and_texts_give_the_same_bytes_in_whatever_order(tmp_path: Path) -> None:
    texts = {f"text {i}": f"{i} é" for i in range(12)}
    for name, order in (("a", texts), ("b", dict(reversed(texts.items())))):
        write(tmp_path / name, WEIGHTS, order)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with safe_open(tmp_path / "a", "pt") as file:
        assert file.metadata() == texts
        assert torch.equal(file.get_tensor("a.weight"), WEIGHTS["a.weight"])
