"""What a person asks for on the page either happens, or the page says in a sentence why not."""

from collections.abc import Callable
from typing import TypeVar

Shown = TypeVar("Shown")


def tried(do: Callable[[], object], show: Callable[[str], Shown]) -> Shown:
    """Do something, and return what `show` makes of the sentence that says why it failed; "" where it did not."""
    try:
        do()
    except (ValueError, OSError, ImportError) as error:
        return show(str(error))
    return show("")
