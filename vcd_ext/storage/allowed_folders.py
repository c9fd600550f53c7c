"""Check which folders may be read on behalf of somebody on another machine."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

LONGEST = 300  # characters of a path that are repeated in a sentence


def inside(path: Path, allowed: Sequence[Path], what: str = "photos") -> Path:
    """Return the path, with links followed, if it is one of the allowed folders or within one; ValueError if not.

    what: is read there, for the message. Nothing is said about whether a path outside exists.
    """
    with suppress(OSError, RuntimeError, ValueError):  # a path that no system could have is in no folder
        real = path.expanduser().resolve()
        if any(real.is_relative_to(folder.resolve()) for folder in allowed):
            return real
    # Which folders these are is not told to who may not know this machine.
    raise ValueError(
        f"{str(path)[:LONGEST]} is not in a folder that {what} may be read from; move it into the WebUI's folder, or "
        "have its own folder added in Settings > VCD."
    )
