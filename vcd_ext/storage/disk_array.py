"""Allocate arrays for the frames of long videos: in memory while they are small, else on the disk."""

import math
import os
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

IN_MEMORY = 2**30  # bytes; larger arrays go to the disk


def allocate(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array whose values are not set yet.

    Above IN_MEMORY bytes it lies in a nameless file of the folder for temporary files, which is gone with the array.
    OSError, in one sentence, if the disk has not enough space: now, and not when a value is written.
    """
    return on_disk(shape, dtype) if is_large(shape, dtype) else np.empty(shape, dtype)


def on_disk(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array as `allocate` does for large ones, of whatever size."""
    size = _bytes(shape, dtype)
    with tempfile.TemporaryFile() as file:  # the array holds the file open by itself
        try:
            _reserve(file.fileno(), size)
        except OSError as error:
            explained = OSError(
                f"The frames need {size / 2**30:.1f} GiB in {tempfile.gettempdir()}; free "
                "some space there, set TMPDIR to another folder, or use a shorter video."
            )
            explained.errno = error.errno
            raise explained from error
        return np.memmap(file, dtype, "r+", shape=shape)


def is_large(shape: tuple[int, ...], dtype: DTypeLike) -> bool:
    """Return whether an array of this kind lies on the disk."""
    return _bytes(shape, dtype) > IN_MEMORY


def _bytes(shape: tuple[int, ...], dtype: DTypeLike) -> int:
    return math.prod(shape) * np.dtype(dtype).itemsize


def _reserve(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)  # a file with holes would end the process where the disk is full
    else:
        os.ftruncate(file, size)
