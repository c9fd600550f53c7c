"""A disk that is full, for what writes."""

import errno
from pathlib import Path


def full_disk(path: Path, *_: object, **__: object) -> None:
    """Stand for what writes a file, and find no space for it."""
    raise OSError(errno.ENOSPC, f"{path} was not written: the disk is full.")
