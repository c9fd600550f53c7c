"""Names of files that their file system takes, however long the prompt or the chain of stages behind them is."""

import os
from contextlib import suppress
from pathlib import Path

# Bytes, of Linux and of macOS; of Windows it is as many units of UTF-16, which are never more than the bytes.
LONGEST = 255
LONGEST_PATH_OF_WINDOWS = 259  # characters
# Bytes for what may come behind a name: a number, a stage, a suffix, such as in "-12-tiled.webm".
SPARE = 16


def cut(name: str, folder: Path, spare: int = SPARE) -> str:
    """Return a name without suffix, cut off where it and `spare` bytes more would be too long for the folder.

    Only whole characters are cut off. The folder need not exist.
    """
    most = _longest(folder) - spare
    data = os.fsencode(name)
    if len(data) <= most:
        return name
    return data[:most].decode(errors="ignore").rstrip(" .") or "video"


def cut_all(path: Path) -> Path:
    """Return a path without suffix, all parts of which are short enough, the last with something to spare."""
    folder = Path(path.anchor)
    for part in path.parts[len(folder.parts) : -1]:
        folder /= cut(part, folder, spare=0)
    return folder / cut(path.name, folder)


def _longest(folder: Path) -> int:
    """Return the most bytes that a file's name can have there."""
    if os.name == "nt":
        return max(2 * SPARE, min(LONGEST, LONGEST_PATH_OF_WINDOWS - len(str(folder.absolute())) - 1))
    existing = next((path for path in (folder.absolute(), *folder.absolute().parents) if _exists(path)), Path("/"))
    with suppress(OSError, ValueError):  # not each system tells
        return min(LONGEST, os.pathconf(existing, "PC_NAME_MAX"))  # encrypted folders take 143 and fewer
    return LONGEST


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its name is too long
        return False
