"""Overlapping windows of frames, for videos longer than a motion module holds."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from vcd_ext.denoising import partition

SHORTEST = 4  # frames; with fewer the motion module has nothing to see


class Window(NamedTuple):
    """Frames that are denoised together, and how much the result counts in each of them."""

    frames: Sequence[int]  # one after the other; on a ring the first follows the last
    weights: Tensor  # float32 [len(frames)], above 0


def windows(frames: int, length: int, overlap: int) -> list[Window]:
    """Cover a video of `frames` frames by the fewest windows that share at least `overlap` frames with the next.

    All windows are min(frames, length) frames long; the last is moved back to end with the video. In the overlaps,
    as long as they really are, the weights are raised cosines; over all windows they sum to 1 on every frame.
    ValueError unless frames and length are at least 1 and overlap is from 0 to below length.
    """
    if frames < 1 or length < 1:
        raise ValueError(f"A window of {length} of {frames} frames was asked for; both must be at least 1.")
    if not 0 <= overlap < length:
        raise ValueError(
            f"overlap is {overlap}; it must be from 0 to below the {length} frames that are denoised together. "
            "Use a quarter of them."
        )
    size = min(frames, length)
    last = frames - size
    starts = [min(i * (length - overlap), last) for i in range(partition.count(frames, length, overlap))]
    weights = partition.weights(starts, size, frames).float()
    return [Window(range(start, start + size), weight) for start, weight in zip(starts, weights, strict=True)]


def ring_windows(frames: int, length: int, overlap: int) -> list[Window]:
    """Cover a closed loop of `frames` frames by the fewest windows that share at least `overlap` with both neighbours.

    They are min(frames, length) frames long, evenly spaced, and go on from the last frame at the first, so every frame,
    the first and the last ones too, has neighbours on both sides in some window. A loop that fits into one window gets
    two at least, each of all its frames and cut open at another place; `overlap` then is the same share of them.
    A window counts least near its ends, by raised cosines as long as what it shares with a neighbour; over all windows
    the weights sum to 1 on every frame. ValueError as of `windows`.
    """
    windows(frames, length, overlap)
    size = min(frames, length)
    fewest = math.ceil(frames / (size - overlap * size // length))
    number = min(max(fewest, 2), frames)
    starts = [i * frames // number for i in range(number)]
    weights = partition.ring_weights(starts, size, frames).float()
    return [
        Window([i % frames for i in range(start, start + size)], weight)
        for start, weight in zip(starts, weights, strict=True)
    ]


def shorter(frames: int, length: int, overlap: int) -> list[tuple[int, int]]:
    """List the windows to try where the memory is too small for `length` frames: half of them, down to 4.

    Each as (length, overlap); the overlap stays the same share of a window.
    """
    found, half = [], min(frames, length)
    while (half := half // 2) >= SHORTEST:
        found.append((half, overlap * half // length))
    return found
