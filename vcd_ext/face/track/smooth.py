"""Calm paths through detections that jitter, err or are missing.

The path x minimises  sum w_i (x_i - y_i)^2 + stiffness * sum (x_i - 2 x_(i+1) + x_(i+2))^2  (Whittaker 1923). It is the
mean that the smoother of Rauch, Tung and Striebel (1965) gives for a point that moves on at its speed while the speed
drifts by white noise, stiffness being the ratio of the detections' variance to the drift's; solved at once, for all
frames, missing ones included.
"""

import numpy as np
from scipy.linalg import solveh_banded

from vcd_ext.face.boxes import Values

# Variances of detection and drift in the ratio 1 to 0.44: on simulated pans, bobs and stops it halves the error of raw
# detections and lags by no pixel.
STIFFNESS = 1 / 0.44
SLOWER = 6.0  # sizes change this much more slowly than places
_SOFTEST = 0.05  # below it a path follows every detection
_ROUNDS, _FAR = 3, 3.0  # detections further off than this many deviations count less
# Stiffer paths are tried on detections that are left out, a fifth of them at a time; of few nothing can be told.
_STIFFER, _PARTS, _ENOUGH = (1.0, 4.0, 16.0, 64.0), 5, 8


def stiffness(smoothing: float, slower: float = 1.0) -> float:
    """Return the stiffness for a smoothing of 0 (none), 1 (usual) and more; the averaged time grows with it."""
    return STIFFNESS * (smoothing * slower) ** 4


def smooth(values: Values, weights: Values, stiff: float) -> Values:
    """Smooth values [n, d] that count by weights [n] to a path [n, d]; values of weight 0 mean nothing.

    At least one weight is above 0. Missing values at the ends continue the path straight on.
    """
    count = len(values)
    present = np.flatnonzero(weights)
    if len(present) == 1:
        return np.repeat(values[present], count, axis=0)
    # Never 0: between known places the path is to be straight, and one solution is to exist.
    bands = _bands(count, max(stiff, 1e-3))
    bands[0] += weights
    known = np.where(weights[:, None] > 0, values, 0.0)
    return np.asarray(solveh_banded(bands, weights[:, None] * known, lower=True))


def smooth_robustly(values: Values, seen: Values, stiff: float, scale: float) -> Values:
    """Smooth as `smooth` does, while values far off the path count less (Huber's weights).

    seen: weights [n]. scale: deviation below which no value is far off, in the values' unit.
    """
    weights = seen.astype(float)
    path = smooth(values, weights, stiff)
    for _ in range(_ROUNDS):
        off = np.linalg.norm(values - path, axis=1)
        usual = max(1.4826 * float(np.median(off[seen > 0])), scale)
        weights = seen * np.minimum(1.0, _FAR * usual / np.maximum(off, 1e-9))
        path = smooth(values, weights, stiff)
    return path


def smooth_adaptively(values: Values, seen: Values, stiff: float, scale: float, lag: float) -> Values:
    """Smooth as `smooth_robustly` does, but stiffer where a face moves steadily, and softer where the path would lag.

    lag: how far, in the values' unit, the mean of three neighbouring detections may usually be off the path.
    """
    if (steady := _steadier(values, seen, stiff, scale)) > stiff:
        return smooth_robustly(values, seen, steady, scale)
    while True:
        path = smooth_robustly(values, seen, stiff, scale)
        off = (values - path)[seen > 0]
        if len(off) < 3 or stiff < _SOFTEST:
            return path
        lasting = np.linalg.norm(off[:-2] + off[1:-1] + off[2:], axis=1) / 3
        if float(np.sqrt(np.mean(lasting**2))) <= lag:
            return path
        stiff /= 4


def _steadier(values: Values, seen: Values, stiff: float, scale: float) -> float:
    """Choose the stiffness, at least `stiff`, that predicts left-out detections best (cross-validation).

    Only stiffer ones are tried: the errors of a detector last for some frames, and soft paths learn them.
    """
    inner = np.flatnonzero(seen)[1:-1]  # beyond the outer ones a path is a guess
    if len(inner) < _ENOUGH or stiff == 0:
        return stiff
    errors = []
    for times in _STIFFER:
        error = 0.0
        for part in range(_PARTS):
            unknown, known = inner[part::_PARTS], seen.copy()
            known[unknown] = 0
            path = smooth_robustly(values, known, times * stiff, scale)
            error += float(((path - values)[unknown] ** 2).sum())
        errors.append(error)
    return stiff * _STIFFER[int(np.argmin(errors))]


def _bands(count: int, stiff: float) -> Values:
    """Return the bands [3, count] of stiff * D'D, D being second differences: the diagonal and the two below."""
    bands = np.zeros((3, count))
    inner = max(count - 2, 0)
    for k, square in enumerate((1.0, 4.0, 1.0)):
        bands[0, k : k + inner] += square
    bands[1, :inner] -= 2
    bands[1, 1 : 1 + inner] -= 2
    bands[2, :inner] += 1
    return stiff * bands
