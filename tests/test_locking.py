"""Waiting for a lock, and no longer wanting to."""

import threading
from contextlib import suppress

import pytest

from tests.toy_studio import until
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.jobs.locking import held


class Row:
    """A lock whose places in the row are noted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting = 0

    def acquire(self, blocking: bool = True) -> bool:
        self.waiting += blocking
        return self.lock.acquire(blocking)

    def release(self) -> None:
        self.lock.release()


def test_it_is_held_and_let_go_whatever_happens() -> None:
    lock = threading.Lock()
    for stops in (None, lambda: False):
        held_then = []
        with suppress(KeyError), held(lock, stops):
            held_then.append(lock.locked())
            raise KeyError
        assert (held_then, lock.locked()) == ([True], False)


def test_who_waits_gets_it_next() -> None:
    row, had = Row(), list[int]()

    def wait() -> None:
        with held(row, lambda: False):
            had.append(1)

    row.acquire(blocking=False)
    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: row.waiting)
    assert had == []
    row.release()
    thread.join(60)
    assert had == [1]
    assert not row.lock.locked()


def test_who_no_longer_wants_it_goes_at_once_and_does_not_keep_it_from_the_next() -> None:
    row = Row()
    row.acquire(blocking=False)
    with pytest.raises(Interrupted), held(row, lambda: bool(row.waiting)):
        pytest.fail("somebody else has it")
    assert row.lock.locked(), "it ended while somebody else had it"
    row.release()
    with held(row, None):  # what still stood in the row has let it go, or does so now
        assert row.lock.locked()
    until(lambda: not row.lock.locked())
