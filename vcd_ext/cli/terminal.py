"""Output in a terminal: sentences, a bar for each stage with the time left, the answer to Ctrl-C."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm

    from vcd_ext.progress import Progress, Report

INTERRUPTED = 130  # exit status


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Yield a question: was Ctrl-C pressed? The first one lets the step end; a second one stops at once."""
    pressed: list[int] = []

    def press(number: int, _frame: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, before)
        notify("\nStopping after this step; press Ctrl-C again to stop at once.")

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stage_bars() -> Iterator["Report"]:
    """Show a bar on stderr for each stage, with the loss and the time left; yield the callback that moves it."""
    from tqdm import tqdm

    layout = "{desc} {percentage:3.0f}% |{bar}| {n}/{total}, {elapsed} passed, {remaining} left{postfix}"
    shown: list[tqdm] = []

    def show(progress: "Progress") -> None:
        if not shown or shown[-1].desc != progress.stage:
            _close(shown)
            shown.append(
                tqdm(desc=progress.stage, total=progress.total, initial=progress.step, bar_format=layout, leave=True)
            )
        if shown[-1].total != progress.total:  # a face that is away for a while is repaired in parts
            shown[-1].reset(progress.total)
        if progress.loss is not None:
            checked = "" if progress.validation is None else f", checked {progress.validation:.3f}"
            shown[-1].set_postfix_str(f"loss {progress.loss:.3f}{checked}", refresh=False)
        shown[-1].update(progress.step - shown[-1].n)

    try:
        yield show
    finally:
        _close(shown)


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr with the time left; yield the callback (done, total) that shows and moves it."""
    from tqdm import tqdm

    bars: list[tqdm] = []  # made at the first call, so that a job that is refused shows none
    layout = "{percentage:3.0f}% |{bar}| {elapsed} passed, {remaining} left"

    def show(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, initial=done, bar_format=layout))
        bars[0].update(done - bars[0].n)

    try:
        yield show
    finally:
        _close(bars)


def _close(shown: "list[tqdm]") -> None:
    for bar in shown:
        bar.close()


def notify(*sentences: str) -> None:
    """Print sentences to the person, apart from the results."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)
