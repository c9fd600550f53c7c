"""Light and colours of what came back, matched on the ring around the face: skin keeps the identity's own colours.

In CIE Lab, in floating point and calmed over time; matching histograms frame by frame in bytes makes flicker.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.mask import Weights
from vcd_ext.host import Picture

CALM = 4  # frames before and after a frame whose colours it shares
_CONTRAST = 0.8, 1.25  # beyond that the ring was painted anew, and says nothing about contrast
_FLAT = 2.0  # units of Lab: what varies less has no contrast to be compared
_FEWEST = 12  # pixels' worth of ring; below that nothing is matched

Lab = NDArray[np.float32]


@dataclass(frozen=True)
class Shift:
    """A change of colours: contrast around a middle, and what is added. All are L, a, b."""

    middle: Lab
    contrast: Lab
    added: Lab

    def of(self, picture: Picture, strength: float) -> Picture:
        """The picture [h, w, 3] in [0, 1] with this share of the change."""
        if strength == 0 or (np.abs(self.added).max() < 1e-3 and np.abs(self.contrast - 1).max() < 1e-4):
            return picture
        lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
        lab += strength * (self.added + (self.contrast - 1) * (lab - self.middle))
        return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


NO_SHIFT = Shift(np.zeros(3, np.float32), np.ones(3, np.float32), np.zeros(3, np.float32))


def measured(came_back: Picture, original: Picture, ring: Weights) -> Shift:
    """What gives `came_back` the colours of `original` where the ring [h, w] counts; pictures [h, w, 3] in [0, 1]."""
    if ring.sum() < _FEWEST:
        return NO_SHIFT
    (middle, spread), (wanted, wanted_spread) = (_moments(picture, ring) for picture in (came_back, original))
    contrast = np.clip((wanted_spread + _FLAT) / (spread + _FLAT), *_CONTRAST)
    return Shift(middle, contrast.astype(np.float32), wanted - middle)


def _moments(picture: Picture, ring: Weights) -> tuple[Lab, Lab]:
    """Mean and standard deviation [3] in Lab where the ring counts."""
    on = ring > 0
    lab = cv2.cvtColor(picture[on][None], cv2.COLOR_RGB2LAB)[0]
    mean = np.average(lab, axis=0, weights=ring[on])
    return mean.astype(np.float32), np.sqrt(np.average((lab - mean) ** 2, axis=0, weights=ring[on])).astype(np.float32)


def calmed(shifts: Sequence[Shift], place: int) -> Shift:
    """The shift of the frame at `place`, from those of the frames around it, the nearer the more.

    The values at `place` of parabolas through them (Savitzky and Golay 1964): noise is averaged, while a light that
    changes slowly is followed, where a plain mean would let a part of its change stay.
    """
    away = np.arange(len(shifts)) - place
    near = np.sqrt(1 - np.abs(away) / (CALM + 1))
    powers = away[:, None] ** np.arange(min(3, len(shifts)))
    weights = np.linalg.pinv(near[:, None] * powers)[0] * near
    return Shift(
        *(
            (weights @ np.array([getattr(shift, name) for shift in shifts])).astype(np.float32)
            for name in ("middle", "contrast", "added")
        )
    )
