"""What a training of an identity leaves."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Identity:
    """What was learned. vectors: float32 [k, width] on the CPU, the best by validation, else the last."""

    name: str
    vectors: Tensor
    metadata: dict[str, str]  # for the embedding file
    steps: int  # that were made
    best_step: int  # after which the vectors were as they are here
    losses: tuple[float, ...]  # of each step, NaN where it was skipped
    validation: tuple[tuple[int, float], ...]  # (step, loss with always the same noise), from step 0 on
    skipped: int  # steps that changed nothing because their loss or gradient was not a number
    finished: bool  # not interrupted: all steps were made, or an early stop ended them
    warnings: tuple[str, ...]  # sentences for the person
