"""The state of a training: all that the next step depends on, in one file that is whole or not there."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from vcd_ext.identity.training.adam import Adam
from vcd_ext.identity.training.fingerprint import differences
from vcd_ext.storage import record

_NUMBERS = ("step", "scale", "best_step", "best_loss", "no_better")


@dataclass
class State:
    """A training after `step` steps, of which `adam.updates` changed the vectors; the others were skipped."""

    adam: Adam
    best: Tensor  # [k, width], the vectors with the lowest validation loss
    scale: float  # of the loss, in half precision
    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    no_better: int = 0  # validations since the best
    losses: list[float] = field(default_factory=list)  # of each step, NaN where it was skipped
    validation: list[tuple[int, float]] = field(default_factory=list)  # (step, loss)

    @property
    def skipped(self) -> int:
        """Steps whose loss or gradient was not a number."""
        return self.step - self.adam.updates


def save(state: State, path: Path, fingerprint: str) -> None:
    """Write the state of the run that `fingerprint` describes; OSError in a sentence if it cannot be written."""
    adam = state.adam
    tensors = {
        "vectors": adam.vectors,
        "first": adam.first,
        "second": adam.second,
        "average": adam.average,
        "best": state.best,
        "losses": torch.tensor(state.losses, dtype=torch.float64),
        "validation": torch.tensor(state.validation, dtype=torch.float64).reshape(-1, 2),
    }
    numbers = {name: getattr(state, name) for name in _NUMBERS} | {"updates": adam.updates}
    record.write(path, tensors, {"key": fingerprint, "numbers": json.dumps(numbers)})


def fingerprint_of(path: Path) -> str | None:
    """Read the fingerprint of the run whose state is at `path`; None without a file. ValueError for no state."""
    return _read(path)[0]["key"] if path.exists() else None


def step_of(path: Path) -> int:
    """Read how many steps the training has made whose state is at `path`; 0 without a file. ValueError for no state."""
    return int(json.loads(_read(path)[0]["numbers"])["step"]) if path.exists() else 0


def load(path: Path, fingerprint: str) -> State | None:
    """Load the state at `path` to go on from; None if there is none, or another run's that has not made a step.

    ValueError says what differs between the run that made it and the one of `fingerprint`.
    """
    if not path.exists():
        return None
    metadata, tensors = _read(path)
    numbers = json.loads(metadata["numbers"])
    if different := differences(metadata["key"], fingerprint):
        if not numbers["step"]:
            return None
        raise ValueError(
            f"{path} belongs to another training: it differs in {different}. Use what it was begun with, or delete it "
            "to start again."
        )
    adam = Adam(tensors["vectors"], tensors["first"], tensors["second"], tensors["average"], numbers.pop("updates"))
    validation = [(int(step), loss) for step, loss in tensors["validation"].tolist()]
    return State(adam, tensors["best"], losses=tensors["losses"].tolist(), validation=validation, **numbers)


def _read(path: Path) -> tuple[Mapping[str, str], dict[str, Tensor]]:
    try:
        description, tensors = record.read(path)
    except ValueError as error:
        raise ValueError(f"{error} Delete it to start again.") from error
    if not {"key", "numbers"} <= description.keys():
        raise ValueError(f"{path} is not the state of a training; choose another name, or delete it.")
    return description, tensors
