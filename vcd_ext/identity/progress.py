"""What a training tells while it runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

ENCODING, TRAINING = "Encoding photos", "Training"


@dataclass(frozen=True)
class Progress:
    """Where a training is: `step` of `total` in its stage; in stage TRAINING also what it has learned."""

    stage: str
    step: int
    total: int
    seconds_left: float | None = None  # of this stage; None before its first step
    loss: float | None = None  # of the last step; NaN where it was skipped
    validation: float | None = None  # the last one measured
    vectors: Tensor | None = None  # [k, width], a copy: for preview pictures


Report = Callable[[Progress], None]


class Clock:
    """Reports the progress of one stage, with the time left by the steps that were made."""

    def __init__(self, report: Report | None, stage: str, total: int, start: int = 0):
        self.report, self.stage, self.total, self.start = report, stage, total, start
        self.began = time.monotonic()

    def tell(
        self,
        step: int,
        loss: float | None = None,
        validation: float | None = None,
        vectors: Tensor | None = None,
    ) -> None:
        """Report that `step` steps are done."""
        if self.report:
            made = step - self.start
            left = (time.monotonic() - self.began) / made * (self.total - step) if made else None
            self.report(Progress(self.stage, step, self.total, left, loss, validation, vectors))
