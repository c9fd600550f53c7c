"""How much memory the UNet needs for a video, from its sizes alone: to be said before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

GIB = 2**30
# GiB at the most while one picture of 512x512 passes through SD1.5's UNet in half precision, with attention that keeps
# no matrix: without and with a motion module. `benchmarks.counted` counts them; both grow with pictures and area.
PICTURE, MOVING_PICTURE = 0.0636, 0.0685
UNET, MODULE = 1.6, 0.85  # GiB of their weights in half precision, where they are not on the device yet
RESERVE = 0.5  # GiB that libraries and the allocator take


class Denoised(NamedTuple):
    """What goes through the UNet at a time, for a stage that people know by this name."""

    stage: str
    frames: int
    width: int
    height: int  # pixels


class Computed(NamedTuple):
    """How a video is denoised."""

    value_bytes: int  # 2 in half precision, else 4
    guided: bool  # whether prompt and negative prompt are computed together
    moving: bool  # with a motion module


def needed(part: Denoised, how: Computed) -> float:
    """Estimate the GiB that a part needs beside the weights."""
    pictures = part.frames * (2 if how.guided else 1) * part.width * part.height / 512**2
    return pictures * (MOVING_PICTURE if how.moving else PICTURE) * how.value_bytes / 2


def free_bytes(device: torch.device) -> int | None:
    """Return the bytes of a GPU's memory that may be used, PyTorch's own reserve included; None elsewhere."""
    if device.type != "cuda":
        return None
    reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + reserve


def too_large(parts: Sequence[Denoised], how: Computed, free: int | None, weights: float) -> list[str]:
    """Return a sentence if the largest part will likely not fit; none where it will, or where that is not known.

    free: bytes, of `free_bytes`; weights: GiB of models that are still to come to the device.
    """
    largest = max(parts, key=lambda part: needed(part, how))
    gib = needed(largest, how) + weights + RESERVE
    if free is None or gib * GIB <= free:
        return []
    return [
        f"{largest.stage} needs about {gib:.1f} GB of the GPU's memory for {largest.frames} frames of "
        f"{largest.width}x{largest.height} at a time, and {free / GIB:.1f} GB are free, so it will likely not fit: "
        "choose a smaller 'Context' or size, or close other programs."
    ]
