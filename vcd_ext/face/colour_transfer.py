"""Light and colours of what came back, matched on the ring around the face: skin keeps the identity's own colours.

Means and covariances of red, green and blue become those of the input, by the linear map that changes colours least
(Pitie and Kokaram, The linear Monge-Kantorovitch linear colour mapping, 2007). Light of another colour multiplies the
three, and what pales mixes them: such a map undoes both, where means and contrasts of L, a and b one by one cannot. In
floating point and calmed over time; matching histograms frame by frame in bytes makes flicker.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.mask import Weights
from vcd_ext.hosts.protocols import Picture

REACH = 4  # frames before and after a frame whose colours it shares
_CONTRAST = 0.8, 1.25  # beyond that the ring was painted anew, and says nothing about contrast
_FLAT = 0.02  # standard deviation: what varies less has no contrast to be compared
_FEWEST = 12  # pixels' worth of ring; below that nothing is matched
_INVISIBLE = 1e-5

Values = NDArray[np.float32]


@dataclass(frozen=True)
class ColourTransfer:
    """A change of red, green and blue: a linear map of their distance from a middle, and what is added."""

    middle: Values  # [3]
    contrast: Values  # [3, 3], symmetric
    added: Values  # [3]

    def apply(self, picture: Picture, strength: float) -> Picture:
        """Apply this share of the change to a picture [h, w, 3] in [0, 1]."""
        change = self.contrast - np.eye(3, dtype=np.float32)
        if strength == 0 or max(np.abs(self.added).max(), np.abs(change).max()) < _INVISIBLE:
            return picture
        matrix = np.eye(3) + strength * change
        offset = strength * (self.added - change @ self.middle)
        changed = cv2.transform(picture, np.hstack([matrix, offset[:, None]]).astype(np.float32))
        return np.asarray(np.clip(changed, 0, 1))


NO_TRANSFER = ColourTransfer(np.zeros(3, np.float32), np.eye(3, dtype=np.float32), np.zeros(3, np.float32))


def fit_transfer(came_back: Picture, original: Picture, ring: Weights) -> ColourTransfer:
    """Fit the shift of `came_back` to `original`'s colours where the ring [h, w] counts; [h, w, 3] in [0, 1]."""
    if ring.sum() < _FEWEST:
        return NO_TRANSFER
    (middle, spread), (wanted, wanted_spread) = (_moments(picture, ring) for picture in (came_back, original))
    # With A and B the covariances, the T that is symmetric, positive and gives T A T = B.
    root, inverse = _power(spread, 0.5), _power(spread, -0.5)
    contrast = _power(inverse @ _power(root @ wanted_spread @ root, 0.5) @ inverse, 1.0, *_CONTRAST)
    return ColourTransfer(*(values.astype(np.float32) for values in (middle, contrast, wanted - middle)))


def _moments(picture: Picture, ring: Weights) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute mean [3] and covariance [3, 3] of the ring's colours; the covariance has `_FLAT` added."""
    on = ring > 0
    colours, weights = picture[on].astype(np.float64), ring[on].astype(np.float64)
    mean = np.average(colours, axis=0, weights=weights)
    away = colours - mean
    return mean, (away * weights[:, None]).T @ away / weights.sum() + _FLAT**2 * np.eye(3)


def _power(
    matrix: NDArray[np.float64], power: float, low: float = 0.0, high: float = float("inf")
) -> NDArray[np.float64]:
    """Compute a power of a symmetric positive matrix, its eigenvalues kept between two bounds."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.clip(values**power, low, high)) @ vectors.T)


def smoothed(transfers: Sequence[ColourTransfer], place: int) -> ColourTransfer:
    """Average the shifts around the frame at `place`, the nearer the more.

    The values at `place` of parabolas through them (Savitzky and Golay 1964): noise is averaged, while a light that
    changes slowly is followed, where a plain mean would let a part of its change stay.
    """
    away = np.arange(len(transfers)) - place
    near = np.sqrt(1 - np.abs(away) / (REACH + 1))
    powers = away[:, None] ** np.arange(min(3, len(transfers)))
    weights = np.linalg.pinv(near[:, None] * powers)[0] * near
    return ColourTransfer(
        *(
            np.tensordot(weights, np.array([getattr(transfer, name) for transfer in transfers]), 1).astype(np.float32)
            for name in ("middle", "contrast", "added")
        )
    )
