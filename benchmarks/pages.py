"""What benchmarks of many videos share: their pages of means, and how processes share the work."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.log import weights
from vcd_ext.metrics.intervals import interval_table


def of_world(what: str) -> str:
    """Return how a page of the shipped drawn world begins: which weights it is of, and then what."""
    return f"The second edition of the drawn world (weights {weights()}), {what}."


def means_page(
    path: Path, videos: str, heads: Sequence[str], rows: Mapping[str, Sequence[object]], over: str = "", after: str = ""
) -> str:
    """Write a table of means over videos of the shipped drawn world, and return it.

    videos: how many those are. over: what the bootstrap draws, where that is not videos: " over pairs". after: what is
    said below the table.
    """
    first = of_world(f"{videos} in each row: means with 95% intervals (bootstrap{over})")
    text = f"{first}\n\n{interval_table(['', *heads], rows)}"
    text = f"{text}\n\n{after}".rstrip()
    path.write_text(text + "\n", encoding="utf-8")
    return text


def share(text: str) -> tuple[int, int]:
    """Read `K/N`, process K, from 0, of N, for argparse."""
    number, _, parts = text.partition("/")
    if not (number.isdigit() and parts.isdigit() and int(number) < int(parts)):
        raise argparse.ArgumentTypeError(f"'{text}' is no part; give K/N with K from 0 to N - 1, such as 0/2 and 1/2")
    return int(number), int(parts)
