"""Rows of what was measured of the shipped drawn world, each with the weights that it was measured on."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from vcd_ext import toyworld


@cache
def weights() -> str:
    """Return ten digits that stand for the shipped checkpoint, motion module and judges."""
    files = (toyworld.checkpoint(), toyworld.motion_module(), toyworld.judges())
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:10]


class Log:
    """A file of rows, each written as soon as it is there: an interrupted run goes on where it was.

    Rows of other weights are not seen, so all is measured anew where the world has changed.
    """

    def __init__(self, file: Path):
        """file: need not be there yet."""
        self.file = file

    def rows(self) -> list[dict[str, Any]]:
        """Return every row of these weights."""
        if not self.file.is_file():
            return []
        rows = [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]
        return [row for row in rows if row.get("weights") == weights()]

    def note(self, *rows: Mapping[str, object]) -> None:
        """Append rows, all at once."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps({**row, "weights": weights()}) + "\n" for row in rows))
