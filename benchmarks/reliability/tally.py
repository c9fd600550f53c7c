"""Counts of what was tried and what was left, as a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.reliability.judge import Verdict

HEAD = (
    "| while making | what goes wrong | tried | reached | made all the same | in part, or told why | "
    "model changed | file not whole | next run differs | badly told |"
)


@dataclass(frozen=True)
class Tried:
    """One fault and what became of it."""

    group: str
    making: str  # the scenario
    fault: str
    reached: bool  # whether it happened at all: the run may have ended before
    whole: bool  # whether what was made is as if nothing had happened
    told: str  # what is wrong with what the person was told; "" if nothing
    verdict: Verdict

    @property
    def bad(self) -> list[str]:
        """What was not as it must be, in words."""
        verdict = self.verdict
        named = {"model": verdict.model, "files": verdict.files, "next run": verdict.following, "told": self.told}
        return [f"{name}: {words}" for name, words in named.items() if words]


def table(tried: Sequence[Tried]) -> str:
    """One row for each kind of fault in each scenario, and one for all of them, in Markdown."""
    lines = [HEAD, "|---|---|" + "---:|" * 8]
    for (making, fault), rows in groupby(tried, lambda one: (one.making, one.fault)):
        lines.append(f"| {making} | {fault} | {_numbers(list(rows))} |")
    lines.append(f"| **all** | | {_numbers(tried)} |")
    return "\n".join(lines)


def _numbers(rows: Sequence[Tried]) -> str:
    counts: Counter[str] = Counter()
    for one in rows:
        counts["reached"] += one.reached
        counts["whole"] += one.reached and one.whole
        counts["part"] += one.reached and not one.whole
        counts["model"] += bool(one.verdict.model)
        counts["files"] += bool(one.verdict.files)
        counts["next"] += bool(one.verdict.following)
        counts["told"] += bool(one.told)
    names = ("reached", "whole", "part", "model", "files", "next", "told")
    return " | ".join(str(number) for number in (len(rows), *(counts[name] for name in names)))
