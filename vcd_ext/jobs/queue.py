"""The queue of background jobs: one runs at a time, whoever asks for it, the page or the API."""

import secrets
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from vcd_ext.denoising.out_of_memory import is_out_of_memory
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.jobs.job import Job
from vcd_ext.jobs.session import current_session, may_see
from vcd_ext.jobs.studio import Studio
from vcd_ext.progress import Progress

REMEMBERED = 20  # jobs that can be asked about
OTHERS = "Somebody else's job is under way"

Kind = TypeVar("Kind", bound=Job)


class BusyError(ValueError):
    """Something is being done already; the message says what, and what to do."""


class JobQueue:
    """Run the work of a studio one piece at a time. Each session sees and stops what it has begun itself."""

    def __init__(self, studio: Studio):
        self.studio = studio
        self.doing: Progress | None = None  # what is being done that is no job
        self._doing_for: str | None = None  # the session that has begun it
        self._jobs: dict[str, Job] = {}
        self._taking = threading.Lock()  # held for moments, to see whether the turn is free and take it
        self._free = True
        self._stop = threading.Event()  # for what is no job

    @property
    def last(self) -> Job | None:
        """The job that runs, or the last that did; None before the first."""
        return next(reversed(self._jobs.values()), None)

    def last_of(self, kind: type[Kind], accepts: Callable[[Kind], bool] = lambda _: True) -> Kind | None:
        """Return the last job of one kind that this session began and that is accepted."""
        mine = (job for job in reversed(self._jobs.values()) if may_see(job.session))
        return next((job for job in mine if isinstance(job, kind) and accepts(job)), None)

    def get(self, identifier: str, kind: type[Kind], accepts: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """Return a job of a kind by its id; LookupError if there is none, or if it is not accepted."""
        job = self._jobs.get(identifier)
        if not isinstance(job, kind) or not accepts(job):
            raise LookupError(f"There is no {kind.kind} {identifier!r}; those of before the last start are not known.")
        return job

    @property
    def idle(self) -> bool:
        """Whether nothing is being done."""
        return self.doing is None and (self.last is None or self.last.ended)

    def beside(self, job: Job | None) -> Progress | None:
        """Return the progress of what is done now beside this job; None if nothing is."""
        if self.doing is not None:
            return self.doing
        last = self.last
        if last is None or last.ended or last is job:
            return None
        return Progress(last.what if may_see(last.session) else OTHERS, 0, 1)

    @property
    def stoppable(self) -> bool:
        """Whether something is being done that was begun by who asks."""
        last = self.last
        return (self.doing is not None and may_see(self._doing_for)) or (
            last is not None and not last.ended and may_see(last.session)
        )

    def stop(self) -> None:
        """End what is being done, and was begun by who asks, as soon as that is possible."""
        if may_see(self._doing_for):
            self._stop.set()
        if self.last is not None and not self.last.ended and may_see(self.last.session):
            self.last.stop()

    def given_up(self) -> bool:
        """Return whether what is done, and is no job, was asked to stop here: the host's button may mean another."""
        return self._stop.is_set()

    def stops(self) -> bool:
        """Return whether what is done, and is no job, was asked to stop."""
        return self.given_up() or self.studio.interrupted()

    def tell(self, progress: Progress) -> None:
        """Tell how far it is what is being done within a `turn`."""
        self.doing = progress

    @contextmanager
    def turn(self, what: str) -> Iterator[None]:
        """Let nothing else be done in this context; BusyError if something already is. what: as `Progress.stage`."""
        self._take_turn()
        try:
            self._stop.clear()
            self._doing_for = current_session()
            self.doing = Progress(what, 0, 1)
            yield
        finally:
            self.doing = self._doing_for = None
            self._free = True

    def begin(self, make: Callable[[str], Kind], work: Callable[[Kind], None]) -> Kind:
        """Do a job's work in a thread of its own; BusyError if something else is done.

        make: the job, by its id. What `work` raises becomes the job's error, in a sentence.
        """
        self._take_turn()
        try:
            job, begun_now = make(secrets.token_hex(16)), self.studio.begun_now()
        except BaseException:
            self._free = True
            raise
        job.session = current_session()
        self._jobs[job.id] = job
        while len(self._jobs) > REMEMBERED:
            del self._jobs[next(iter(self._jobs))]
        threading.Thread(target=self._run, args=(job, work, begun_now), name=f"VCD {job.kind}", daemon=True).start()
        return job

    def _run(self, job: Kind, work: Callable[[Kind], None], begun_now: AbstractContextManager[None]) -> None:
        try:
            with begun_now:
                work(job)
        except Interrupted:  # while it waited: there is nothing to keep
            job.stop()
        except Exception as error:  # whatever it is, the person is told, and the next job can begin
            job.error = _sentence(error, job)
        finally:
            self._free = True
            job.ended = True

    def _take_turn(self) -> None:
        with self._taking:
            if not self._free:
                raise BusyError(self._occupation())
            self._free = False

    def _occupation(self) -> str:
        if self.doing is not None:
            return f"{self.doing.stage} is under way; try again when it is done."
        if self.last is not None and not may_see(self.last.session):
            return f"{OTHERS}; try again when it is done."
        return self.last.occupation if self.last else "Something else is under way; try again when it is done."


def _sentence(error: Exception, job: Job) -> str:
    if is_out_of_memory(error):
        return job.too_small
    if isinstance(error, ValueError | OSError | ImportError):
        return str(error)
    traceback.print_exception(error)
    reason = (str(error).strip() or "no reason given").splitlines()[0]
    return f"The {job.kind} failed: {type(error).__name__}: {reason}. The console tells more."
