"""Rows of the shipped world are known again, and only on the weights that they were measured on."""

from pathlib import Path

import pytest

from benchmarks import log
from benchmarks.log import Log, weights


def test_rows_come_back_as_they_were_noted(tmp_path: Path) -> None:
    kept = Log(tmp_path / "rows.jsonl")
    assert kept.rows() == []
    kept.note({"cell": "one", "value": 0.5})
    kept.note({"cell": "two"}, {"cell": "three"})
    assert [row["cell"] for row in Log(tmp_path / "rows.jsonl").rows()] == ["one", "two", "three"]
    assert kept.rows()[0] == {"cell": "one", "value": 0.5, "weights": weights()}


def test_rows_of_other_weights_are_not_seen_and_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Log(tmp_path / "rows.jsonl")
    kept.file.write_text('{"cell": "of a time before rows had weights"}\n')
    kept.note({"cell": "old"})
    monkeypatch.setattr(log, "weights", lambda: "0123456789")
    kept.note({"cell": "new"})
    assert [row["cell"] for row in kept.rows()] == ["new"]
    monkeypatch.undo()
    assert [row["cell"] for row in kept.rows()] == ["old"]


def test_the_weights_are_told_in_ten_digits() -> None:
    assert len(weights()) == 10
    assert int(weights(), 16) >= 0
