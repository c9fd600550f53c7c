"""A small part of the campaign of faults (benchmarks/reliability) that needs no WebUI, and its judge."""

from pathlib import Path

import pytest
import torch

from benchmarks.reliability.judge import Verdict, damage
from benchmarks.reliability.killed import Killed
from benchmarks.reliability.tally import Group, Tried, remember, remembered
from tests import film
from vcd_ext import media
from vcd_ext.identity import save_embedding


def test_whoever_writes_videos_and_is_killed_leaves_whole_files_alone(tmp_path: Path) -> None:
    tried: list[Tried] = []
    Killed(tmp_path, seed=1, tell=tried.append, kills=2).writing()
    assert [one.bad for one in tried] == [[]] * 2


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.gif", "a.webp", "a.safetensors"])
def test_half_a_file_is_noticed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".safetensors":
        save_embedding(path, torch.ones(4, 768))
    else:
        media.write(path, film.clip())
    assert damage(path) == ""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert damage(path)
    path.rename(tmp_path / ".0123456789abcdef.part")
    assert damage(tmp_path / ".0123456789abcdef.part") == "left behind"


def test_what_was_not_as_before_is_counted(tmp_path: Path) -> None:
    kept = Tried("kill", "writing", "kill -9", True, False, "", Verdict())
    lost = Tried("kill", "writing", "kill -9", True, False, "", Verdict(files="a.mp4: half"))
    group = Group.of([kept, lost])
    assert group.table().splitlines()[-1] == "| **all** | | 2 | 2 | 0 | 2 | 0 | 1 | 0 | 0 |"
    remember({"kill": group}, tmp_path / "kept.json")
    assert remembered(tmp_path / "kept.json") == {"kill": group}
    assert group.bad == ["writing, kill -9: files: a.mp4: half"]
    assert lost.bad == ["files: a.mp4: half"]
