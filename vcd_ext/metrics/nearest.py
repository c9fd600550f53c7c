"""How often a frame's subject is nearer to the one who was learned than to anybody else.

A likeness alone does not tell one dog from another: all have a high one. The encoder comes from outside.
"""

import numpy as np
from numpy.typing import NDArray


def nearest_rate(frames: NDArray[np.floating], subject: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """Compute the share of frames f with f·s > f·o for all others o; 1 / (N + 1) is chance.

    frames: unit vectors [F, d]; subject: [d]; others: [N, d]. NaN if a vector is NaN or there is nobody else.
    """
    if not len(others) or not (np.isfinite(frames).all() and np.isfinite(subject).all()):
        return float("nan")
    return float((frames @ subject > (frames @ others.T).max(axis=1)).mean())
