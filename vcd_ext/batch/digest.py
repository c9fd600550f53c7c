"""Digests of what decides a result: settings and the contents of files, not their names or times.

A setting that has its default is left out, so that a new setting of a later version changes no digest.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from vcd_ext.settings import TrainSettings, VideoSettings, default

LENGTH = 16  # hexadecimal digits: two of a million results are alike by chance once in ten million plans
# They say how something is computed or saved, not what comes out.
FREE: dict[type, tuple[str, ...]] = {
    TrainSettings: ("micro_batch", "gradient_checkpointing", "save_every"),
    VideoSettings: ("enabled", "formats", "save_stages", "motion_module", "identity", "video", "tiled_controlnet"),
}


def changed(settings: Any) -> dict[str, Any]:
    """Return those of the settings that matter and are not as by default."""
    cls: Any = type(settings)
    return {name: found for name, value in _usual(cls).items() if (found := getattr(settings, name)) != value}


@cache
def _usual(cls: type) -> dict[str, Any]:
    """Return the defaults of what matters; a protocol asks for them some ten thousand times."""
    free = FREE.get(cls, ())
    return {field.name: default(cls, field.name) for field in fields(cls) if field.name not in free}


def digest(parts: Mapping[str, Any]) -> str:
    """Compute the digest of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:LENGTH]


def file_digest(path: Path | None) -> str:
    """Compute the digest of a file's content, once a process for each state of it; "" for none."""
    if path is None:
        return ""
    state = path.stat()
    return _content(path, state.st_size, state.st_mtime_ns)


def folder_digest(folder: Path) -> str:
    """Compute the digest of the files that lie directly in a folder, by their names."""
    found = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return digest({path.name: file_digest(path) for path in found})


def file_digests(paths: Sequence[Path]) -> list[str]:
    """Return the digests of several files."""
    return [file_digest(path) for path in paths]


@cache
def _content(path: Path, _size: int, _modified: int) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            sha.update(block)
    return sha.hexdigest()[:LENGTH]
