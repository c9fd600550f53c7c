"""Which files of a folder are motion modules: names promise it of more files than can be read."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from vcd_ext.motion.checkpoint import mapped

DISTILLED = ("AnimateLCM", "Lightning")


def usable(available: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Name and version of the files that can be used, as they come. Tensors are mapped and not read, so it is quick."""
    for name, path in available.items():
        try:
            yield name, mapped(path).version
        except (ValueError, OSError):
            continue


def suggested(available: Mapping[str, Path]) -> str | None:
    """Return the first name that works with every sampler and CFG scale; distilled modules need their own.

    Modules of version 1 come last: what its authors made after it moves better.
    """
    found = [(version == "v1", name) for name, version in usable(available) if version not in DISTILLED]
    return min(found, key=lambda each: each[0])[1] if found else None
