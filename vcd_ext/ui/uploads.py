"""Fields for files of which only those arrive that were really sent to the page.

Gradio takes the path that a browser names for the file that it has sent before, and copies whatever lies there. These
fields take nothing but a file that lies where Gradio puts what is sent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

NOT_SENT = "That file was not sent to this page; choose it again."


class Uploaded(NamedTuple):
    """A file that was sent. name: its path."""

    name: str


class UploadField(gr.File):
    """A `gr.File` that takes what was sent alone."""

    def get_block_name(self) -> str:
        """Look like Gradio's own in the browser."""
        return "file"

    def preprocess(self, x: Any) -> Any:
        """Return the `Uploaded` of a payload, or a list where there may be several; gr.Error for anything else."""
        return _of_payload(x, self.file_count == "single", self.DEFAULT_TEMP_DIR)


class UploadButton(gr.UploadButton):
    """A `gr.UploadButton` that takes what was sent alone."""

    def get_block_name(self) -> str:
        """Look like Gradio's own in the browser."""
        return "uploadbutton"

    def preprocess(self, x: Any) -> Any:
        """Return what `UploadField` does."""
        return _of_payload(x, self.file_count == "single", self.DEFAULT_TEMP_DIR)


def _of_payload(payload: Any, single: bool, folder: str) -> Uploaded | list[Uploaded] | None:
    if payload is None:
        return None
    given = payload if isinstance(payload, Sequence) and not isinstance(payload, str) else [payload]
    files = [_sent(one, Path(folder)) for one in given]
    if not single:
        return files
    if len(files) != 1:
        raise gr.Error(NOT_SENT)
    return files[0]


def _sent(payload: Any, folder: Path) -> Uploaded:
    """Return the file that a payload names. Each is in a folder of its own, whose name nobody can guess."""
    try:
        path = Path(payload["name"])
        real, root = path.resolve(strict=True), folder.resolve(strict=True)
        if payload["is_file"] is True and path.is_absolute() and real.parent.parent == root and real.is_file():
            return Uploaded(str(real))
    except (TypeError, KeyError, ValueError, OSError, RuntimeError):  # no payload of a file, or no path at all
        pass
    raise gr.Error(NOT_SENT)
