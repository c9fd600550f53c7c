"""Which files of a folder are motion modules: names promise it of more files than can be read."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from vcd_ext.motion.checkpoint import module_facts

DISTILLED = ("AnimateLCM", "Lightning")


def usable(available: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Name and version of the files that can be used, as they come. No value is read, so it is quick."""
    for name, path in available.items():
        try:
            yield name, module_facts(path).version
        except (ValueError, OSError):
            continue


def suggested(available: Mapping[str, Path]) -> str | None:
    """Return the first name that works with every sampler and CFG scale; distilled modules need their own.

    Modules of version 1 come last: what its authors made after it moves better.
    """
    found = [(version == "v1", name) for name, version in usable(available) if version not in DISTILLED]
    return min(found, key=lambda each: each[0])[1] if found else None
