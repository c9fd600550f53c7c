"""A training of the shipped denoiser is kept as a small difference, and goes on from it elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from tools.toyworld import denoiser_file, difference
from vcd_ext import toyworld

SHIPPED = toyworld.checkpoint().parent


def test_what_is_read_is_what_was_trained_within_a_step_of_its_rows(tmp_path: Path) -> None:
    trained = denoiser_file.load(SHIPPED / difference.SHIPPED, SHIPPED / "clip")
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    generator = torch.Generator().manual_seed(1)
    for value in trained.parameters():
        value.data += 0.01 * torch.randn(value.shape, generator=generator)
    (tmp_path / "run").mkdir()
    torch.save({"average": trained.state_dict()}, tmp_path / "run/state.pt")
    difference.write(tmp_path / "run", SHIPPED, tmp_path / "kept")
    assert (tmp_path / "kept" / difference.FILE).stat().st_size < 6.5e6
    difference.read(tmp_path / "begun", SHIPPED, tmp_path / "kept")
    found = denoiser_file.load(tmp_path / "begun/denoiser.safetensors", tmp_path / "begun/clip").state_dict()
    for name, value in trained.named_parameters():
        rows = (value.detach() - before[name]).reshape(len(value), -1)
        wrong = (found[name] - value.detach()).reshape(len(value), -1)
        assert bool((wrong.abs() <= 0.51 * rows.abs().amax(dim=1, keepdim=True) / difference.LEVELS + 1e-5).all()), name


def test_a_difference_to_another_denoiser_is_refused(tmp_path: Path) -> None:
    trained = denoiser_file.load(SHIPPED / difference.SHIPPED, SHIPPED / "clip")
    torch.save({"average": trained.state_dict()}, tmp_path / "state.pt")
    difference.write(tmp_path, SHIPPED, tmp_path / "kept")
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other, ignore=shutil.ignore_patterns("subjects", "*judges*"))
    denoiser_file.save(trained, other / difference.SHIPPED)
    with pytest.raises(ValueError, match="is the difference to another toyworld.safetensors"):
        difference.read(tmp_path / "begun", other, tmp_path / "kept")
