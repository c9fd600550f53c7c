"""A file or folder appears under its name only when it is complete."""

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TOKEN = 8  # bytes of a temporary file's name
ABANDONED = 3600.0  # seconds

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder, then try again",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder, then try again",
    errno.EACCES: "writing is not permitted there; change the permissions or choose another folder",
    errno.EPERM: "writing is not permitted there; change the permissions or choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENOTDIR: "a part of its path is a file, not a folder; choose another folder",
    errno.EEXIST: "a part of its path is a file, not a folder; choose another folder",
    errno.EISDIR: "a folder has that name; choose another name",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; what was written there takes the name `path` at the end.

    The block creates the file or folder at the temporary path. The name is hidden and ends in `.part`, so that
    nothing that scans the folder takes it for a finished file: tell the writer its format explicitly. Missing
    parent folders are made, and what processes that were killed have left in the folder is deleted (`sweep`). After any
    failure the temporary file is gone and an existing `path` is as it was.

    Raises OSError, with the original errno, in one sentence that says what happened and what to do; other
    exceptions of the block pass unchanged.
    """
    path = Path(path)
    temporary = path.with_name(f".{secrets.token_hex(TOKEN)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise _explained(error, path) from error
    finally:
        _remove(temporary)


def disk_is_full(error: BaseException) -> bool:
    """Return whether an error says that the disk, or the person's share of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def sweep(folder: Path) -> None:
    """Delete what `atomically` left in a folder where a process was killed: what was not written to for an hour."""
    for left in folder.glob(f".{'[0-9a-f]' * (2 * TOKEN)}.part"):
        with suppress(OSError):  # gone in this moment, or another person's
            if left.stat().st_mtime < time.time() - ABANDONED:
                _remove(left)


def _explained(error: OSError, path: Path) -> OSError:
    what = error.strerror or str(error) or type(error).__name__
    reason = _REASONS.get(error.errno or 0, f"{what}; check the disk and the folder, then try again")
    explained = OSError(f"{path} was not written: {reason}.")
    explained.errno = error.errno
    return explained


def _remove(temporary: Path) -> None:
    # A second failure while cleaning up must not hide the first.
    with suppress(OSError):
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)
