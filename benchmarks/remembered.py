"""Rows that were measured, remembered in a file, so that a run that was interrupted goes on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processor import processor
from benchmarks.rows import Row
from vcd_ext.storage.atomic import atomically


@dataclass(frozen=True)
class Part:
    """Rows, what they depend on besides the code, and what they took."""

    rows: Sequence[Row]
    made_of: dict[str, str]
    seconds: float
    device: str = field(default_factory=processor)


class Remembered:
    """Parts by name, in a JSON file."""

    def __init__(self, file: Path):
        """file: need not be there yet."""
        self.file = file

    def part(self, name: str) -> Part | None:
        """None where it was not measured."""
        found = self._all().get(name)
        if found is None:
            return None
        rows = [Row(**{key: value for key, value in row.items() if value is not None}) for row in found["rows"]]
        return Part(rows, found["made_of"], found["seconds"], found["device"])

    def holds(self, name: str, made_of: dict[str, str]) -> bool:
        """Whether it was measured of the same."""
        part = self.part(name)
        return part is not None and part.made_of == made_of

    def keep(self, name: str, part: Part) -> None:
        """Write it down at once."""
        rows = [
            {key: None if key in ("low", "high") and abs(value) == float("inf") else value
             for key, value in row._asdict().items()}
            for row in part.rows
        ]  # fmt: skip
        entry = {"rows": rows, "made_of": part.made_of, "seconds": part.seconds, "device": part.device}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with atomically(self.file) as temporary:
            temporary.write_text(json.dumps(self._all() | {name: entry}, indent=1) + "\n", encoding="utf-8")

    def _all(self) -> dict[str, Any]:
        return json.loads(self.file.read_text(encoding="utf-8")) if self.file.is_file() else {}
