"""The one command that measures Face VCD and Tiled VCD: it goes on where it stopped, and names what is missed."""

from pathlib import Path

import pytest

from benchmarks import repair
from benchmarks.repair import Kind, Sizes
from benchmarks.rows import Row


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the parts that were measured, of two; the second is stopped while "fails" stands here."""
    asked: list[str] = []

    def good(_: Sizes) -> list[Row]:
        asked.append("good")
        return [Row("weights, off 1 by", 1e-8, high=1e-6), Row("seconds", 3.0)]

    def bad(sizes: Sizes) -> list[Row]:
        asked.append("bad")
        if "fails" in asked:
            raise KeyboardInterrupt
        return [Row("flicker over that of plain enlarging", float(sizes.videos), high=1.1)]

    kinds = {"good": Kind("Good", good), "bad": Kind("Bad", bad, ("videos",), of_world=True)}
    monkeypatch.setattr(repair, "KINDS", kinds)
    monkeypatch.setattr(repair, "weights", lambda: "abc")
    return asked


def test_an_interrupted_run_goes_on_with_what_is_missing(asked: list[str], tmp_path: Path) -> None:
    asked.append("fails")
    with pytest.raises(KeyboardInterrupt):
        repair.main(["--out", str(tmp_path)])
    assert "Not measured yet." in (tmp_path / "repair.md").read_text()
    asked.clear()
    repair.main(["--out", str(tmp_path)])
    assert asked == ["bad"]
    assert "Not measured yet." not in (tmp_path / "repair.md").read_text()
    repair.main(["--out", str(tmp_path)])
    assert asked == ["bad"], "all is known"


def test_other_weights_or_sizes_are_measured_anew(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repair.main(["--out", str(tmp_path)])
    asked.clear()
    repair.main(["--out", str(tmp_path), "--videos", "2"])
    monkeypatch.setattr(repair, "weights", lambda: "def")
    repair.main(["--out", str(tmp_path), "--videos", "2"])
    assert asked == ["bad", "bad"]


def test_parts_that_are_named_and_all_on_demand_are_measured_again(asked: list[str], tmp_path: Path) -> None:
    repair.main(["--out", str(tmp_path)])
    repair.main(["--out", str(tmp_path), "--only", "good"])
    repair.main(["--out", str(tmp_path), "--again"])
    assert asked == ["good", "bad", "good", "good", "bad"]


def test_every_line_that_misses_its_bound_is_named_with_its_cause(asked: list[str], tmp_path: Path) -> None:
    repair.main(["--out", str(tmp_path), "--videos", "4"])
    text = (tmp_path / "repair.md").read_text()
    misses = text.split("## What misses its bound")[1].split("\n## ")[0]
    assert "Bad: flicker over that of plain enlarging: 4 (bound: at most 1.1). " in misses
    assert repair.cause("flicker over that of plain enlarging") in misses
    assert "weights, off 1 by" not in misses
    assert "| seconds | 3 |  |  |  |" in text
