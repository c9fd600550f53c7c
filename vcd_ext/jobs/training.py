"""One training in the background: the job, and what it does from its photos to the file of its identity."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.identity import library
from vcd_ext.identity.embedding import save_embedding
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.segment import fill_masks
from vcd_ext.identity.training import unfinished
from vcd_ext.identity.training.batch import caption
from vcd_ext.identity.training.learned import Identity
from vcd_ext.identity.training.request import TrainingRequest
from vcd_ext.identity.training.unfinished import Begun
from vcd_ext.jobs.job import Job
from vcd_ext.jobs.studio import Studio
from vcd_ext.progress import TRAINING, Progress, Report
from vcd_ext.settings import TrainSettings

FINDING_MASKS = "Finding masks"


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
        """Return whether a validation is new: it is told again at every step until the next."""
        return not self.validation or self.validation[-1][1] != validation

    def end(self, identity: Identity, file: Path | None) -> None:
        """Take note of what was learned, and of the file that it was saved to."""
        self.identity, self.file = identity, file
        self.losses, self.validation = list(enumerate(identity.losses, start=1)), list(identity.validation)
        self.notes += [warning for warning in identity.warnings if warning not in self.notes]


class TrainingRun:
    """One training on a studio, whose turn it is."""

    def __init__(self, studio: Studio, job: TrainingJob, begun: Begun):
        self.studio, self.job, self.begun = studio, job, begun
        self.folder, self.name = studio.folders.trainings, job.settings.name
        self._trains = False  # whether it has had its turn
        self._keeps = True  # snapshots, until one cannot be written

    def go(self) -> None:
        """Train until the job is done or stopped. ValueError or OSError in a sentence, and whatever else goes wrong.

        Interrupted if it is stopped while it waits for its turn.
        """
        job = self.job
        if job.settings.masked:
            self.begun = replace(self.begun, photos=self._those_with_masks())
        if job.stops():
            return
        unfinished.save(self.folder, self.begun)
        state = unfinished.state_file(self.folder, self.name)
        try:
            photos, replaces = self.begun.photos, self.begun.replace_existing
            identity = self.studio.train(
                TrainingRequest(photos, job.settings, self._report, self._stops, state, replaces, self._keep_snapshot)
            )
        finally:
            if not state.exists():  # it was refused, and cannot be gone on with; or it is finished
                unfinished.discard(self.folder, self.name)
        job.end(identity, self.studio.place(self.name, True) if identity.finished else None)
        if job.file:
            self._put_away()
        elif job.keeps:
            self.keep()

    def keep(self) -> None:
        """Save what was learned until the job was stopped; ValueError if that is nothing."""
        identity = self.job.identity
        if identity is None or not identity.steps:
            raise ValueError(f"{self.name} has not learned anything yet, so there is nothing to save.")
        state = unfinished.state_file(self.folder, self.name)
        self.job.file = self.studio.keep(identity, state, self.begun.replace_existing)
        self._put_away()

    def _put_away(self) -> None:
        """Give the identity, which is safe, its picture, and delete what it was trained from."""
        assert self.job.file is not None
        try:
            library.save_picture(self.job.file, self.begun.photos[0])
            unfinished.discard(self.folder, self.name)
        except OSError as error:
            self.job.notes.append(str(error))

    def _those_with_masks(self) -> list[Photo]:
        """Return the photos with masks, found now where needed, without the others. ValueError if none is left."""
        job, photos = self.job, self.begun.photos
        found, problems = find_missing_masks(
            self.studio,
            photos,
            job.settings.class_word,
            job.report,
            lambda: job.stops() or self.studio.interrupted(),
            job.stops,
        )
        job.notes += problems
        kept = [photo for photo in found if photo.mask is not None]
        if not kept and not job.stops():
            raise ValueError(
                "No photo has a mask, so the training did not begin; mark the subject, give masks, or turn off "
                "'Masked loss' to learn from whole pictures."
            )
        if left_out := [photo.name for photo in found if photo.mask is None]:
            job.notes.append(f"Left out, because no mask was found: {', '.join(left_out)}.")
        return kept

    def _stops(self) -> bool:
        """Return whether to stop now, which is not before what was learned before, and is to be kept, is read."""
        reads = self.job.keeps and not self._trains and unfinished.state_file(self.folder, self.name).exists()
        return self.job.stops() and not reads

    def _report(self, now: Progress) -> None:
        """Tell the job how far it is, and make a preview every so often."""
        job, self._trains = self.job, True
        job.report(now)
        due = now.loss is not None and job.preview_every and now.step % job.preview_every == 0
        if due and now.vectors is not None and not job.stops():
            self._show(now.step, now.vectors)

    def _keep_snapshot(self, snapshot: Identity) -> None:
        """Write a snapshot, which a training that goes on from an earlier state writes again."""
        if not self._keeps:
            return
        try:
            save_embedding(self.studio.place(snapshot.name, True), snapshot.vectors, snapshot.metadata)
        except (OSError, ValueError) as error:  # the training is worth more
            self._keeps = False
            self.job.notes.append(f"No more steps are kept: {error}")

    def _show(self, step: int, vectors: Tensor) -> None:
        prompt = caption("", self.job.settings)
        try:
            pixels = self.studio.picture(prompt, self.name, vectors, self.job.settings.size)
            self.job.preview = Preview(step, prompt, pixels)
        except Exception as error:  # whatever it is, a picture is not worth a training
            self.job.preview_every = 0
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            self.job.notes.append(f"There are no more previews: {reason}")


def find_missing_masks(
    studio: Studio,
    photos: Sequence[Photo],
    word: str,
    tell: Report,
    stops: Callable[[], bool],
    gives_up: Callable[[], bool],
) -> tuple[list[Photo], list[str]]:
    """Find masks as `fill_masks` with the studio's segmenters; once it stops, the photos left stay as they are.

    gives_up: asked instead of `stops` while it waits for its turn, when the host's button means another job.
    """
    if all(photo.mask is not None for photo in photos):
        return list(photos), []
    filled: list[Photo] = []
    problems: list[str] = []
    with suppress(Interrupted), studio.segmenting(gives_up) as segmenters:
        for done, photo in enumerate(photos):
            tell(Progress(FINDING_MASKS, done, len(photos)))
            if stops():
                break
            found, why = fill_masks([photo], word, segmenters)
            filled += found
            problems += why
    return [*filled, *photos[len(filled) :]], problems
