"""What is measured of a long video: likeness, place and looks by blocks of 16 frames, borders, motion, repetition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vcd_ext.metrics import motion as measures
from vcd_ext.metrics.intervals import RESAMPLED, SEED, Interval
from vcd_ext.motion import windows
from vcd_ext.toyworld.judging import SCENES, Judges

BLOCK = 16  # frames
APART = 16  # frames, from which on two that are alike are a repetition
COARSE = 4  # of so many pixels along each side, one is compared

Frames = NDArray[np.uint8]


def lasting(
    frames: Frames, judges: Judges, scene: str, looks: NDArray[np.float32] | None, context: int, overlap: int
) -> dict[str, float | list[float]]:
    """Return all measures of a video [F, H, W, 3]; lists have a value for each block of frames.

    looks: the `appearance` of the individual's photos; None where it has none. NaN stands for what cannot be told.
    """
    vectors = judges.identity(frames)
    first = vectors[:BLOCK].mean(axis=0)
    place = judges.scenes(frames).argmax(axis=1) == SCENES.index(scene)
    alike = np.full(len(frames), np.nan) if looks is None else vectors @ looks
    steps = neighbour_steps(frames)
    jump, worst = jumps(steps, context, overlap)
    return {
        "likeness": by_block(alike),
        "place": by_block(place),
        "looks": by_block(vectors @ (first / np.linalg.norm(first))),
        "step": float(steps.mean()),
        "jump": jump,
        "worst": worst,
        "repetition": repetition(frames),
        "flow": measures.flow_magnitude(frames),
    }


def by_block(values: Sequence[float] | NDArray[np.generic]) -> list[float]:
    """Return the means over 16 frames after 16, the last over what is left; to three digits."""
    each = np.asarray(values, float)
    return [round(float(each[start : start + BLOCK].mean()), 3) for start in range(0, len(each), BLOCK)]


def neighbour_steps(frames: Frames) -> NDArray[np.float64]:
    """Return the mean absolute difference, 0 to 255, between each frame and the next, [F - 1]."""
    return np.array([np.abs(one.astype(np.int16) - two).mean() for one, two in pairwise(frames)], np.float64)


def jumps(steps: NDArray[np.float64], context: int, overlap: int) -> tuple[float, float]:
    """Return the mean step where windows meet over that within them, and that of the border where it is largest.

    steps: [F - 1]. A step is at a border where its two frames are not in one window alone. NaN for a single window.
    """
    together, held = np.zeros(len(steps), int), np.zeros(len(steps) + 1, int)
    for window in windows(len(steps) + 1, context, overlap):
        begin, end = window.frames[0], window.frames[-1]
        together[begin:end] += 1
        held[begin : end + 1] += 1
    at_border = (together != 1) | (held[:-1] > 1) | (held[1:] > 1)
    if not at_border.any() or at_border.all():
        return float("nan"), float("nan")
    usual = steps[~at_border].mean()
    edges = np.flatnonzero(np.diff(at_border)) + 1
    runs = zip(np.split(steps, edges), np.split(at_border, edges), strict=True)
    largest = max(run.mean() for run, border in runs if border[0])
    return float(steps[at_border].mean() / usual), float(largest / usual)


def repetition(frames: Frames) -> float:
    """Return the self-similarity far from the diagonal, -1 to 1; NaN where no frames are that far apart.

    The mean over frames of the highest correlation of their pixels with any frame at least 16 frames away: near 1 in a
    video that shows the same again.
    """
    count = len(frames)
    if count <= 2 * APART:  # a frame in the middle has none
        return float("nan")
    coarse = frames[:, ::COARSE, ::COARSE].reshape(count, -1).astype(np.float32)
    coarse -= coarse.mean(axis=1, keepdims=True)
    coarse /= np.maximum(np.linalg.norm(coarse, axis=1, keepdims=True), 1e-6)
    places = np.arange(count)
    far = np.abs(places[:, None] - places) >= APART
    return float(np.where(far, coarse @ coarse.T, -1.0).max(axis=1).mean())


def ratio_interval(over: Sequence[float], under: Sequence[float]) -> Interval:
    """Return the mean of `over` divided by that of `under`, of the same videos, with its bootstrap's 95% interval."""
    above, below = np.asarray(over, float), np.asarray(under, float)
    drawn = np.random.default_rng(SEED).integers(len(above), size=(RESAMPLED, len(above)))
    low, high = np.percentile(above[drawn].mean(axis=1) / below[drawn].mean(axis=1), [2.5, 97.5])
    return Interval(float(above.mean() / below.mean()), float(low), float(high))
