"""Likeness of each frame of a video to its own first frames: a curve that falls where somebody turns into another.

Every measure of likeness to photos can make it, with the first frames in the photos' place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vcd_ext.identity.photos.photo import Photo
from vcd_ext.metrics.registry import Compute, Frames, MeasureContext

FIRST = 16  # frames that are compared with, a motion module's length; of a short video its first half
MOST = 64  # frames that are looked at, evenly over the video
REFERENCES = 4  # of the first ones that are looked at: more would be no other person


class FrameLikeness(NamedTuple):
    """A curve: frames from 0, and what the measure says of each; NaN where it finds nothing."""

    frames: tuple[int, ...]
    values: tuple[float, ...]
    first: int  # how many frames they are compared with


def likeness_by_frame(frames: Frames, compute: Compute) -> FrameLikeness:
    """Compare frames [F, H, W, 3] with the first of them; ValueError for fewer than two."""
    count = len(frames)
    if count < 2:
        raise ValueError("The video has one frame, so there is nothing to compare it with.")
    first = min(FIRST, max(1, count // 2))
    photos = tuple(Photo(str(i), frames[i]) for i in _spread(first, REFERENCES))
    shown = _spread(count, MOST)
    context = MeasureContext(photos=photos)
    return FrameLikeness(tuple(shown), tuple(compute(frames[i : i + 1], context) for i in shown), first)


def _spread(count: int, most: int) -> Sequence[int]:
    """Return numbers from 0 to count - 1, evenly, and not more than so many."""
    return [int(i) for i in np.unique(np.linspace(0, count - 1, min(count, most)).round())]
