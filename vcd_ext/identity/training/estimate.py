"""How long a training will take and what memory it needs, before it begins: rough, and said to be so."""

import math
import time
from functools import lru_cache
from typing import NamedTuple

import torch

from vcd_ext.identity.training import latent_cache
from vcd_ext.identity.training.batch import VALIDATION_SAMPLES
from vcd_ext.identity.training.plan import GIB, RESERVE, MicroBatchPlan, activations, micro_batch_plans
from vcd_ext.settings import TrainSettings

# Floating-point operations for one 512x512 picture, counted on SD1.5's layers: the UNet forward, forward and backward
# to the text alone, and the VAE's encoder.
FORWARD, STEP, ENCODE = 0.80e12, 1.67e12, 1.12e12
AGAIN = {None: 1.0, False: 1.2, True: 1.5}  # what recomputation makes of a step, by `Plan.every_block`
PARAMETERS = 860e6  # of SD1.5's UNet
OVERHEAD = 0.15  # seconds to start a UNet's thousands of operations, there and back, however small they are
# What the UNet reaches of the speed at which one large matrix is multiplied. 0.6 was measured on a CPU in float32;
# 0.2 is assumed for a GPU, whose small layers keep it waiting.
EFFICIENCY = {"cpu": 0.6}
GPU_EFFICIENCY = 0.2
MATRIX = {"cpu": 768}  # side, for some hundredths of a second
GPU_MATRIX = 4096
LISTENED = 0.2  # seconds: long enough that other programs' share of the machine counts


class Capacity(NamedTuple):
    """On what a training runs."""

    device: str  # as torch names it
    value_bytes: int  # 2 where it computes in half precision, else 4
    free: int | None  # bytes on the device; None for a CPU
    parameters: int | None  # of the UNet; None while no checkpoint is loaded, which is then taken for SD1.5


class Estimate(NamedTuple):
    """What a training needs; `fits` is None where the free memory is not known."""

    seconds: float
    gib: float  # on top of the checkpoint
    fits: bool | None


def estimate(settings: TrainSettings, photos: int, capacity: Capacity, pace: float | None = None) -> Estimate:
    """Estimate time and memory of a training. pace: operations a second, if a training here has measured them."""
    plan = _plan(settings, capacity)
    gib = activations(plan, settings.size, capacity.value_bytes) + RESERVE
    pictures = max(photos, 1) * latent_cache.variants(max(photos, 1), settings)
    validations = settings.steps // settings.validate_every + 1 if settings.validate_every else 0
    work = settings.steps * step_work(settings, capacity)
    work += (pictures * ENCODE + validations * VALIDATION_SAMPLES * FORWARD) * _scale(settings, capacity)
    fits = None if capacity.free is None else gib * GIB <= capacity.free
    if pace:
        return Estimate(work / pace, gib, fits)
    passes = settings.steps * math.ceil(settings.batch / plan.micro_batch)
    return Estimate(work / speed(capacity.device, capacity.value_bytes) + passes * OVERHEAD, gib, fits)


def step_work(settings: TrainSettings, capacity: Capacity) -> float:
    """Count the operations of one step."""
    plan = _plan(settings, capacity)
    return settings.batch * STEP * AGAIN[plan.every_block] * _scale(settings, capacity)


def _plan(settings: TrainSettings, capacity: Capacity) -> MicroBatchPlan:
    return micro_batch_plans(settings, capacity.free, capacity.value_bytes)[0]


def _scale(settings: TrainSettings, capacity: Capacity) -> float:
    """Return the work of a picture in units of one of 512x512 in SD1.5; attention's share, small, grows faster."""
    return (settings.size / 512) ** 2 * (capacity.parameters or PARAMETERS) / PARAMETERS


@lru_cache
def speed(device: str, value_bytes: int) -> float:
    """Measure the operations a second that a UNet may reach, once a process, by multiplying matrices briefly."""
    kind = torch.device(device).type
    side = MATRIX.get(kind, GPU_MATRIX)
    matrix = torch.ones(side, side, device=device, dtype=torch.float16 if value_bytes == 2 else torch.float32)
    _seconds(matrix)  # the first time takes longer: libraries are loaded
    taken: list[float] = []
    while sum(taken) < LISTENED:
        taken.append(_seconds(matrix))
    return 2 * side**3 * len(taken) / sum(taken) * EFFICIENCY.get(kind, GPU_EFFICIENCY)


def _seconds(matrix: torch.Tensor) -> float:
    begin = time.perf_counter()
    (matrix @ matrix)[0, 0].item()  # waits for a GPU
    return max(time.perf_counter() - begin, 1e-9)


def sentence(made: Estimate, measured: bool) -> str:
    """Put the estimate into words. measured: whether the time rests on an earlier training here."""
    basis = "as fast as the last training here" if measured else "a rough guess until the first steps are measured"
    memory = f"{made.gib:.1f} GB of memory beside the checkpoint"
    if made.fits is False:
        memory += ", which is more than is free: choose a smaller size, or close other programs"
    return f"About {duration(made.seconds)} ({basis}), {memory}."


def duration(seconds: float) -> str:
    """Put a time into words, rounded as people say it: "40 s", "12 min", "3 h 20 min"."""
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(round(minutes, -1), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
