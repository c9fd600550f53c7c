"""Rows of a table of what was measured, each with the bound that it keeps or misses."""

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One line. value: a figure, NaN where it could not be measured; low, high: what it must lie between."""

    what: str
    value: float
    low: float = float("-inf")
    high: float = float("inf")
    note: str = ""

    @property
    def bound(self) -> str:
        """The bound in words; empty where there is none."""
        if self.low == float("-inf"):
            return "" if self.high == float("inf") else f"at most {self.high:g}"
        return f"at least {self.low:g}" if self.high == float("inf") else f"{self.low:g} to {self.high:g}"

    @property
    def verdict(self) -> str:
        """Whether it is kept; empty where there is no bound."""
        if not self.bound:
            return ""
        return "kept" if self.low <= self.value <= self.high else "MISSED"


def table(rows: Sequence[Row]) -> str:
    """Return the rows in Markdown."""
    lines = ["| what | measured | bound | | |", "|---|---|---|---|---|"]
    lines += [f"| {row.what} | {row.value:.4g} | {row.bound} | {row.verdict} | {row.note} |" for row in rows]
    return "\n".join(lines)
