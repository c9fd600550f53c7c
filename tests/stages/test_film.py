"""Frames between two by FILM: its one known file, asked in the right order, and optical flow where it fails."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vcd_ext.media import Clip
from vcd_ext.settings import OnwardSettings
from vcd_ext.stages import film
from vcd_ext.stages.film import check_interpolator, interpolator
from vcd_ext.stages.interpolation import between, interpolated

BY_FILM = OnwardSettings(interpolate=2, interpolate_by="FILM")


class Mixed(nn.Module):
    """Stands for the network: takes what FILM takes, and mixes the two pictures by the place that it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, dtype=torch.float16))

    def forward(self, one: Tensor, two: Tensor, place: Tensor) -> Tensor:
        assert one.shape[2] % 64 + one.shape[3] % 64 == 0, "its sides are whole multiples"
        assert place.shape == (1, 1)
        # Away from the half way it is wrong on purpose, as FILM was trained for that.
        away = (place - 0.5).abs() > 0.01
        return torch.where(away, torch.zeros_like(one), one * (1 - place) + two * place) * self.weight


def network_file(folder: Path) -> str:
    """Write a small network as FILM's file, and return its sum."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.script(Mixed()).save(str(folder / film.FILE))
    return hashlib.blake2b((folder / film.FILE).read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(film, "BLAKE2B", network_file(tmp_path))
    return tmp_path


def flat(*levels: int) -> np.ndarray:
    """Return frames of one level of grey each, whose sides are no multiple of 64."""
    return np.stack([np.full((24, 40, 3), level, np.uint8) for level in levels])


@pytest.mark.parametrize(("times", "expected"), [(2, [10, 15, 20, 20]), (4, [10, 12, 15, 18, 20, 20, 20, 20])])
def test_the_network_paints_what_is_between(folder: Path, times: int, expected: list[int]) -> None:
    notes: list[str] = []
    by = interpolator(BY_FILM, [folder / "nothing", folder], notes.append, "cpu")
    made = interpolated(Clip(flat(10, 20), 8), times, by=by).frames
    assert made.shape == (2 * times, 24, 40, 3)
    assert np.abs(made[:, 0, 0, 0].astype(int) - expected).max() <= 1
    assert (made == made[:, :1, :1]).all(), "edges as well"
    assert notes == []


def test_otherwise_it_is_optical_flow(folder: Path) -> None:
    for settings in (OnwardSettings(interpolate=2), OnwardSettings(interpolate=1, interpolate_by="FILM")):
        assert interpolator(settings, [], lambda _: None) is between
        check_interpolator(settings, [])


def test_what_is_missing_or_another_file_is_said_before_anything_is_computed(folder: Path) -> None:
    check_interpolator(BY_FILM, [folder])
    with pytest.raises(ValueError, match=r"there is no film_net_fp16\.pt in its folders \(.*elsewhere\)"):
        check_interpolator(BY_FILM, [folder / "elsewhere"])
    (folder / film.FILE).write_bytes(b"a program")
    with pytest.raises(ValueError, match="is not the file that Deforum brings, and others are not run"):
        check_interpolator(BY_FILM, [folder])


def test_where_it_fails_the_rest_is_by_flow_and_nothing_is_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(film, "_painted", fail)
    notes: list[str] = []
    clip = Clip(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8), 8)
    made = interpolated(clip, 2, by=interpolator(BY_FILM, [folder], notes.append))
    assert np.array_equal(made.frames, interpolated(clip, 2).frames)
    assert notes == ["FILM failed (CUDA out of memory), so the frames from there on are between by optical flow."]
