"""What `atomically` leaves where a process was killed is deleted later, and nothing else."""

import os
import time
from pathlib import Path

from vcd_ext.atomic import ABANDONED, atomically, sweep


def left_behind(folder: Path, monkeypatch, seconds: float) -> Path:
    """What is left of a file whose writer was killed so many seconds ago."""
    with monkeypatch.context() as patched:
        patched.setattr("vcd_ext.atomic._remove", lambda path: None)
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


def test_a_folder_that_is_not_there_has_nothing_to_delete(tmp_path: Path) -> None:
    sweep(tmp_path / "missing")
