"""Wait for a lock that somebody else may hold for minutes, and stop waiting when the person does not want to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from vcd_ext.hosts.protocols import Interrupted

ASK_EVERY = 0.1  # seconds


class Lock(Protocol):
    """What `threading.Lock` and the WebUI's queue have in common; any thread may release it."""

    def acquire(self, blocking: bool = True) -> bool:
        """Take the lock; whether that worked."""

    def release(self) -> None:
        """Let the next one have it."""


@contextmanager
def held(lock: Lock, stops: Callable[[], bool] | None = None) -> Iterator[None]:
    """Hold `lock` within this context; Interrupted as soon as `stops` says so while somebody else holds it."""
    if stops is None:
        lock.acquire()
    elif not lock.acquire(blocking=False):
        _Place(lock).wait(stops)
    try:
        yield
    finally:
        lock.release()


class _Place:
    """A place in the row of those who wait; the WebUI's queue knows neither time limits nor how to leave it."""

    def __init__(self, lock: Lock):
        self.lock = lock
        self.taken = threading.Event()
        self._left = False
        self._deciding = threading.Lock()

    def wait(self, stops: Callable[[], bool]) -> None:
        threading.Thread(target=self._take, name="VCD waits", daemon=True).start()
        try:
            while not self.taken.wait(ASK_EVERY):
                if stops():
                    raise Interrupted
        except BaseException:
            self._leave()
            raise

    def _take(self) -> None:
        self.lock.acquire()
        with self._deciding:
            self.taken.set()
            if self._left:
                self.lock.release()

    def _leave(self) -> None:
        """Let the next one have the lock."""
        with self._deciding:
            self._left = True
            if self.taken.is_set():
                self.lock.release()
