"""What a request tells page and API about its videos, gathered over all the runs that a script makes within it.

X/Y/Z plot, Prompts from file, Loopback and others run several times, on one `p` or on copies of it, and answer with a
result of their own. What all of these share is one dict, `p.extra_generation_params`, which goes into the answer.
"""

from collections.abc import Iterable
from typing import Any

VIDEOS_KEY = "VCD videos"
ERRORS_KEY = "VCD errors"
NOTES_KEY = "VCD notes"


class Entries(tuple[Any, ...]):
    """Entries for the answer alone: the WebUI calls what can be called for its text in the infotext."""

    def __call__(self, **_names: Any) -> None:
        """Return None, which leaves an entry out of the infotext."""


def add(p: Any, key: str, entries: Iterable[Any]) -> None:
    """Add to the request's list of that key; with no entries an empty list is there after it."""
    shared: dict[str, Any] = p.extra_generation_params
    shared[key] = Entries((*shared.get(key, ()), *entries))


def tell(p: Any, key: str, sentences: Iterable[str]) -> None:
    """Add sentences, if there are any."""
    told = list(sentences)
    if told:
        add(p, key, told)
