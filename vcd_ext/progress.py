"""Report the progress of a training, Face VCD and Tiled VCD while they run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # readers of media need no torch
    from torch import Tensor

ENCODING, TRAINING = "Encoding photos", "Training"


@dataclass(frozen=True)
class Progress:
    """Say where it is: `step` of `total` in its stage; in a training's stage TRAINING also what was learned."""

    stage: str
    step: int
    total: int
    seconds_left: float | None = None  # of this stage; None before its first step
    loss: float | None = None  # of the last step; NaN where it was skipped
    validation: float | None = None  # the last one measured
    vectors: "Tensor | None" = None  # [k, width], a copy: for preview pictures


Report = Callable[[Progress], None]
StepReport = Callable[[int, int], None]  # called with (done, total)
Note = Callable[[str], None]  # called with a sentence for the person


class Callbacks(NamedTuple):
    """Tell whoever waits: progress by stages, and sentences; ask them whether to stop."""

    progress: Report
    note: Note
    interrupted: Callable[[], bool]


class Clock:
    """Report the progress of one stage, with the time left by the steps that were made."""

    def __init__(self, report: Report | None, stage: str, total: int, start: int = 0):
        self.report, self.stage, self.total, self.start = report, stage, total, start
        self.began = time.monotonic()

    def tell(
        self,
        step: int,
        loss: float | None = None,
        validation: float | None = None,
        vectors: "Tensor | None" = None,
    ) -> None:
        """Report that `step` steps are done."""
        if self.report:
            made = step - self.start
            left = (time.monotonic() - self.began) / made * (self.total - step) if made else None
            self.report(Progress(self.stage, step, self.total, left, loss, validation, vectors))


def steps(report: Report | None, stage: str) -> StepReport | None:
    """Return a callback for a host's (done, total) that reports a stage's steps and time left, anew for each pass."""
    if report is None:
        return None
    clock: Clock | None = None

    def tell(done: int, total: int) -> None:
        nonlocal clock
        if clock is None or done == 0 or total != clock.total:
            clock = Clock(report, stage, total)
        clock.tell(done)

    return tell


class StepCounter:
    """Adds up what is done for a progress callback."""

    def __init__(self, progress: StepReport | None, total: int):
        self.progress, self.total, self.done = progress, total, 0

    def add(self, count: int) -> None:
        """Count so many more as done."""
        self.done += count
        if self.progress:
            self.progress(self.done, self.total)
