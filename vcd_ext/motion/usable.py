"""Which files of a folder are motion modules: names promise it of more files than can be read."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from vcd_ext.motion.checkpoint import load


def usable(available: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Name and version of the files that can be used, as they come. Tensors are mapped and not read, so it is quick."""
    for name, path in available.items():
        try:
            yield name, load(path).version
        except (ValueError, OSError):
            continue


def suggested(available: Mapping[str, Path]) -> str | None:
    """The name of the first that needs nothing special: AnimateLCM's need a sampler and a CFG scale of their own."""
    return next((name for name, version in usable(available) if version != "AnimateLCM"), None)
