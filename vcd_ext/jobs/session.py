"""Whose request is being answered: each session sees and stops what it has begun itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# None for the machine's own people, who see and stop everything: the command line, and the API, whose jobs are known
# by secret ids.
_current: ContextVar[str | None] = ContextVar("current_session", default=None)


@contextmanager
def requested_by(session: str) -> Iterator[None]:
    """Answer, within this context, a request of this session."""
    before = _current.set(session)
    try:
        yield
    finally:
        _current.reset(before)


def current_session() -> str | None:
    """Return the session whose request is being answered; None for the machine's own people."""
    return _current.get()


def may_see(session: str | None) -> bool:
    """Return whether what this session has begun is shown to who asks now."""
    return _current.get() in (None, session)
