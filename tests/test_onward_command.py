"""`generate` goes on: its files at a higher rate, pictures that it begins and ends with, videos that it continues."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Files
from vcd_ext import media
from vcd_ext.__main__ import main


@pytest.fixture
def call(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a small job in the current folder, whose files are folders of frames, which lose nothing."""
    monkeypatch.chdir(tmp_path)
    sizes = {"width": 64, "height": 64, "steps": 2, "frames": 4, "seed": 5, "formats": "png"}
    models = {"checkpoint": files.checkpoint, "motion-module": files.motion_module, "prompt": "a photo"}
    return ["generate", *(f"--{name}={value}" for name, value in {**models, **sizes}.items())]


def test_a_video_is_interpolated_to_twice_its_rate(call: list[str], tmp_path: Path) -> None:
    assert main([*call, "--out", "plain.png"]) == 0
    assert main([*call, "--out", "twice.png", "--interpolate", "2"]) == 0
    plain, twice = media.read(tmp_path / "plain"), media.read(tmp_path / "twice")
    assert (plain.fps, twice.fps, len(twice.frames)) == (8, 16, 8)
    assert np.array_equal(twice.frames[::2], plain.frames)
    assert "VCD interpolate: 2" in twice.metadata["parameters"]
    assert "interpolate" not in plain.metadata["parameters"]


def test_a_rate_that_is_too_fast_is_refused_before_anything_is_computed(call: list[str], capsys: Any) -> None:
    assert main([*call, "--interpolate", "7"]) == 2
    assert "interpolate is 7; it must be from 1 to 4." in capsys.readouterr().err
