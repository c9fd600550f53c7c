"""Tell the WebUI of a run: its turn in the queue, its steps in the console's progress bar, entries of its answer.

X/Y/Z plot, Prompts from file, Loopback and others run several times, on one `p` or on copies of it, and answer with a
result of their own. What all of these share is one dict, `p.extra_generation_params`, which goes into the answer.
The console's "Total progress" counts jobs times steps, and a stage has steps of its own. Its passes are known one by
one (there is one for each face that is found). So a request begins with those that are likely, each pass puts its own
in their place, and what is left over at the end of a video is taken off.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from modules import call_queue, devices, shared

from vcd_ext.jobs.locking import held
from vcd_ext.settings import VideoSettings, describe, to_infotext

VIDEOS_KEY = "VCD videos"
ERRORS_KEY = "VCD errors"
NOTES_KEY = "VCD notes"


class Entries(tuple[Any, ...]):
    """Hold entries for the answer alone: the WebUI calls what can be called for its text in the infotext."""

    def __call__(self, **_names: Any) -> None:
        """Return None, which leaves an entry out of the infotext."""


def tell_settings(p: Any, settings: VideoSettings) -> None:
    """Write a run's settings into its infotext, in place of those of another run, such as an earlier cell of a plot."""
    told = to_infotext(settings)
    for setting in describe(VideoSettings).values():
        p.extra_generation_params.pop(setting.infotext_key, None)
    p.extra_generation_params.update(told)


def add_entries(p: Any, key: str, entries: Iterable[Any]) -> None:
    """Add to the request's list of that key; with no entries an empty list is there after it."""
    shared: dict[str, Any] = p.extra_generation_params
    shared[key] = Entries((*shared.get(key, ()), *entries))


def add_sentences(p: Any, key: str, sentences: Iterable[str]) -> None:
    """Add sentences, if there are any."""
    told = list(sentences)
    if told:
        add_entries(p, key, told)


@contextmanager
def queued(job: str, stops: Callable[[], bool] | None = None) -> Iterator[None]:
    """Wait for the WebUI's queue and hold it, as the job that its progress calls `job`.

    Whoever pressed Interrupt before has not interrupted this one. stops: asked while it waits; then Interrupted.
    """
    with held(call_queue.queue_lock, stops):
        shared.state.begin(job=job)
        try:
            yield
        finally:
            shared.state.end()
            devices.torch_gc()


_expected_steps = 0  # steps that the bar counts for passes which have not begun


def expect_steps(steps_before: int, expected: int) -> None:
    """Count `expected` steps of stages that will follow; steps_before: all others of the request, if none was made."""
    global _expected_steps
    if expected:
        bar = _bar()
        shared.total_tqdm.updateTotal((steps_before if bar is None else bar.total) + expected)
    _expected_steps = expected


def begin_pass(steps: int) -> None:
    """Count the steps of a pass that begins; the first one of all is counted by the WebUI."""
    global _expected_steps
    known = min(steps, _expected_steps)
    _expected_steps -= known
    add_steps(steps - known)


def end_video(still_expected: int) -> None:
    """Take off what was expected and not made; still_expected: steps of the videos that follow."""
    global _expected_steps
    add_steps(min(still_expected - _expected_steps, 0))
    _expected_steps = min(_expected_steps, still_expected)


def add_steps(steps: int) -> None:
    """Count more steps of the request, or fewer; before the first of all the WebUI counts them by its jobs."""
    bar = _bar()
    if bar is not None and steps:
        shared.total_tqdm.updateTotal(bar.total + steps)


def _bar() -> Any:
    return shared.total_tqdm._tqdm  # the WebUI has no other way to it
