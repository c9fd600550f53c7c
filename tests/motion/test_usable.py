"""Which motion module somebody gets who has chosen none: one that works as it is."""

from pathlib import Path

import pytest

from tests import tiny
from vcd_ext.motion import load, suggested, usable


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Those that cannot be used come first."""
    damaged = {name: tmp_path / name for name in ("broken.safetensors", "cut.ckpt")}
    damaged["broken.safetensors"].write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    damaged["cut.ckpt"].write_bytes(b"PK\x03\x04 half of it")
    modules = {version: tiny.motion_module(tmp_path, version) for version in ("v1", "AnimateLCM", "v3", "v2")}
    return {**damaged, "gone": tmp_path / "gone.ckpt", "control": tiny.controlnet(tmp_path), **modules}


def test_files_that_cannot_be_used_are_passed_over(files: dict[str, Path]) -> None:
    assert list(usable(files)) == [("v1", "v1"), ("AnimateLCM", "AnimateLCM"), ("v3", "v3"), ("v2", "v2")]


def test_lightning_has_the_tensors_of_v2_and_is_told_by_its_name(tmp_path: Path) -> None:
    path = tiny.motion_module(tmp_path, "v2").rename(tmp_path / "AnimateDiff-Lightning_4step_comfyui.safetensors")
    assert list(usable({"a": path})) == [("a", "Lightning")]
    assert suggested({"a": path}) is None
    assert load(path).version == "Lightning"


def test_the_first_is_suggested_that_needs_nothing_special(files: dict[str, Path]) -> None:
    assert suggested(files) == "v3"
    del files["v3"], files["v2"]
    assert suggested(files) == "v1"
    del files["v1"]
    assert suggested(files) is None
    assert suggested({}) is None
