"""What a training does from its first photo to its identity's file: masks, training, previews, putting away."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from torch import Tensor

from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.identity import library
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.segment import fill_masks
from vcd_ext.identity.training import unfinished
from vcd_ext.identity.training.batch import caption
from vcd_ext.identity.training.unfinished import Begun
from vcd_ext.jobs.studio import Studio
from vcd_ext.jobs.training_job import Preview, TrainingJob
from vcd_ext.progress import Progress, Report

FINDING_MASKS = "Finding masks"


class TrainingRun:
    """One training on a studio, whose turn it is."""

    def __init__(self, studio: Studio, job: TrainingJob, begun: Begun):
        self.studio, self.job, self.begun = studio, job, begun
        self.folder, self.name = studio.folders.trainings, job.settings.name
        self._trains = False  # whether it has had its turn

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
            identity = self.studio.train(
                self.begun.photos, job.settings, self._report, self._stops, state, self.begun.replace_existing
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
        """The identity is safe: give it its picture, and delete what it was trained from."""
        assert self.job.file is not None
        try:
            library.save_picture(self.job.file, self.begun.photos[0])
            unfinished.discard(self.folder, self.name)
        except OSError as error:
            self.job.notes.append(str(error))

    def _those_with_masks(self) -> list[Photo]:
        """The photos that have a mask, or get one now; the others are left out. ValueError if none is left."""
        job, photos = self.job, self.begun.photos
        found, problems = masked(
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
        """Whether to stop now: what was learned before and is to be kept is read when it is the training's turn."""
        reads = self.job.keeps and not self._trains and unfinished.state_file(self.folder, self.name).exists()
        return self.job.stops() and not reads

    def _report(self, now: Progress) -> None:
        """Tell the job how far it is, and make a preview every so often."""
        job, self._trains = self.job, True
        job.report(now)
        due = now.loss is not None and job.preview_every and now.step % job.preview_every == 0
        if due and now.vectors is not None and not job.stops():
            self._show(now.step, now.vectors)

    def _show(self, step: int, vectors: Tensor) -> None:
        prompt = caption("", self.job.settings)
        try:
            pixels = self.studio.picture(prompt, self.name, vectors, self.job.settings.size)
            self.job.preview = Preview(step, prompt, pixels)
        except Exception as error:  # whatever it is, a picture is not worth a training
            self.job.preview_every = 0
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            self.job.notes.append(f"There are no more previews: {reason}")


def masked(
    studio: Studio,
    photos: Sequence[Photo],
    word: str,
    tell: Report,
    stops: Callable[[], bool],
    gives_up: Callable[[], bool],
) -> tuple[list[Photo], list[str]]:
    """As `fill_masks` with the studio's segmenters; once it stops, the photos that are left stay as they are.

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
