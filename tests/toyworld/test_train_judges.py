"""The judges' training resumes bit for bit, and what it writes can be loaded and measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tools.toyworld import measure_judges, train_judges
from tools.toyworld.judge_batches import Subjects, picture_batch
from vcd_ext.toyworld.judging import load_judges, new_picture_judge

SMALL = [
    "--picture-steps", "4", "--pairs", "2",
    "--subject-steps", "4", "--clips", "1", "--singles", "3", "--strangers", "12", "--others", "64",
    "--sceneries", "4",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    train_judges.main(["--out", str(out), *SMALL])
    return out


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained in three pieces: to the middle of one network, to the middle of the other, to the end."""
    out = tmp_path_factory.mktemp("interrupted")
    for stop in (["--stop-at", "2"], ["--stop-at", "6"], []):
        assert not (out / "judges.safetensors").exists()
        train_judges.main(["--out", str(out), *SMALL, *stop])
    return out


@pytest.mark.parametrize("network", ["pictures", "subjects"])
def test_an_interrupted_training_ends_the_same(whole: Path, interrupted: Path, network: str) -> None:
    one, two = (torch.load(folder / f"{network}.pt", weights_only=True) for folder in (whole, interrupted))
    assert one["step"] == two["step"] == 4
    for part in ("model", "average"):
        for name, tensor in one[part].items():
            assert torch.equal(tensor, two[part][name]), f"{part}: {name}"
    moments = zip(one["optimiser"]["state"].values(), two["optimiser"]["state"].values(), strict=True)
    assert all(torch.equal(a["exp_avg_sq"], b["exp_avg_sq"]) for a, b in moments)


def test_other_settings_do_not_resume(whole: Path) -> None:
    with pytest.raises(ValueError, match="was made with pairs = 2, not 5; use the same settings"):
        train_judges.main(["--out", str(whole), *SMALL, "--pairs", "5"])


def test_the_file_holds_the_averaged_weights_in_half_precision(whole: Path) -> None:
    judges = load_judges(whole / "judges.safetensors")
    average = torch.load(whole / "pictures.pt", weights_only=True)["average"]
    for name, tensor in judges.pictures.state_dict().items():
        expected = average[name].half().float() if average[name].is_floating_point() else average[name]
        assert torch.equal(tensor, expected), name
    assert (whole / "judges.safetensors").stat().st_size < 2.6e6


def test_a_step_sees_the_same_batch_whenever_it_runs() -> None:
    for first, second in zip(picture_batch(0, 7, 2), picture_batch(0, 7, 2), strict=True):
        assert torch.equal(first, second)
    finder = new_picture_judge()
    one, two = (Subjects(0, finder, sceneries=4, others=16).batch(3, 1, 2) for _ in range(2))
    assert torch.equal(one.cut.subjects, two.cut.subjects)
    assert torch.equal(one.traits, two.traits)


def test_the_table_has_every_measure(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for views in ("GALLERY", "QUERIES"):
        monkeypatch.setattr(measure_judges, views, getattr(measure_judges, views)[:1])
    few = ["--pictures", "6", "--clips", "4", "--individuals", "4", "--out", str(tmp_path / "table.json")]
    table = measure_judges.main([str(whole / "judges.safetensors"), *few])
    assert set(table) == {"kind", "scene", "mask IoU", "face IoU", "action", "action of 8", "identity"}
    for looks in table.values():
        assert set(looks) == {"clean", "softened"}
        assert all(0 <= share <= 1 for shares in looks.values() for share in shares.values())
    assert (tmp_path / "table.json").is_file()


def test_perfect_answers_would_measure_as_perfect() -> None:
    box = np.array([10, 20, 30, 50], np.float32)
    assert measure_judges.box_overlap((10, 20, 30, 50), box) == pytest.approx(1)
    assert measure_judges.box_overlap((10, 20, 20, 50), box) == pytest.approx(0.5)
    assert measure_judges.box_overlap(None, box) == 0
    mask = np.zeros((128, 128), np.uint8)
    mask[10:20, 10:20] = 255
    assert measure_judges.mask_overlap(mask, mask) == 1
    assert measure_judges.mask_overlap(np.roll(mask, 5, axis=1), mask) == pytest.approx(1 / 3)
