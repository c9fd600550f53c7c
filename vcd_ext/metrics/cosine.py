"""Cosines between vectors of frames, of photos and of a text: what the paper's five measures are.

The paper names them and no formulas (arXiv 2402.09368 v1, section 5.1); these are DreamBooth's (arXiv 2208.12242,
section 4) over the frames of a video. All return NaN where a vector is NaN, infinite or 0, instead of leaving it out.
"""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]


def mean_cosine(frames: Vectors, others: Vectors) -> float:
    """Compute mean over frames f and others r of cos(f, r), -1 to 1: CLIP-I and DINO with the photos' vectors.

    frames: [F, d]; others: [R, d]. CLIP-T with the one vector [1, d] of a text. NaN without any.
    """
    if not len(frames) or not len(others):
        return float("nan")
    # The mean of all products is the product of the means.
    return float(_unit(frames).mean(axis=0) @ _unit(others).mean(axis=0))


def neighbour_cosine(frames: Vectors) -> float:
    """Compute mean over i of cos(f_i, f_{i+1}): temporal consistency. frames: [F, d]; NaN for fewer than 2.

    With the vectors of the drawn world's judges its complement is the drift of identity.
    """
    unit = _unit(frames)
    return float((unit[:-1] * unit[1:]).sum(axis=1).mean()) if len(unit) > 1 else float("nan")


def pairs_cosine(frames: Vectors) -> float:
    """Compute mean over all i < j of cos(f_i, f_j), which slow drift lowers too. NaN for fewer than 2 of [F, d]."""
    count = len(frames)
    if count < 2:
        return float("nan")
    unit = _unit(frames)
    return float(((unit.sum(axis=0) ** 2).sum() - (unit**2).sum()) / (count * (count - 1)))


def _unit(vectors: Vectors) -> NDArray[np.float64]:
    values = np.asarray(vectors, np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(lengths == 0, np.nan, lengths)
