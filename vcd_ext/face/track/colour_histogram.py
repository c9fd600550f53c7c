"""What a face looks like, coarsely: by its colours it is told from others where paths cross."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 24  # pixels to which a face is brought
BINS = 5  # for each of red, green and blue

Histogram = NDArray[np.float64]  # [125], the roots of the shares of pixels in each bin: a unit vector


def colour_histogram(frame: NDArray[np.uint8], box: NDArray[np.float64]) -> Histogram | None:
    """Return the colours of a frame uint8 [H, W, 3] in the middle of a box; None if that lies outside."""
    height, width = frame.shape[:2]
    # The corners of a box show what is behind the face.
    inset = 0.12 * (box[2:] - box[:2])
    low = np.floor(box[:2] + inset).astype(int)
    high = np.maximum(np.ceil(box[2:] - inset).astype(int), low + 1)
    x0, y0 = np.maximum(low, 0)
    part = frame[y0 : max(0, min(high[1], height)), x0 : max(0, min(high[0], width))]
    if not part.size:
        return None
    small = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    cells = (small.astype(np.int64) * BINS) >> 8
    counts = np.bincount(cells @ np.array([BINS * BINS, BINS, 1]), minlength=BINS**3)
    return np.sqrt(counts / counts.sum())


def hellinger_distance(one: Histogram | None, two: Histogram | None) -> float:
    """Compute Hellinger's distance, 0 (the same colours) to 1 (none in common); 0.5 where one is not known."""
    if one is None or two is None:
        return 0.5
    return float(np.sqrt(max(0.0, 1 - float(one @ two))))


def blend(one: Histogram | None, two: Histogram | None, share: float) -> Histogram | None:
    """Mix a histogram with `two`, which counts by `share`."""
    if one is None or two is None:
        return two if one is None else one
    mixed = np.sqrt((1 - share) * one**2 + share * two**2)
    return np.asarray(mixed / np.linalg.norm(mixed))
