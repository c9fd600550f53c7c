"""Which requests of the WebUI cannot become a video, and how their run is stopped.

The WebUI swallows what its callbacks raise, so a refusal waits on `p`.
"""

from typing import Any, NoReturn

from fastapi import HTTPException
from modules import sd_hijack

from vcd_ext.hosts.webui import report
from vcd_ext.settings import NO_MODULE


class Refused(HTTPException):
    """A request that VCD does not run, in one sentence. The API answers HTTP 422 with it, the page shows it."""

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
    report.tell(p, report.ERRORS_KEY, [sentence])
    # What other extensions would put into the model now, they would never take out: nobody tells them of the end.
    p.scripts = None

    def init(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise refusal

    p.init = init


def check_request(p: Any, frames: int) -> None:
    """Refused, in one sentence, if the WebUI's own settings on `p` do not go with a video of so many frames."""
    for name in ("width", "height"):
        size = getattr(p, name)
        if size % 8:
            low = size - size % 8
            raise Refused(f"{name} is {size}; a video needs a multiple of 8. Use {low} or {low + 8}.")
    if p.refiner_checkpoint not in (None, "", "None", "none"):
        raise Refused("A refiner changes the checkpoint in the middle of a video. Turn the refiner off.")
    if getattr(p, "hr_checkpoint_name", None) not in (None, "", "Use same checkpoint"):
        raise Refused("Hires. fix with another checkpoint cannot keep a video together. Use the same checkpoint.")
    # Counted by what they are: the tab Batch gives one picture several times.
    given = len({id(picture) for picture in getattr(p, "init_images", None) or []})
    if given > 1 and given != frames:
        raise Refused(
            f"{given} init images were given for {frames} frames; give 1 for the whole video or {frames}, one for each "
            "frame."
        )


def check_identity(name: str) -> None:
    """Refused, in one sentence, if the WebUI has no embedding of that name for the checkpoint that is loaded."""
    known = sd_hijack.model_hijack.embedding_db
    if name == NO_MODULE or name in known.word_embeddings:
        return
    if name in known.skipped_embeddings:
        raise Refused(
            f"identity is '{name}', whose vectors are {known.skipped_embeddings[name].shape} wide; this checkpoint "
            f"takes {known.expected_shape}. Choose an embedding that was made for SD1.5."
        )
    there = ", ".join(known.word_embeddings) or "none yet"
    raise Refused(f"identity is '{name}', which is not in the embeddings folder; there: {there}.")
