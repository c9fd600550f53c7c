"""Videos as they were before the formats of their files lost some of them, for whoever goes on with such a file.

Each pass through H.264 costs half a decibel, and colours their sharpness. So the frames of the last files stay in
nameless files of the folder for temporary files, and are gone with the process.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from vcd_ext.media.clip import Clip
from vcd_ext.storage.disk_array import on_disk

MOST = 2**30  # bytes of frames; of the last video it may be more
SHARE = 0.5  # of the free disk, above which a video is not kept
COUNT = 32  # videos: each holds a file open

_State = tuple[str, int, int]


class Originals:
    """The clips of the last files, found by a file as long as it is as it was written."""

    def __init__(self) -> None:
        self._clips: list[tuple[set[_State], Clip]] = []  # the oldest first
        self._changing = threading.Lock()

    def keep(self, files: Sequence[Path], clip: Clip) -> None:
        """Keep a clip that was written to these files. What the disk has no room for is not kept."""
        states = {state for file in files if file.is_file() and (state := _state(file))}
        if not states:
            return
        with suppress(OSError):
            stored = _on_disk(clip)
            with self._changing:
                self._clips.append((states, stored))
                while len(self._clips) > COUNT or (len(self._clips) > 1 and self._bytes() > MOST):
                    del self._clips[0]

    def find(self, file: Path) -> Clip | None:
        """Return the clip that was written to a file; None if it is not known, or the file has changed since."""
        state = _state(file)
        with self._changing:
            return next((clip for states, clip in reversed(self._clips) if state in states), None)

    def _bytes(self) -> int:
        return sum(clip.frames.nbytes for _, clip in self._clips)


def _on_disk(clip: Clip) -> Clip:
    """Return a clip, the beginning of a file, with its frames on the disk. OSError if there is not enough space."""
    if isinstance(clip.frames, np.memmap):
        return replace(clip, start=Fraction(0))
    if clip.frames.nbytes > SHARE * shutil.disk_usage(tempfile.gettempdir()).free:
        raise OSError("The disk has no room to spare.")
    frames = on_disk(clip.frames.shape, clip.frames.dtype)
    frames[:] = clip.frames
    return replace(clip, frames=frames, start=Fraction(0))


def _state(file: Path) -> _State | None:
    try:
        stat = file.stat()
    except (OSError, ValueError):
        return None
    return os.path.realpath(file), stat.st_size, stat.st_mtime_ns


ORIGINALS = Originals()
