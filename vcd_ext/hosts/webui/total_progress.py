"""The console's "Total progress", which the WebUI counts as jobs times steps: a stage has steps of its own.

The passes of a stage are known one by one (there is one for each face that is found). So a request begins with those
that are likely, each pass puts its own in their place, and what is left over at the end of a video is taken off.
"""

from typing import Any

from modules import shared

_expected = 0  # steps that the bar counts for passes which have not begun


def begin(steps_before: int, expected: int) -> None:
    """Count `expected` steps of stages that will follow; steps_before: all others of the request, if none was made."""
    global _expected
    if expected:
        bar = _bar()
        shared.total_tqdm.updateTotal((steps_before if bar is None else bar.total) + expected)
    _expected = expected


def begin_pass(steps: int) -> None:
    """Count the steps of a pass that begins; the first one of all is counted by the WebUI."""
    global _expected
    known = min(steps, _expected)
    _expected -= known
    _add(steps - known)


def end_video(still_expected: int) -> None:
    """Take off what was expected and not made; still_expected: steps of the videos that follow."""
    global _expected
    _add(min(still_expected - _expected, 0))
    _expected = min(_expected, still_expected)


def _add(steps: int) -> None:
    bar = _bar()
    if bar is not None and steps:
        shared.total_tqdm.updateTotal(bar.total + steps)


def _bar() -> Any:
    return shared.total_tqdm._tqdm  # the WebUI has no other way to it
