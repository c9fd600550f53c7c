"""Waiting for what happens elsewhere. Only what hangs reaches the limit, however busy the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 600.0  # seconds

Seen = TypeVar("Seen")


def until(happened: Callable[[], Seen], every: float = 0.02) -> Seen:
    """Ask again and again, each time `every` seconds later, and return the first answer that is true."""
    end = time.monotonic() + PATIENCE
    while not (seen := happened()):
        assert time.monotonic() < end, "it does not happen"
        time.sleep(every)
    return seen
