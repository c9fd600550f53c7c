"""Arrays of pages in files: what no page has asked for since a day is deleted, as pages do not tell when they close."""

import hashlib
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd_ext.storage.atomic import atomically

AGE = 24 * 3600.0  # seconds
PREFIX = "photos-of-vcd-"  # of a process's folder among the temporary files


class GoneError(ValueError):
    """What was kept has aged and is deleted; the message says what to do."""


class Scratch:
    """Arrays by what they hold, so that pages with the same photo share a file. The folder goes with the process."""

    def __init__(self) -> None:
        self._made: tempfile.TemporaryDirectory[str] | None = None
        self._making = threading.Lock()

    @property
    def folder(self) -> Path:
        """Return the folder of the files, which only this account can open; made when it is first asked for."""
        with self._making:
            if self._made is None or not Path(self._made.name).is_dir():
                _sweep_killed()
                self._made = tempfile.TemporaryDirectory(prefix=PREFIX)
            return Path(self._made.name)

    def keep(self, array: NDArray[Any]) -> str:
        """Write an array, unless it is there, and delete what has aged; the key that `read` takes. OSError."""
        shape = f"{array.dtype.str}{array.shape}".encode()
        key = hashlib.sha256(shape + np.ascontiguousarray(array).tobytes()).hexdigest()
        path = self.folder / key
        try:
            os.utime(path)
        except OSError:  # it is not there
            with atomically(path) as part, part.open("xb") as file:
                np.save(file, array, allow_pickle=False)
        self.sweep()
        return key

    def read(self, key: str) -> NDArray[Any]:
        """Read an array, which is young again by that; GoneError if it has been deleted."""
        path = self.folder / key
        try:
            os.utime(path)
            with path.open("rb") as file:
                array: NDArray[Any] = np.load(file, allow_pickle=False)
                return array
        except OSError as error:
            raise GoneError("The photos lay here for a day, unused, and were deleted; add them again.") from error

    def sweep(self) -> None:
        """Delete the files that have aged."""
        for path in self.folder.iterdir():
            with suppress(OSError):  # gone in this moment
                if _has_aged(path):
                    path.unlink()


def _sweep_killed() -> None:
    """Delete the folders that processes which were killed have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another account's, or gone in this moment
            if _has_aged(folder) and all(map(_has_aged, folder.iterdir())):
                shutil.rmtree(folder)


def _has_aged(path: Path) -> bool:
    return path.lstat().st_mtime < time.time() - AGE
