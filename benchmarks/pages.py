"""Pages of means that a benchmark writes beside what it measured."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from vcd_ext.metrics.intervals import interval_table


def note(log: Path, row: Mapping[str, object]) -> None:
    """Append a row to what was measured."""
    with log.open("a") as file:
        file.write(json.dumps(row) + "\n")


def means_page(
    path: Path, videos: str, heads: Sequence[str], rows: Mapping[str, Sequence[object]], over: str = ""
) -> str:
    """Write a table of means over videos of the shipped drawn world, and return it.

    videos: how many those are. over: what the bootstrap draws, where that is not videos: " over pairs".
    """
    first = f"The second edition of the drawn world, {videos} in each row: means with 95% intervals (bootstrap{over})."
    text = f"{first}\n\n{interval_table(['', *heads], rows)}"
    path.write_text(text + "\n", encoding="utf-8")
    return text
