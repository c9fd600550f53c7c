"""The command that compares the frames of two commits: what it calls the same, and what it does not."""

from pathlib import Path

import pytest

from benchmarks import unchanged, unchanged_kept
from vcd_ext import media
from vcd_ext.__main__ import parser


def made(frames: dict[str, list[str]], tmp_path: Path) -> bool:
    before = {"a": ["1", "2"], "b": ["3"]}
    trees = {"before": tmp_path / "old", "after": tmp_path / "new"}
    return unchanged.compared(lambda tree, _: before if tree.name == "old" else frames, trees, tmp_path)


def test_all_frames_must_be_there_and_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert made({"a": ["1", "2"], "b": ["3"]}, tmp_path)
    assert not made({"a": ["1", "9"], "b": ["3"]}, tmp_path)
    assert "| a | 1 of 2 | **no** |" in capsys.readouterr().out
    assert not made({"a": ["1", "2", "2"], "b": ["3"]}, tmp_path)
    assert not made({"a": ["1", "2"]}, tmp_path)


def test_ten_requests_are_made_of_what_is_there(tmp_path: Path) -> None:
    files = unchanged.Files.made(tmp_path)
    assert media.read(files.film).frames.shape == (6, 128, 128, 3)
    wanted = unchanged.requests(files)
    assert len(wanted) >= 10
    for options in wanted.values():
        assert parser().parse_args([*options, "--out", "x.png"])


def test_sums_are_kept_for_their_kind_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged_kept, "PATH", tmp_path / "kept.json")
    kinds = {"one": {"command": {"a": ["1"]}}, "another": {"command": {"a": ["2"]}}}
    for kind, sums in kinds.items():
        monkeypatch.setattr(unchanged_kept, "kind", lambda kind=kind: kind)
        unchanged_kept.write(sums)
    unchanged_kept.write({"webui": {"b": ["3"]}})
    assert unchanged_kept.read() == {"command": {"a": ["2"]}, "webui": {"b": ["3"]}}
    monkeypatch.setattr(unchanged_kept, "kind", lambda: "a third")
    with pytest.raises(
        SystemExit, match=r"No sums are kept for this kind of processor, files and packages \(a third\)"
    ):
        unchanged_kept.read()
