"""How a batch is computed in the memory that is free: how many pictures at once, and what is computed twice."""

from typing import NamedTuple

from vcd_ext.settings import TrainSettings

GIB = 2**30
RESERVE = 0.6  # GiB for the libraries' workspaces, the text encoder's graph and fragmentation
# GiB that the UNet saves for the backward pass of one 512x512 picture in half precision, counted on SD1.5's layers,
# by what is recomputed: None nothing, False transformer blocks, True residual blocks as well.
ACTIVATIONS = {None: 0.83, False: 0.41, True: 0.20}
RECOMPUTE = {"off": None, "transformers": False, "all": True}


class MicroBatchPlan(NamedTuple):
    """Pictures at once, and `every_block` of `TrainingHost.checkpoint_activations`, None for no recomputation."""

    micro_batch: int
    every_block: bool | None


def activations(plan: MicroBatchPlan, size: int, value_bytes: int) -> float:
    """Estimate the GiB of the backward pass of pictures of size x size; value_bytes: 2 in half precision, else 4."""
    return plan.micro_batch * ACTIVATIONS[plan.every_block] * (size / 512) ** 2 * value_bytes / 2


def micro_batch_plans(settings: TrainSettings, free: int | None, value_bytes: int) -> list[MicroBatchPlan]:
    """Return the plans that the settings allow, the fastest that should fit first, then those that need less.

    free: bytes; None (a CPU, or a device that does not tell) means that pictures are computed one by one, which is as
    fast on a CPU and needs least.
    Recomputation costs a fifth to a half more work, small micro-batches next to none: where both need the same,
    nothing is recomputed.
    """
    micro = [min(settings.micro_batch, settings.batch)] if settings.micro_batch else _halves(settings.batch)
    chosen = settings.gradient_checkpointing
    every_block = list(RECOMPUTE.values()) if chosen == "auto" else [RECOMPUTE[chosen]]
    if free is None:
        return [MicroBatchPlan(micro[-1], blocks) for blocks in every_block]
    made = [MicroBatchPlan(pictures, blocks) for blocks in every_block for pictures in micro]
    made.sort(key=lambda plan: -activations(plan, settings.size, value_bytes))
    fitting = [plan for plan in made if activations(plan, settings.size, value_bytes) + RESERVE <= free / GIB]
    return fitting or made[-1:]


def _halves(batch: int) -> list[int]:
    """Return the batch, half of it, and so on down to 1."""
    return [batch] if batch == 1 else [batch, *_halves((batch + 1) // 2)]
