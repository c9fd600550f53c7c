"""How a run that cannot work is stopped: the WebUI swallows what its callbacks raise, so the refusal waits on `p`."""

from typing import Any, NoReturn

from fastapi import HTTPException


class Refused(HTTPException):
    """A request that VCD does not run, in one sentence. The API answers HTTP 422 with it, the page shows it."""

    def __init__(self, sentence: str):
        super().__init__(status_code=422, detail=sentence)

    def __str__(self) -> str:
        return str(self.detail)


def stop(p: Any, refusal: Exception) -> None:
    """Make the run of `p` end with `refusal` before anything is generated."""

    def init(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise refusal

    p.init = init
