"""Whose page asks: what somebody has begun is shown to that person's pages alone, and stopped by them alone."""

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from vcd_ext.jobs.session import requested_by

# A browser's own name, which javascript/vcd.js makes: the page knows its jobs again when it is loaded anew.
COOKIE = re.compile(r"(?:^|;\s*)vcd_session=([0-9a-f]{32})(?:;|$)")


class PageName:
    """The secret name of one loaded page: Gradio makes a copy for each, and no copy has the name of another."""

    def __init__(self) -> None:
        self.name = secrets.token_hex(16)

    def __deepcopy__(self, _memo: dict[int, Any]) -> "PageName":
        return PageName()


class Session:
    """Tells the jobs whose an event is. Creates its state where it is made, once for all tabs."""

    def __init__(self) -> None:
        self.state = gr.State(PageName())

    def on(
        self,
        listen: Callable[..., Any],
        do: Callable[..., Any],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        **more: Any,
    ) -> Any:
        """Listen as `listen(do, inputs, outputs)`, such as a button's `click`; `do` sees only its session's jobs."""

        def answer(request: gr.Request, page: PageName | None, *values: Any) -> Any:
            with requested_by(whose(request, page)):
                return do(*values)

        answer.__name__, answer.__qualname__ = do.__name__, do.__qualname__
        return listen(answer, [self.state, *inputs], outputs, **more)


def whose(request: Any, page: PageName | None) -> str:
    """Return who asks: the account of --gradio-auth, else the browser, else the page.

    A request that names no page, which none of the page's own is, is nobody's.
    """
    if user := getattr(request, "username", None):
        return f"account {user}"
    try:
        browser = COOKIE.search(str(request.headers["cookie"]))
    except (AttributeError, KeyError, TypeError):  # none at all
        browser = None
    if browser:
        return f"browser {browser[1]}"
    return f"page {page.name if page is not None else secrets.token_hex(16)}"
