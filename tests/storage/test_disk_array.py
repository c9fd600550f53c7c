"""Arrays in memory and on the disk."""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from vcd_ext.storage.disk_array import allocate


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcd_ext.storage.disk_array.IN_MEMORY", 20)


def test_small_arrays_are_plain_ones() -> None:
    assert type(allocate((4, 5), np.uint8)) is np.ndarray


def test_large_arrays_lie_in_a_file_that_nobody_has_to_delete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    large = allocate((4, 5), np.float16)
    assert isinstance(large, np.memmap)
    large[:] = np.arange(20).reshape(4, 5)
    assert large[3].tolist() == [15, 16, 17, 18, 19]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"The frames need 0\.0 GiB in .*; free some space there, set TMPDIR") as refusal:
        allocate((100,), np.uint8)
    assert refusal.value.errno == errno.ENOSPC
