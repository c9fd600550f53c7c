"""One training as page and API see it: where it is, what it has measured, how it ended."""

import math
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vcd_ext.identity.progress import TRAINING, Progress
from vcd_ext.identity.train import Identity
from vcd_ext.settings import TrainSettings

WAITING, RUNNING, STOPPING = "waiting", "running", "stopping"
DONE, STOPPED, FAILED = "done", "stopped", "failed"


class Preview(NamedTuple):
    """A picture [H, W, 3] of what was learned after `step` steps."""

    step: int
    prompt: str
    pixels: NDArray[np.uint8]


class Job:
    """A training of an identity. Written to by the thread that trains, read by any."""

    def __init__(self, identifier: str, settings: TrainSettings, preview_every: int = 0):
        self.id, self.settings = identifier, settings
        self.progress: Progress | None = None  # None while it waits for its turn
        self.losses: list[tuple[int, float]] = []  # (step, loss), NaN where the step was skipped
        self.validation: list[tuple[int, float]] = []  # (step, loss with always the same noise)
        self.seconds_a_step: float | None = None
        self.warnings: list[str] = []
        self.error = ""  # a sentence
        self.identity: Identity | None = None  # what was learned, once it ended
        self.file: Path | None = None  # where that is saved
        self.ended = False
        self.preview: Preview | None = None  # the last picture of what was learned
        self.preview_every = preview_every  # steps; 0 for none
        self.keeps = False  # whether what is learned is saved when it is stopped
        self._stop = threading.Event()

    @property
    def state(self) -> str:
        """WAITING for its turn, RUNNING, STOPPING; then DONE (saved), STOPPED (can be gone on with) or FAILED."""
        if self.ended:
            return FAILED if self.error else DONE if self.file else STOPPED
        if self._stop.is_set():
            return STOPPING
        return RUNNING if self.progress else WAITING

    @property
    def loss(self) -> float | None:
        """The loss of the last step that was not skipped; None before."""
        return next((loss for _, loss in reversed(self.losses) if math.isfinite(loss)), None)

    def stop(self, keep: bool = False) -> None:
        """Let the step that is being made be the last. keep: save what is learned by then."""
        self.keeps = self.keeps or keep
        self._stop.set()

    def stops(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def report(self, progress: Progress) -> None:
        """Take note of where the training is."""
        if progress.stage == TRAINING:
            if progress.loss is not None:
                self.losses.append((progress.step, progress.loss))
            if progress.validation is not None and self._is_new(progress.validation):
                self.validation.append((progress.step, progress.validation))
            if progress.seconds_left is not None and progress.total > progress.step:
                self.seconds_a_step = progress.seconds_left / (progress.total - progress.step)
        self.progress = progress

    def _is_new(self, validation: float) -> bool:
        """A validation is told again at every step until the next."""
        return not self.validation or self.validation[-1][1] != validation

    def end(self, identity: Identity, file: Path | None) -> None:
        """Take note of what was learned, and of the file that it was saved to."""
        self.identity, self.file = identity, file
        self.losses, self.validation = list(enumerate(identity.losses, start=1)), list(identity.validation)
        self.warnings += [warning for warning in identity.warnings if warning not in self.warnings]
