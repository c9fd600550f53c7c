"""The checkpoint that something was begun with stays its checkpoint, whatever is chosen in the drop-down meanwhile.

The WebUI asks for the chosen one again before each img2img that it makes, so a change would take effect between the
stages of a pipeline, and before a job that has waited for its turn.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from modules import sd_models

_mine = threading.local()  # .info: the checkpoint of this thread; others of the WebUI choose as ever
_changing = threading.Lock()
_threads = 0  # that hold a checkpoint


class _Choice:
    """Stands before the WebUI's function that says which checkpoint is chosen."""

    def __init__(self, choose: Callable[[], Any]):
        self.choose = choose

    def select(self) -> Any:
        """The thread's own checkpoint, else the chosen one."""
        info = getattr(_mine, "info", None)
        return self.choose() if info is None else info


_choice: _Choice | None = None


def from_now() -> AbstractContextManager[None]:
    """Give a context, for any thread, in which the checkpoint is the one that is chosen now."""
    try:
        return pinned(sd_models.select_checkpoint())
    except FileNotFoundError:  # there is none; whoever needs one will say so
        return nullcontext()


@contextmanager
def pinned(info: Any) -> Iterator[None]:
    """Within this context the WebUI takes this checkpoint for the chosen one, in this thread.

    Inside of itself it does nothing: a job holds the checkpoint of its beginning.
    """
    if getattr(_mine, "info", None) is not None:
        yield
        return
    _mine.info = info
    _count(1)
    try:
        yield
    finally:
        _count(-1)
        _mine.info = None


def reload() -> None:
    """Load the checkpoint that this thread holds, else the chosen one; ValueError if its file is gone."""
    info, loaded = sd_models.select_checkpoint(), sd_models.model_data.sd_model
    is_loaded = loaded is not None and loaded.sd_model_checkpoint == info.filename
    if getattr(_mine, "info", None) is not None and not is_loaded and not Path(info.filename).is_file():
        raise ValueError(
            f"The checkpoint {info.name_for_extra} with which this was begun is gone; choose another and begin again."
        )
    sd_models.reload_model_weights()


def changed() -> str:
    """A sentence if another checkpoint was chosen since this thread's one; "" if not."""
    info = getattr(_mine, "info", None)
    if info is None:
        return ""
    _mine.info = None
    try:
        now = sd_models.select_checkpoint()
    finally:
        _mine.info = info
    if now.filename == info.filename:
        return ""
    return (
        f"The checkpoint {now.name_for_extra} was chosen meanwhile; this was begun with {info.name_for_extra}, and "
        "goes on with it."
    )


def _count(more: int) -> None:
    """Stand before the WebUI's own choice while any thread holds a checkpoint."""
    global _threads, _choice
    with _changing:
        if _choice is None:
            _choice = _Choice(sd_models.select_checkpoint)
            sd_models.select_checkpoint = _choice.select
        _threads += more
        if _threads == 0:
            # Somebody else who stands before this by now stays, and is passed on what he asks.
            if sd_models.select_checkpoint == _choice.select:
                sd_models.select_checkpoint = _choice.choose
            _choice = None
