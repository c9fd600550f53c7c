"""One job as page and API see it: where it is, what was noted, how it ended."""

import threading

from vcd_ext.progress import Progress

WAITING, RUNNING, STOPPING = "waiting", "running", "stopping"
DONE, STOPPED, FAILED = "done", "stopped", "failed"


class Job:
    """A training, Face VCD or Tiled VCD. Written to by the thread that does it, read by any."""

    kind = "job"  # what people call it, in sentences
    too_small = "The memory is too small for this; close other programs."

    def __init__(self, identifier: str, name: str):
        self.id = identifier
        self.name = name  # of what it is about
        self.session: str | None = None  # who has begun it; None is the machine's own people
        self.progress: Progress | None = None  # None while it waits for its turn
        self.notes: list[str] = []  # sentences for the person
        self.error = ""  # a sentence
        self.ended = False
        self._stop = threading.Event()

    @property
    def state(self) -> str:
        """WAITING for its turn, RUNNING, STOPPING; then DONE (saved and complete), STOPPED or FAILED."""
        if self.ended:
            return FAILED if self.error else DONE if self.saved else STOPPED
        if self._stop.is_set():
            return STOPPING
        return RUNNING if self.progress else WAITING

    @property
    def saved(self) -> bool:
        """Whether all that it was begun for lies in files."""
        return False

    @property
    def what(self) -> str:
        """What is done, in a few words."""
        return f"The {self.kind} of {self.name}"

    @property
    def occupation(self) -> str:
        """What to tell others who wait, in a sentence."""
        return f"{self.what} is under way; wait for the end, or interrupt it."

    def stop(self) -> None:
        """Let the step that is being made be the last."""
        self._stop.set()

    def stops(self) -> bool:
        """Return whether it was asked to stop."""
        return self._stop.is_set()

    def report(self, progress: Progress) -> None:
        """Take note of where it is."""
        self.progress = progress

    def note(self, sentence: str) -> None:
        """Take note of something that the person should know."""
        self.notes.append(sentence)
