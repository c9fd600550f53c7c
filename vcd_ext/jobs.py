"""Trainings in the background, one at a time, for whoever asks: the page, the API, several of them."""

import secrets
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from vcd_ext.identity import unfinished
from vcd_ext.identity.estimate import step_work
from vcd_ext.identity.naming import check_class_word, check_name
from vcd_ext.identity.photos import Photo
from vcd_ext.identity.progress import Progress
from vcd_ext.identity.segment import class_word
from vcd_ext.identity.unfinished import Begun
from vcd_ext.job import Job
from vcd_ext.job_run import FINDING_MASKS, JobRun, masked
from vcd_ext.settings import TrainSettings
from vcd_ext.studio import Studio

DESCRIBING = "Looking at the photos"
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

    def start(
        self,
        photos: Sequence[Photo],
        settings: TrainSettings,
        replace_existing: bool = False,
        preview_every: int = 0,
    ) -> Job:
        """Begin a training, in a thread of its own. preview_every: steps between pictures of what it has learned.

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
        return self._begin(Begun(photos, settings, replace_existing), preview_every)

    def resume(self, name: str, preview_every: int = 0) -> Job:
        """Go on with the unfinished training of `name`; ValueError and BusyError as `start`."""
        begun = unfinished.load(self.studio.folders.trainings, check_name(name))
        self.studio.place(name, begun.replace_existing)
        return self._begin(begun, preview_every)

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
                begun = unfinished.load(self.studio.folders.trainings, job.settings.name)
                JobRun(self.studio, job, begun).keep()

    def find_masks(self, photos: Sequence[Photo], word: str) -> tuple[list[Photo], list[str]]:
        """As `vcd_ext.identity.segment.fill_masks`; `doing` tells how far it is. BusyError if something else is done.

        Once it was asked to stop, the photos that are left stay as they are.
        """
        with self.turn(FINDING_MASKS):
            return masked(self.studio, photos, word, self.tell, self.stops)

    def suggest_class(self, photos: Sequence[Photo]) -> str:
        """The class that most photos show, by the studio's captions. ValueError if none is recognised; BusyError."""
        captions = []
        with self.turn(DESCRIBING), self.studio.captioning() as caption:
            for done, photo in enumerate(photos):
                self.tell(Progress(DESCRIBING, done, len(photos)))
                if self.stops():
                    raise ValueError("The photos were not looked at to the end; write the class, or try again.")
                captions.append(caption(photo.pixels))
        return class_word(captions)

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

    def _begin(self, begun: Begun, preview_every: int) -> Job:
        self._take_turn()
        job = Job(secrets.token_hex(6), begun.settings, preview_every)
        self._jobs[job.id] = job
        while len(self._jobs) > REMEMBERED:
            del self._jobs[next(iter(self._jobs))]
        threading.Thread(target=self._run, args=(job, begun), name="VCD training", daemon=True).start()
        return job

    def _run(self, job: Job, begun: Begun) -> None:
        try:
            JobRun(self.studio, job, begun).go()
            self._measure(job)
        except Exception as error:  # whatever it is, the person is told, and the next training can begin
            job.error = _sentence(error)
        finally:
            self._free = True
            job.ended = True

    def _measure(self, job: Job) -> None:
        if job.seconds_a_step:
            with suppress(ValueError):  # another checkpoint may be loaded by now
                self.pace = step_work(job.settings, self.studio.capacity()) / job.seconds_a_step


def _sentence(error: Exception) -> str:
    if isinstance(error, ValueError | OSError):
        return str(error)
    if "out of memory" in str(error):
        return "The memory is too small for this training; choose a smaller size or micro-batch, or close programs."
    traceback.print_exception(error)
    reason = (str(error).strip() or "no reason given").splitlines()[0]
    return f"The training failed: {type(error).__name__}: {reason}. The console tells more."
