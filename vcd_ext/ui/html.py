"""What the page shows of anything that takes long, as HTML: a line, a bar, sentences."""

import time
from html import escape

from vcd_ext.progress import Progress

# The page's script asks for news every second while an element of this class is there.
ACTIVE = "vcd-active"


def note_list(sentences: list[str], kind: str = "vcd-problem") -> str:
    """Return a list of sentences; nothing for none."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="vcd-notes {kind}">{items}</ul>' if items else ""


def error_list(*sentences: str) -> str:
    """List as `note_list` does what went wrong; empty sentences are left out."""
    return note_list([sentence for sentence in sentences if sentence], "vcd-error")


def under_way(doing: Progress) -> str:
    """Return what is being done now."""
    return panel(bar(share(doing), stage(doing)), active=True)


def stage(progress: Progress) -> str:
    """Return a stage and how far it is."""
    if progress.total <= 1:
        return progress.stage
    return f"{progress.stage[0].lower()}{progress.stage[1:]} {progress.step} of {progress.total}"


def share(progress: Progress) -> float:
    """Return how much of a stage is done, 0 to 1."""
    return progress.step / max(progress.total, 1)


def bar(done: float, line: str, state: str = "") -> str:
    """Return a line with a bar below it that is `done`, 0 to 1."""
    percent = 100 * min(max(done, 0.0), 1.0)
    return (
        f'<div class="vcd-line vcd-{state}">{escape(line)}</div>'
        f'<div class="vcd-bar"><div style="width: {percent:.1f}%"></div></div>'
    )


def panel(inner: str, active: bool) -> str:
    """Return a panel. active: whether news of it are asked for."""
    # Each answer is another, so that the script sees that it has come.
    return f'<div class="vcd-panel {ACTIVE if active else ""}" data-at="{time.monotonic_ns()}">{inner}</div>'


def heading(number: int, title: str) -> str:
    """Return the heading of a part of a tab."""
    return f'<h3 class="vcd-heading"><span>{number}</span>{escape(title)}</h3>'
