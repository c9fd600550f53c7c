"""What `atomically` leaves where a process was killed is deleted later, and nothing else."""

import errno
import os
import time
from pathlib import Path

import pytest
import torch

from vcd_ext.identity import save_embedding
from vcd_ext.storage import record
from vcd_ext.storage.atomic import ABANDONED, atomically, sweep


def left_behind(folder: Path, monkeypatch, seconds: float) -> Path:
    """Return what is left of a file whose writer was killed so many seconds ago."""
    with monkeypatch.context() as patched:
        patched.setattr("vcd_ext.storage.atomic._remove", lambda path: None)
        try:
            with atomically(folder / "weights.pth") as part:
                part.write_bytes(b"half")
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    os.utime(part, (time.time() - seconds,) * 2)
    return part


def test_what_a_killed_process_left_is_deleted_and_what_may_be_written_now_is_not(tmp_path: Path, monkeypatch) -> None:
    old = left_behind(tmp_path, monkeypatch, ABANDONED + 60)
    new = left_behind(tmp_path, monkeypatch, ABANDONED - 60)
    others = [tmp_path / name for name in (".part", "rex.part", ".0123.part", ".0123456789abcdeg.part", "rex.pt")]
    for other in others:
        other.touch()
        os.utime(other, (0, 0))
    folder = tmp_path / ".0123456789abcdef.part"  # frames of a video
    (folder / "frames").mkdir(parents=True)
    os.utime(folder, (0, 0))
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {new, *others}
    assert not old.exists()


def test_the_next_file_in_that_folder_deletes_it(tmp_path: Path, monkeypatch) -> None:
    left_behind(tmp_path, monkeypatch, ABANDONED + 60)
    with atomically(tmp_path / "rex.mp4") as part:
        part.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["rex.mp4"]


@pytest.mark.parametrize("write", [save_embedding, lambda path, vectors: record.write(path, {"vectors": vectors}, {})])
def test_a_full_disk_is_told_in_a_sentence_also_for_tensors(write, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("vcd_ext.storage.atomic.secrets.token_hex", lambda _: "full")
    (tmp_path / ".full.part").symlink_to("/dev/full")  # whatever is written there finds the disk full
    with pytest.raises(OSError, match="rexy.safetensors was not written: the disk is full; free some space") as raised:
        write(tmp_path / "rexy.safetensors", torch.ones(2, 768))
    assert raised.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_has_nothing_to_delete(tmp_path: Path) -> None:
    sweep(tmp_path / "missing")
