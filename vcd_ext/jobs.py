"""Trainings in the background, one at a time, for whoever asks: the page, the API, several of them."""

import secrets
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from vcd_ext.identity import shelf, unfinished
from vcd_ext.identity.estimate import step_work
from vcd_ext.identity.naming import check_class_word, check_name
from vcd_ext.identity.photos import Photo
from vcd_ext.identity.progress import Progress, Report
from vcd_ext.identity.segment import fill_masks
from vcd_ext.identity.unfinished import Begun
from vcd_ext.job import Job
from vcd_ext.settings import TrainSettings
from vcd_ext.studio import Studio

FINDING_MASKS = "Finding masks"
REMEMBERED = 20  # jobs that can be asked about


class BusyError(ValueError):
    """Something is being done already; the message says what, and what to do."""


class Jobs:
    """All that a studio does for page and API takes its turn here."""

    def __init__(self, studio: Studio):
        self.studio = studio
        self.pace: float | None = None  # operations a second, as the last training measured it
        self.doing: Progress | None = None  # what is being done that is no training
        self._jobs: dict[str, Job] = {}
        self._taking = threading.Lock()  # held for moments, to see whether the turn is free and take it
        self._free = True
        self._stop = threading.Event()  # for what is no training

    @property
    def last(self) -> Job | None:
        """The training that runs, or the last that did; None before the first."""
        return next(reversed(self._jobs.values()), None)

    def get(self, identifier: str) -> Job:
        """A training by its id; LookupError if there is none."""
        if identifier not in self._jobs:
            raise LookupError(f"There is no training {identifier!r}; those of before the last start are not known.")
        return self._jobs[identifier]

    def start(self, photos: Sequence[Photo], settings: TrainSettings, replace_existing: bool = False) -> Job:
        """Begin a training, in a thread of its own.

        For photos without a mask one is looked for first, unless the settings say that masks are not used; photos
        for which none is found are left out. ValueError, in one sentence, if it cannot begin; BusyError if something
        else is done.
        """
        settings = replace(settings, class_word=check_class_word(settings.class_word, check_name(settings.name)))
        if not photos:
            raise ValueError("There are no photos; give 5 to 10 pictures of what is to be learned.")
        self.studio.place(settings.name, replace_existing)
        for begun in unfinished.unfinished(self.studio.folders.trainings):
            if begun.name == settings.name and begun.step:
                raise ValueError(
                    f"There is an unfinished training of {begun.name} ({begun.step} of {begun.total} steps); resume "
                    "it, or discard it to begin anew."
                )
        return self._begin(Begun(photos, settings, replace_existing))

    def resume(self, name: str) -> Job:
        """Go on with the unfinished training of `name`; ValueError and BusyError as `start`."""
        begun = unfinished.load(self.studio.folders.trainings, check_name(name))
        self.studio.place(name, begun.replace_existing)
        return self._begin(begun)

    def discard(self, name: str) -> None:
        """Delete the unfinished training of `name`; BusyError while it may be running."""
        with self.turn("Discarding a training"):
            unfinished.discard(self.studio.folders.trainings, check_name(name))

    def stop(self) -> None:
        """End what is being done as soon as that is possible; a training can be gone on with."""
        self._stop.set()
        if self.last is not None and not self.last.ended:
            self.last.stop()

    def stops(self) -> bool:
        """Whether what is being done, and is no training, was asked to stop."""
        return self._stop.is_set() or self.studio.interrupted()

    def keep(self, job: Job) -> None:
        """Save what a training has learned: at once if it was stopped, else after the step that is being made."""
        if not job.ended:
            job.stop(keep=True)
        elif job.identity is not None and job.file is None:
            with self.turn("Saving an identity"):
                self._keep(job, unfinished.load(self.studio.folders.trainings, job.settings.name))

    def find_masks(self, photos: Sequence[Photo], word: str) -> tuple[list[Photo], list[str]]:
        """As `vcd_ext.identity.segment.fill_masks`; `doing` tells how far it is. BusyError if something else is done.

        Once it was asked to stop, the photos that are left stay as they are.
        """
        with self.turn(FINDING_MASKS):
            return self._masked(photos, word, self.tell, self.stops)

    def tell(self, progress: Progress) -> None:
        """Tell how far it is what is being done within a `turn`."""
        self.doing = progress

    @contextmanager
    def turn(self, what: str) -> Iterator[None]:
        """Within this context nothing else is done; BusyError if something already is. what: as `Progress.stage`."""
        self._take_turn()
        try:
            self._stop.clear()
            self.doing = Progress(what, 0, 1)
            yield
        finally:
            self.doing = None
            self._free = True

    def _take_turn(self) -> None:
        with self._taking:
            if not self._free:
                raise BusyError(self._occupation())
            self._free = False

    def _occupation(self) -> str:
        if self.doing is not None:
            return f"{self.doing.stage} is under way; try again when it is done."
        name = self.last.settings.name if self.last else "Another identity"
        return f"{name} is being trained; wait for the end, or stop that training."

    def _begin(self, begun: Begun) -> Job:
        self._take_turn()
        job = Job(secrets.token_hex(6), begun.settings)
        self._jobs[job.id] = job
        while len(self._jobs) > REMEMBERED:
            del self._jobs[next(iter(self._jobs))]
        threading.Thread(target=self._run, args=(job, begun), name="VCD training", daemon=True).start()
        return job

    def _run(self, job: Job, begun: Begun) -> None:
        try:
            self._train(job, begun)
        except Exception as error:  # whatever it is, the person is told, and the next training can begin
            job.error = _sentence(error)
        finally:
            self._free = True
            job.ended = True

    def _train(self, job: Job, begun: Begun) -> None:
        folder, name = self.studio.folders.trainings, job.settings.name
        if begun.settings.masked:
            begun = replace(begun, photos=self._those_with_masks(job, begun.photos))
        if job.stops():
            return
        state = unfinished.state_file(folder, name)
        unfinished.save(folder, begun)
        try:
            identity = self.studio.train(
                begun.photos, begun.settings, job.report, job.stops, state, begun.replace_existing
            )
        finally:
            if not state.exists():  # it was refused, and cannot be gone on with; or it is finished
                unfinished.discard(folder, name)
        job.end(identity, self.studio.place(name, True) if identity.finished else None)
        if job.seconds_a_step:
            self.pace = step_work(job.settings, self.studio.capacity()) / job.seconds_a_step
        if job.file:
            self._put_away(job, begun)
        elif job.keeps:
            self._keep(job, begun)

    def _keep(self, job: Job, begun: Begun) -> None:
        assert job.identity is not None
        if not job.identity.steps:
            raise ValueError(f"{job.identity.name} has not learned anything yet, so there is nothing to save.")
        state = unfinished.state_file(self.studio.folders.trainings, job.identity.name)
        job.file = self.studio.keep(job.identity, state, begun.replace_existing)
        self._put_away(job, begun)

    def _put_away(self, job: Job, begun: Begun) -> None:
        """The identity is safe: give it its picture, and delete what it was trained from."""
        assert job.file is not None
        try:
            shelf.save_picture(job.file, begun.photos[0])
            unfinished.discard(self.studio.folders.trainings, job.settings.name)
        except OSError as error:
            job.warnings.append(str(error))

    def _those_with_masks(self, job: Job, photos: Sequence[Photo]) -> list[Photo]:
        """The photos that have a mask, or get one now; the others are left out. ValueError if none is left."""
        found, problems = self._masked(
            photos, job.settings.class_word, job.report, lambda: job.stops() or self.studio.interrupted()
        )
        job.warnings += problems
        kept = [photo for photo in found if photo.mask is not None]
        if not kept and not job.stops():
            raise ValueError(
                "No photo has a mask, so the training did not begin; mark the subject, give masks, or turn off "
                "'Masked loss' to learn from whole pictures."
            )
        if left_out := [photo.name for photo in found if photo.mask is None]:
            job.warnings.append(f"Left out, because no mask was found: {', '.join(left_out)}.")
        return kept

    def _masked(
        self, photos: Sequence[Photo], word: str, tell: Report, stops: Callable[[], bool]
    ) -> tuple[list[Photo], list[str]]:
        if all(photo.mask is not None for photo in photos):
            return list(photos), []
        filled: list[Photo] = []
        problems: list[str] = []
        with self.studio.segmenting() as segmenters:
            for done, photo in enumerate(photos):
                tell(Progress(FINDING_MASKS, done, len(photos)))
                if stops():
                    filled += photos[done:]
                    break
                found, why = fill_masks([photo], word, segmenters)
                filled += found
                problems += why
        return filled, problems


def _sentence(error: Exception) -> str:
    if isinstance(error, ValueError | OSError):
        return str(error)
    if "out of memory" in str(error):
        return "The memory is too small for this training; choose a smaller size or micro-batch, or close programs."
    traceback.print_exception(error)
    reason = (str(error).strip() or "no reason given").splitlines()[0]
    return f"The training failed: {type(error).__name__}: {reason}. The console tells more."
