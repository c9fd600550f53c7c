"""Trainings in the background: begun, gone on with, kept; and what is done for their photos."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.identity.naming import check_class_word, check_name
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.segment import class_word
from vcd_ext.identity.training import unfinished
from vcd_ext.identity.training.estimate import step_work
from vcd_ext.identity.training.snapshots import snapshot_names
from vcd_ext.identity.training.unfinished import Begun
from vcd_ext.jobs.queue import JobQueue
from vcd_ext.jobs.session import current_session, may_see
from vcd_ext.jobs.training import FINDING_MASKS, TrainingJob, TrainingRun, find_missing_masks
from vcd_ext.progress import Progress
from vcd_ext.settings import TrainSettings

DESCRIBING = "Looking at the photos"


class Trainings:
    """The trainings among the jobs of a queue."""

    def __init__(self, queue: JobQueue):
        self.queue, self.studio = queue, queue.studio
        self.pace: float | None = None  # operations a second, as the last training measured it
        self._begun_by: dict[str, str | None] = {}  # since the start, the session by an identity's name

    def start(
        self,
        photos: Sequence[Photo],
        settings: TrainSettings,
        replace_existing: bool = False,
        preview_every: int = 0,
    ) -> TrainingJob:
        """Begin a training. preview_every: steps between pictures of what it has learned.

        Without a class, what the photos show is asked first, which takes a while. For photos without a mask one is
        looked for, unless the settings say that masks are not used; photos for which none is found are left out.
        ValueError, in one sentence, if it cannot begin; BusyError if something else is done.
        """
        check_name(settings.name)
        if not photos:
            raise ValueError("There are no photos; give 5 to 10 pictures of what is to be learned.")
        for name in (settings.name, *snapshot_names(settings)):
            if self.studio.place(name, replace_existing).exists():
                self.check_own(name)
        for begun in unfinished.unfinished(self.studio.folders.trainings):
            if begun.name == settings.name and begun.step:
                self.check_own(begun.name)
                raise ValueError(
                    f"There is an unfinished training of {begun.name} ({begun.step} of {begun.total} steps); resume "
                    "it, or discard it to begin anew."
                )
        word = self.class_of(photos, settings.class_word, settings.name)
        return self._begin(Begun(photos, replace(settings, class_word=word), replace_existing), preview_every)

    def resume(self, name: str, preview_every: int = 0) -> TrainingJob:
        """Go on with the unfinished training of `name`; ValueError and BusyError as `start`."""
        self.check_own(check_name(name))
        begun = unfinished.load(self.studio.folders.trainings, name)
        self.studio.place(name, begun.replace_existing)
        return self._begin(begun, preview_every)

    def discard(self, name: str) -> None:
        """Delete the unfinished training of `name`; BusyError while it may be running."""
        self.check_own(check_name(name))
        with self.queue.turn("Discarding a training"):
            unfinished.discard(self.studio.folders.trainings, name)
        self.free(name)

    def check_own(self, name: str) -> None:
        """Raise ValueError if an identity, or what is left of its training, is known to be somebody else's."""
        if not self.is_own(name):
            raise ValueError(f"{name} was trained by somebody else, who alone can change it here; use another name.")

    def is_own(self, name: str) -> bool:
        """Return whether this session has trained an identity, or nobody has since the start."""
        return may_see(self._begun_by.get(name.lower(), current_session()))

    def free(self, name: str) -> None:
        """Let anybody train an identity of that name, now that there is none."""
        self._begun_by.pop(name.lower(), None)

    def keep(self, job: TrainingJob) -> None:
        """Save what a training has learned: at once if it was stopped, else after the step that is being made."""
        if not job.ended:
            job.stop(keep=True)
        elif job.identity is not None and job.file is None:
            with self.queue.turn("Saving an identity"):
                begun = unfinished.load(self.studio.folders.trainings, job.settings.name)
                TrainingRun(self.studio, job, begun).keep()

    def find_masks(self, photos: Sequence[Photo], word: str) -> tuple[list[Photo], list[str]]:
        """Fill in masks as `find_missing_masks`; `JobQueue.doing` tells how far it is. BusyError if something is done.

        Once it was asked to stop, the photos that are left stay as they are.
        """
        with self.queue.turn(FINDING_MASKS):
            return find_missing_masks(self.studio, photos, word, self.queue.tell, self.queue.stops, self.queue.given_up)

    def class_of(self, photos: Sequence[Photo], word: str, name: str) -> str:
        """Return the class of the identity `name`: the word, else the photos'. ValueError as `check_class_word`."""
        if not word.strip() and photos and self.studio.captions:
            word = self.suggest_class(photos)
        return check_class_word(word, name)

    def suggest_class(self, photos: Sequence[Photo]) -> str:
        """Suggest the class that most photos show, by the studio's captions. ValueError if none; BusyError."""
        captions = []
        try:
            with self.queue.turn(DESCRIBING), self.studio.captioning(self.queue.given_up) as caption:
                for done, photo in enumerate(photos):
                    self.queue.tell(Progress(DESCRIBING, done, len(photos)))
                    if self.queue.stops():
                        raise Interrupted
                    captions.append(caption(photo.pixels))
        except Interrupted as stopped:
            raise ValueError("The photos were not looked at to the end; write the class, or try again.") from stopped
        return class_word(captions)

    def _begin(self, begun: Begun, preview_every: int) -> TrainingJob:
        def work(job: TrainingJob) -> None:
            TrainingRun(self.studio, job, begun).go()
            self._measure(job)

        job = self.queue.begin(lambda identifier: TrainingJob(identifier, begun.settings, preview_every), work)
        for name in (job.name, *snapshot_names(begun.settings)):
            self._begun_by[name.lower()] = job.session
        return job

    def _measure(self, job: TrainingJob) -> None:
        if job.seconds_a_step:
            with suppress(ValueError):  # another checkpoint may be loaded by now
                self.pace = step_work(job.settings, self.studio.capacity()) / job.seconds_a_step
