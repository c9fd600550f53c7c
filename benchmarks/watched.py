"""Memory of this process while something is made, and a plot of several such runs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psutil
from PIL import Image, ImageDraw

MIB = 2**20
SECONDS_BETWEEN = 0.02
SIDES, LEFT, RIGHT, TOP, BOTTOM = (760, 360), 60, 16, 34, 44
COLOURS = ((214, 120, 30), (40, 90, 170), (60, 140, 80))
CAPTION = "resident memory from the beginning to the end of each run, models and libraries included"

Memory = list[tuple[float, float]]  # (seconds of the processor since the beginning, MiB)


@contextmanager
def giving_back_at_once() -> Iterator[None]:
    """In processes begun within this context what is freed goes back, so that what is resident says what is needed."""
    os.environ["MALLOC_MMAP_THRESHOLD_"] = str(MIB)
    try:
        yield
    finally:
        del os.environ["MALLOC_MMAP_THRESHOLD_"]


class Run(NamedTuple):
    """One line of a plot."""

    label: str
    memory: Memory
    mark: float | None = None  # seconds at which a line is drawn


class Watch:
    """Notes the resident memory of this process from now on."""

    def __init__(self) -> None:
        self.process, self.began = psutil.Process(), time.process_time()
        self.before = self._resident()
        self._memory: Memory = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._note, daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        """Of the processor since the beginning."""
        return time.process_time() - self.began

    def end(self) -> Memory:
        """Stop, and what was noted."""
        self._ended.set()
        self._thread.join()
        return self._memory

    def _note(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN):
            self._memory.append((self.seconds(), self._resident()))

    def _resident(self) -> float:
        now = self.process.memory_info()
        return (now.rss - now.shared) / MIB  # what is mapped from files comes and goes as the system likes


def plot(runs: Sequence[Run]) -> Image.Image:
    """Plot the memory over each run, from its beginning to its end."""
    picture = Image.new("RGB", SIDES, "white")
    draw = ImageDraw.Draw(picture)
    width, height = SIDES[0] - LEFT - RIGHT, SIDES[1] - TOP - BOTTOM
    top = max(mib for run in runs for _, mib in run.memory) * 1.1
    for line in range(5):
        y = TOP + height * (1 - line / 4)
        draw.line([(LEFT, y), (LEFT + width, y)], fill=(225, 225, 225))
        draw.text((6, y - 6), f"{top * line / 4:.0f} MiB", fill=(90, 90, 90))
    for number, (run, colour) in enumerate(zip(runs, COLOURS, strict=False)):
        whole = run.memory[-1][0]
        points = [(LEFT + width * seconds / whole, TOP + height * (1 - mib / top)) for seconds, mib in run.memory]
        draw.line(points, fill=colour, width=2)
        if run.mark is not None:
            x = LEFT + width * run.mark / whole
            draw.line([(x, TOP), (x, TOP + height)], fill=colour)
        draw.text((LEFT + width / len(runs) * number, 10), run.label, fill=colour)
    draw.text((LEFT, SIDES[1] - 26), CAPTION, fill=(90, 90, 90))
    return picture
