"""Counts of what was tried and what was left, as tables, remembered by group."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from itertools import groupby
from pathlib import Path

from benchmarks.reliability.judge import Verdict

HEAD = (
    "| while making | what goes wrong | tried | reached | made all the same | in part, or told why | "
    "model changed | file not whole | next run differs | badly told |\n|---|---|" + "---:|" * 8
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


@dataclass(frozen=True)
class Counts:
    """How many faults came out how, as the columns of `HEAD`."""

    tried: int = 0
    reached: int = 0
    whole: int = 0
    part: int = 0
    model: int = 0
    files: int = 0
    following: int = 0
    told: int = 0

    def __str__(self) -> str:
        return " | ".join(map(str, astuple(self)))


def counted(tried: Iterable[Tried]) -> Counts:
    """Count faults by how they came out."""
    return total(
        Counts(
            tried=1,
            reached=int(one.reached),
            whole=int(one.reached and one.whole),
            part=int(one.reached and not one.whole),
            model=int(bool(one.verdict.model)),
            files=int(bool(one.verdict.files)),
            following=int(bool(one.verdict.following)),
            told=int(bool(one.told)),
        )
        for one in tried
    )


def total(counts: Iterable[Counts]) -> Counts:
    """Add counts up."""
    columns = [astuple(each) for each in counts]
    return Counts(*map(sum, zip(*columns, strict=True))) if columns else Counts()


@dataclass
class Group:
    """What a group of faults came to: counts by scenario and fault, and what was not as before, in sentences."""

    rows: list[tuple[str, str, Counts]] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, tried: Sequence[Tried]) -> "Group":
        """Sum up faults that were tried one after the other."""
        kinds = groupby(sorted(tried, key=lambda one: one.making), lambda one: (one.making, one.fault))
        bad = [f"{one.making}, {one.fault}: {'; '.join(one.bad)}" for one in tried if one.bad]
        return cls([(making, fault, counted(ones)) for (making, fault), ones in kinds], bad)

    @property
    def total(self) -> Counts:
        """The sum of all rows."""
        return total(counts for _, _, counts in self.rows)

    def table(self) -> str:
        """Return the rows and their sum in Markdown."""
        lines = [f"| {making} | {fault} | {counts} |" for making, fault, counts in self.rows]
        return "\n".join([HEAD, *lines, f"| **all** | | {self.total} |"])


def remembered(path: Path) -> dict[str, Group]:
    """Read the groups that a file remembers; none if it is not there."""
    if not path.is_file():
        return {}
    found = {}
    for name, group in json.loads(path.read_text()).items():
        rows = [(row["making"], row["fault"], Counts(**{f.name: row[f.name] for f in fields(Counts)}))
                for row in group["rows"]]  # fmt: skip
        found[name] = Group(rows, group["bad"])
    return found


def remember(groups: dict[str, Group], path: Path) -> None:
    """Write groups to a file, for `remembered`."""
    plain = {
        name: {
            "rows": [{"making": making, "fault": fault, **asdict(counts)} for making, fault, counts in group.rows],
            "bad": group.bad,
        }
        for name, group in groups.items()
    }
    path.write_text(json.dumps(plain, indent=1) + "\n")
