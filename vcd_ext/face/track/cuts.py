"""Where a video cuts from one shot to the next, seen on thumbnails."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 64, 36  # pixels of a thumbnail
LEAST = 14.0  # mean difference, of 255, that a cut makes at least
TIMES = 3.0  # and as a multiple of what changes from frame to frame around it
_AROUND = 6  # frames before and after that say how much changes anyway

Thumbnail = NDArray[np.float32]


def thumbnail(frame: NDArray[np.uint8]) -> Thumbnail:
    """Reduce a frame uint8 [H, W, 3] to float32 [36, 64, 3]."""
    return np.asarray(cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


def change(one: Thumbnail, two: Thumbnail) -> float:
    """Compute the mean absolute difference, 0 to 255."""
    return float(np.abs(one - two).mean())


def shots(changes: Sequence[float], over_one: Sequence[float]) -> list[range]:
    """Divide a video of F frames into shots.

    changes [F - 1]: `change` from frame i to i + 1. over_one [F - 2]: from frame i to i + 2. A cut differs from both
    frames before it, which a flash of one frame does not, and by far more than frames around it do.
    """
    starts = [0]
    for i, value in enumerate(changes):
        around = [*changes[max(0, i - _AROUND) : i], *changes[i + 1 : i + 1 + _AROUND]]
        usual = float(np.median(around)) if around else 0.0
        lasting = min([value, *over_one[max(0, i - 1) : i + 1]])
        if lasting >= max(LEAST, TIMES * usual):
            starts.append(i + 1)
    return [range(start, end) for start, end in zip(starts, [*starts[1:], len(changes) + 1], strict=True)]
