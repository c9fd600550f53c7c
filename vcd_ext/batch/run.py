"""Carry out units of work: what is there is kept, what is missing is made, and what was learned of its pace is noted.

Who does them is given: `in_process` here does one after the other; others may use more machines.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from vcd_ext.batch.estimate import LOG, Pace, disk_bytes, work_of
from vcd_ext.batch.lender import Lender
from vcd_ext.batch.unit import Unit, UnitResult
from vcd_ext.batch.work import do, done
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.progress import TRAINING, Callbacks, Progress, Report
from vcd_ext.stages.pipeline import T2V

TRUSTED = 5.0  # seconds after which the pace so far is worth more than an estimate
Within = Callable[[str, Progress], None]  # called with a unit's name and how far it is
# Does units, in an order in which none comes before one that it needs, and gives what became of each.
Execute = Callable[[Sequence[Unit], Callbacks, Within], Iterator[UnitResult]]


@dataclass
class Summary:
    """What became of the units of a plan."""

    kept: list[Unit] = field(default_factory=list)  # that were there
    made: list[Unit] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # the sentences that say why, by the units' names
    left: list[Unit] = field(default_factory=list)  # after an interruption
    failures: list[Unit] = field(default_factory=list)  # the same units
    seconds: dict[str, float] = field(default_factory=dict)  # by kind, of what was made


def in_process(lender: Lender) -> Execute:
    """Return what does units here, one after the other, until the person interrupts."""

    def execute(units: Sequence[Unit], callbacks: Callbacks, within: Within) -> Iterator[UnitResult]:
        failed = set[str]()
        for unit in units:
            if callbacks.interrupted():
                return
            try:
                told = callbacks._replace(progress=partial(within, unit.name))
                result = blocked(unit, failed) or do(unit, lender, told)
            except Interrupted:
                return
            failed |= {unit.name} if result.error else set()
            yield result

    return execute


def blocked(unit: Unit, failed: Collection[str]) -> UnitResult | None:
    """Return the result of a unit that cannot be done because one that it needs has failed; else None.

    An older file of that one may be there, of which nothing may be made under a new digest.
    """
    needed = [name for name in unit.needs if name in failed]
    return UnitResult(unit.name, 0.0, f"It needs {needed[0]}, which failed.") if needed else None


def pending_units(units: Iterable[Unit]) -> list[Unit]:
    """Return the units whose files are not there, or are made of something else."""
    return [unit for unit in units if not done(unit)]


def run_units(units: Sequence[Unit], out: Path, execute: Execute, callbacks: Callbacks) -> Summary:
    """Do what is missing of the units; they come with those first that others need.

    callbacks.progress is told the share that is done, in seconds of the whole as they are estimated. OSError where
    the disk is full: what is finished stays.
    """
    pending = pending_units(units)
    names = {unit.name for unit in pending}
    summary = Summary(kept=[unit for unit in units if unit.name not in names])
    by_name = {unit.name: unit for unit in units}
    share = _Share(pending, Pace.of(out), callbacks.progress)
    for result in execute(pending, callbacks, share.within):
        unit = by_name[result.name]
        for note in result.notes:
            callbacks.note(f"{unit.name}: {note}")
        if result.error:
            summary.failed[unit.name] = result.error
            summary.failures.append(unit)
            callbacks.note(f"{unit.name} failed: {result.error}")
        else:
            summary.made.append(unit)
            summary.seconds[unit.kind] = summary.seconds.get(unit.kind, 0.0) + result.seconds
            _log(out, unit, result)
        share.finished(unit.name)
    told = {unit.name for unit in summary.made} | summary.failed.keys()
    summary.left = [unit for unit in pending if unit.name not in told]
    return summary


class _Share:
    """Tells how much of the work is done, in estimated seconds, and how long the rest will take at the pace so far."""

    def __init__(self, units: Sequence[Unit], pace: Pace, report: Report):
        self.report, self.began = report, time.monotonic()
        self.seconds = {unit.name: pace.seconds(unit) for unit in units}
        self.total, self.done = sum(self.seconds.values()), 0.0
        self.begun: dict[str, float] = {}  # seconds of those that are under way, of which there may be several
        self.number, self.count = 0, len(units)

    def within(self, name: str, progress: Progress) -> None:
        """Report a step within a unit; only of the longest of its stages, the first of a video."""
        if progress.stage in (TRAINING, T2V):
            self.begun[name] = self.seconds[name] * progress.step / max(progress.total, 1)
            self._tell(name)

    def finished(self, name: str) -> None:
        """Report that a unit is done or has failed."""
        self.done += self.seconds[name]
        self.number += 1
        self.begun.pop(name, None)
        self._tell(name)

    def _tell(self, name: str) -> None:
        reached = self.done + sum(self.begun.values())
        passed, open_ = time.monotonic() - self.began, self.total - reached
        left = passed / reached * open_ if passed > TRUSTED and reached else open_
        self.report(Progress(f"{self.number} of {self.count}: {name}", round(reached), round(self.total), left))


def _log(out: Path, unit: Unit, result: UnitResult) -> None:
    sizes = sum(_size(file) for file in unit.files)
    line = {
        "unit": unit.name, "kind": unit.kind, "digest": unit.digest, "seconds": round(result.seconds, 3),
        "work": work_of(unit), "bytes": sizes, "estimated_bytes": disk_bytes(unit), "at": round(time.time()),
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOG).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def _size(file: Path) -> int:
    return sum(one.stat().st_size for one in file.iterdir()) if file.is_dir() else file.stat().st_size
