"""A video whose sampling was interrupted, with all that it needs to go on: long ones take minutes to hours."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from vcd_ext.hosts.diffusers.sampling import history, resumed
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.storage import record

SUFFIX = ".generating"
EVERY = 60.0  # seconds of sampling that are lost at most where the process is killed
VERSION = 1  # of the file; raised when the same request would make something else


class Position(NamedTuple):
    """Where a sampling is, between two steps."""

    sampling: int  # which of those of FreeInit, from 0
    step: int  # which comes next
    drawn: int  # how often the sampler has drawn noise


class UnfinishedVideo:
    """Keep the steps that were made in a file, and know them again in the next run of the same request.

    A video that is made within `EVERY` seconds leaves no file. What is decoded is not kept: it takes a small part.
    """

    def __init__(self, path: Path, asked: Mapping[str, Any], every: float = EVERY):
        """path: of the file, which need not be there. asked: all that the video depends on, as it can be written in
        JSON, by the names that a person knows.

        ValueError, in a sentence, where the file is another request's or damaged.
        """
        self.path, self.asked, self.every = path, {**asked, "version": VERSION}, every
        self.interrupted: Callable[[], bool] = lambda: False  # asked after each step
        self.tell: Callable[[str], None] = lambda _: None
        self.position: Position | None = None  # where it was interrupted
        self.seed: int | None = None  # which that run had drawn, if it was to be drawn
        self._tensors: dict[str, Tensor] = {}
        self._saved = time.monotonic()
        self._last: tuple[Position, Any, Tensor, int] | None = None  # what `note` was last given
        self._told = False  # that it could not be written
        if path.exists():
            self._read()

    def taken_up(self, scheduler: Any) -> Tensor:
        """Return the latents [F, 4, h, w] at `position`, of which there is one; the scheduler goes on from there."""
        assert self.position is not None
        device = scheduler.timesteps.device
        tensors = {name: tensor.to(device) for name, tensor in self._tensors.items()}
        resumed(scheduler, self.position.step, tensors)
        return tensors["latents"]

    def note(self, position: Position, scheduler: Any, latents: Tensor, seed: int) -> None:
        """Take note of where the sampling is, and write it down if it is time to; Interrupted as `check`.

        Where that cannot be written the sampling goes on all the same, which is told once.
        """
        self._last = position, scheduler, latents, seed
        self.check()
        if time.monotonic() - self._saved < self.every:
            return
        self._saved = time.monotonic()
        try:
            self._write()
        except OSError as error:
            if not self._told:
                self.tell(f"{error} The video is made all the same; an interruption may lose steps.")
            self._told = True

    def check(self) -> None:
        """Raise Interrupted if the person wants to stop, once the file is written; called between steps and after them.

        OSError, in a sentence, where it cannot be written and there is no earlier one either.
        """
        if not self.interrupted():
            return
        try:
            self._write()
        except OSError:
            if not self.path.exists():
                raise
        raise Interrupted

    def discard(self) -> None:
        """Delete the file, if there is one: the video is finished."""
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        if self._last is None:  # all steps were made before: the file is as it was
            return
        position, scheduler, latents, seed = self._last
        tensors = {name: tensor.contiguous().cpu() for name, tensor in history(scheduler).items()}
        tensors["latents"] = latents.contiguous().cpu()
        numbers = {"position": position, "seed": seed}
        record.write(self.path, tensors, {"asked": json.dumps(self.asked), "numbers": json.dumps(numbers)})

    def _read(self) -> None:
        try:
            description, self._tensors = record.read(self.path)
            asked, numbers = json.loads(description["asked"]), json.loads(description["numbers"])
            self.position, self.seed = Position(*numbers["position"]), int(numbers["seed"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path} is no unfinished video, or is damaged; delete it to begin anew.") from error
        wanted = json.loads(json.dumps(self.asked))
        if different := [name for name in asked | wanted if asked.get(name) != wanted.get(name)]:
            raise ValueError(
                f"{self.path} belongs to another video: it differs in {', '.join(different)}. Ask for it as it was "
                "begun, or delete the file to begin anew."
            )
