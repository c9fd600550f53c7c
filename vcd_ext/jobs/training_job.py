"""One training as page and API see it: what it has measured, and what it leaves."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vcd_ext.identity.training.train import Identity
from vcd_ext.jobs.job import Job
from vcd_ext.progress import TRAINING, Progress
from vcd_ext.settings import TrainSettings


class Preview(NamedTuple):
    """A picture [H, W, 3] of what was learned after `step` steps."""

    step: int
    prompt: str
    pixels: NDArray[np.uint8]


class TrainingJob(Job):
    """A training of an identity."""

    kind = "training"
    too_small = "The memory is too small for this training; choose a smaller size or micro-batch, or close programs."

    def __init__(self, identifier: str, settings: TrainSettings, preview_every: int = 0):
        super().__init__(identifier, settings.name)
        self.settings = settings
        self.losses: list[tuple[int, float]] = []  # (step, loss), NaN where the step was skipped
        self.validation: list[tuple[int, float]] = []  # (step, loss with always the same noise)
        self.seconds_a_step: float | None = None
        self.identity: Identity | None = None  # what was learned, once it ended
        self.file: Path | None = None  # where that is saved
        self.preview: Preview | None = None  # the last picture of what was learned
        self.preview_every = preview_every  # steps; 0 for none
        self.keeps = False  # whether what is learned is saved when it is stopped

    @property
    def saved(self) -> bool:
        """Whether the identity has its file."""
        return self.file is not None

    @property
    def occupation(self) -> str:
        """What to tell others who wait."""
        return f"{self.name} is being trained; wait for the end, or stop that training."

    @property
    def loss(self) -> float | None:
        """The loss of the last step that was not skipped; None before."""
        return next((loss for _, loss in reversed(self.losses) if math.isfinite(loss)), None)

    def stop(self, keep: bool = False) -> None:
        """Let the step that is being made be the last. keep: save what is learned by then."""
        self.keeps = self.keeps or keep
        super().stop()

    def report(self, progress: Progress) -> None:
        """Take note of where the training is."""
        if progress.stage == TRAINING:
            if progress.loss is not None:
                self.losses.append((progress.step, progress.loss))
            if progress.validation is not None and self._is_new(progress.validation):
                self.validation.append((progress.step, progress.validation))
            if progress.seconds_left is not None and progress.total > progress.step:
                self.seconds_a_step = progress.seconds_left / (progress.total - progress.step)
        super().report(progress)

    def _is_new(self, validation: float) -> bool:
        """A validation is told again at every step until the next."""
        return not self.validation or self.validation[-1][1] != validation

    def end(self, identity: Identity, file: Path | None) -> None:
        """Take note of what was learned, and of the file that it was saved to."""
        self.identity, self.file = identity, file
        self.losses, self.validation = list(enumerate(identity.losses, start=1)), list(identity.validation)
        self.notes += [warning for warning in identity.warnings if warning not in self.notes]
