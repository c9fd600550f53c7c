"""Do units of work on a Ray cluster: an actor for each GPU keeps the loaded checkpoint and takes units as they come.

This file alone knows Ray (Moritz et al., arXiv 1712.05889). Files go through a folder that all machines see.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vcd_ext.batch.estimate import work_of
from vcd_ext.batch.lender import Lender
from vcd_ext.batch.run import Execute, Within
from vcd_ext.batch.toml_file import PlanError
from vcd_ext.batch.unit import Unit, UnitResult
from vcd_ext.batch.waiting import Waiting
from vcd_ext.batch.worker import Expected, Worker, at_whole_paths, expected, token_in
from vcd_ext.progress import Callbacks

INSTALL = "pip install ray==2.48.0"
POLL, TELL = 0.2, 2.0  # seconds between looks at the results, and at how far units are
REACH, GATHER = 5.0, 120.0  # seconds that a cluster has to answer, and its workers to start
STORE = 80_000_000  # bytes for objects of a cluster that is started here: units are small, files go through folders
TALK = "talk"  # the thread of an actor that answers while the other one works


@dataclass(frozen=True)
class Request:
    """What is asked of a cluster."""

    address: str  # "auto": the one that runs on this machine, else one that is started for these units
    out: Path  # the folder that is written
    make_lender: Callable[[], Lender]  # something that can be imported by its name
    gpus: int | None = None  # at most so many; of CPU cores in a cluster without GPUs
    workers_per_gpu: int = 1


def in_cluster(request: Request) -> Execute:
    """Return what does units on a cluster; PlanError, in one sentence, where it or its workers cannot be used."""

    def execute(units: Sequence[Unit], callbacks: Callbacks, within: Within) -> Iterator[UnitResult]:
        if not units:
            return
        with _connected(request.address) as ray, token_in(request.out) as token:
            yield from _Crew(ray, request, at_whole_paths(tuple(units)), callbacks, token).results(within)

    return execute


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is reported to anybody
    os.environ.setdefault("RAY_worker_niceness", "0")  # of a cluster that is started here; Ray's own is 15
    try:
        import ray
    except ImportError as error:
        raise PlanError(f"--ray needs Ray, which is not installed: {INSTALL}.") from error
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address != "auto":
            _check_reachable(address)
        try:
            ray.init(address=address, **quiet)
        except ConnectionError:
            if address != "auto":
                raise
            ray.init(address="local", include_dashboard=False, object_store_memory=STORE, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise PlanError(f"The Ray cluster at {address} cannot be used: {reason}.") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise ConnectionError at once, where Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ConnectionError("an address is the head's HOST:PORT, such as 10.0.0.5:6379, or auto")
    try:
        socket.create_connection((host, int(port)), REACH).close()
    except OSError as error:
        raise ConnectionError(f"nothing answers there ({error.strerror or error})") from error


@dataclass(eq=False)
class _Hand:
    """A worker, what it is asked at the moment, and which checkpoint it holds."""

    actor: Any
    answer: Any  # a reference: why it is unfit, or what became of the unit
    ready: bool = False
    unit: Unit | None = None
    loaded: Path | None = None

    @property
    def idle(self) -> bool:
        return self.ready and self.unit is None

    def begin(self, unit: Unit) -> None:
        self.unit, self.loaded = unit, unit.work.models.checkpoint
        self.answer = self.actor.do.remote(unit)

    def talk(self, name: Literal["progress", "stop"]) -> Any | None:
        """Ask for something beside the unit; None of a dead worker, whose death the answer to its unit tells."""
        try:
            return getattr(self.actor, name).options(concurrency_group=TALK).remote()
        except Exception:  # of no kind of Ray's own
            return None


class _Crew:
    """All workers of a run."""

    def __init__(self, ray: Any, request: Request, units: Sequence[Unit], callbacks: Callbacks, token: Path):
        self.ray, self.request, self.callbacks, self.units = ray, request, callbacks, units
        self.expected: Expected = expected(units, token)
        self.waiting = Waiting(units, work_of)
        self.stopped: OSError | bool = False
        self.told = time.monotonic()
        self.resources, count = self._places()
        self.hands = [self._hire() for _ in range(min(count, len(units)))]

    def _places(self) -> tuple[dict[str, float], int]:
        """Return what one worker needs, and how many there are."""
        there, each = self.ray.cluster_resources(), self.request.workers_per_gpu
        kind = "GPU" if there.get("GPU", 0) >= 1 else "CPU"
        places = min(int(there.get(kind, 0)), self.request.gpus or int(there.get(kind, 0)))
        if not places:
            raise PlanError(f"The Ray cluster at {self.request.address} has neither GPUs nor CPU cores.")
        needs = {"num_gpus": 1 / each, "num_cpus": 0} if kind == "GPU" else {"num_gpus": 0, "num_cpus": 1 / each}
        return needs, places * each

    def _hire(self) -> _Hand:
        remote = self.ray.remote(concurrency_groups={TALK: 1}, scheduling_strategy="SPREAD", **self.resources)
        actor = remote(Worker).remote(self.request.make_lender)
        return _Hand(actor, actor.unfit.remote(self.expected))

    def results(self, within: Within) -> Iterator[UnitResult]:
        """Do all units; what is done when the person interrupts is the last."""
        self._gather()
        while True:
            if self.callbacks.interrupted() and not self.stopped:
                self._stop(True)
            for hand in [hand for hand in self.hands if hand.idle and not self.stopped]:
                if unit := self.waiting.take(hand.loaded):
                    yield from self._begin(hand, unit)
            busy = [hand for hand in self.hands if hand.unit]
            if not busy and (self.stopped or not self.waiting):
                break
            if not busy and not any(hand.ready for hand in self.hands):
                self._await_help()
            yield from self._answers(within)
        if isinstance(self.stopped, OSError):
            raise self.stopped

    def _begin(self, hand: _Hand, unit: Unit) -> Iterator[UnitResult]:
        try:
            hand.begin(unit)
        except Exception as error:  # of no kind of Ray's own where it knows already that the worker is dead
            yield from self._mourn(hand, error)

    def _stop(self, why: OSError | bool) -> None:
        self.stopped = self.stopped or why
        for hand in self.hands:
            hand.talk("stop")

    def _answers(self, within: Within) -> Iterator[UnitResult]:
        asked = {hand.answer: hand for hand in self.hands if hand.unit or not hand.ready}
        for answer in self.ray.wait(list(asked), timeout=POLL)[0]:
            hand = asked[answer]
            try:
                found = self.ray.get(answer)
            except self.ray.exceptions.RayError as error:
                yield from self._mourn(hand, error)
                continue
            yield from self._finished(hand, found) if hand.unit else self._introduced(hand, found)
        if time.monotonic() - self.told > TELL:
            self._tell(within)

    def _finished(self, hand: _Hand, found: UnitResult | OSError | None) -> Iterator[UnitResult]:
        hand.unit = None
        if isinstance(found, OSError):
            self._stop(found)
        elif found:
            yield found
            yield from self.waiting.finished(found)

    def _introduced(self, hand: _Hand, reason: str) -> Iterator[UnitResult]:
        hand.ready = not reason
        if reason:
            self.hands.remove(hand)
            self.callbacks.note(f"A worker that came later {reason}")
        yield from ()

    def _mourn(self, hand: _Hand, error: Exception) -> Iterator[UnitResult]:
        """Let another worker take over what a dead one did."""
        self.hands.remove(hand)
        with suppress(Exception):  # it may not be dead, but out of reach
            self.ray.kill(hand.actor, no_restart=True)
        if hand.unit is None:
            self.callbacks.note(f"A worker could not be started: {_first_line(error)}")
            return
        self.callbacks.note(f"The worker that made {hand.unit.name} died; another one makes it.")
        result = self.waiting.lost(hand.unit)
        if not self.stopped:
            self.hands.append(self._hire())
        if result:
            yield result
            yield from self.waiting.finished(result)

    def _tell(self, within: Within) -> None:
        """Report how far units are, of those workers that answer in time."""
        asked = {answer: hand.unit for hand in self.hands if hand.unit and (answer := hand.talk("progress"))}
        for answer in self.ray.wait(list(asked), num_returns=len(asked), timeout=POLL)[0] if asked else []:
            with suppress(self.ray.exceptions.RayError):
                unit = asked[answer]
                if unit and (reached := self.ray.get(answer)):
                    within(unit.name, reached)
        self.told = time.monotonic()

    def _gather(self) -> None:
        """Wait until the workers are there; PlanError, in one sentence, if one cannot be used, or the units be done."""
        answers = {hand.answer: hand for hand in self.hands}
        there, _ = self.ray.wait(list(answers), num_returns=len(answers), timeout=GATHER)
        for answer in there:
            try:
                reason = self.ray.get(answer)
            except self.ray.exceptions.RayError as error:
                reason = f"could not be started: {_first_line(error)}"
            if reason:
                raise PlanError(f"A worker of the Ray cluster at {self.request.address} {reason}")
            answers[answer].ready = True
        if not there:
            raise PlanError(f"The Ray cluster at {self.request.address} gave no worker within {GATHER:.0f} s.")
        first = next(hand for hand in self.hands if hand.ready)
        if problem := self.ray.get(first.actor.check.remote(self.units)):
            raise PlanError(problem)

    def _await_help(self) -> None:
        """Wait for a worker that is being started; ValueError where none comes."""
        coming = [hand.answer for hand in self.hands]
        if not coming or not self.ray.wait(coming, timeout=GATHER)[0]:
            raise ValueError("All workers of the Ray cluster died, and no other came; the same command goes on.")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
