"""Stop the run of a request of the WebUI with one sentence.

The WebUI swallows what its callbacks raise, so a refusal waits on `p`.
"""

from typing import Any, NoReturn

from fastapi import HTTPException

from vcd_ext.hosts.webui import report


class Refused(HTTPException):
    """Tell why VCD does not run a request, in one sentence. The API answers HTTP 422 with it, the page shows it."""

    def __init__(self, sentence: str):
        super().__init__(status_code=422, detail=sentence)

    def __str__(self) -> str:
        return str(self.detail)


def stop(p: Any, refusal: Exception) -> None:
    """Make the run of `p` end with `refusal` before anything is generated.

    A script that goes on with its next picture, such as X/Y/Z plot, has the sentence in its answer.
    """
    sentence = str(refusal)
    p.comment(f"VCD: {sentence}")
    report.add_sentences(p, report.ERRORS_KEY, [sentence])
    # What other extensions would put into the model now, they would never take out: nobody tells them of the end.
    p.scripts = None

    def init(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise refusal

    p.init = init


class RefusedPictures(list[Any]):
    """Stand for the init images of a script that cannot make videos: it is stopped where it begins."""

    def __init__(self, refusal: Refused):
        super().__init__()
        self.refusal = refusal

    def __getitem__(self, _index: Any) -> Any:
        raise self.refusal

    def __iter__(self) -> Any:
        raise self.refusal
