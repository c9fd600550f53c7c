"""GrabCut (Rother et al., 2004): a mask from rough seeds and the picture's colours alone."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.identity.photos.photo import Pixels, SubjectMask

LONG = 256  # pixels of the longer side it works on: small, because fine texture misleads it and costs seconds
ROUNDS = 5
FRAME = 0.03  # of the shorter side: what borders the picture left, right and above is background
HALF_AXES = (0.2, 0.35)  # of width and height: the ellipse in the middle that probably is the subject
SPECK = 0.2  # a part smaller than this share of the largest is no part of the subject


class CentrePrior:
    """Segments whatever stands out in the middle; the word means nothing to it. The last resort."""

    name = "GrabCut"

    def __call__(self, pixels: Pixels, word: str) -> SubjectMask:
        """Segment what differs from the border of pixels uint8 [H, W, 3]: mask uint8 [H, W]."""
        height, width = pixels.shape[:2]
        marks = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
        axes = tuple(round(share * side) for share, side in zip(HALF_AXES, (width, height), strict=True))
        cv2.ellipse(marks, (width // 2, height // 2), axes, 0, 0, 360, cv2.GC_PR_FGD, thickness=-1)
        edge = max(1, round(FRAME * min(height, width)))
        marks[:edge] = marks[:, :edge] = marks[:, -edge:] = cv2.GC_BGD
        return grabcut(pixels, marks)


def grabcut(pixels: Pixels, marks: NDArray[np.uint8]) -> SubjectMask:
    """Run GrabCut on pixels [H, W, 3] from marks [H, W] of its constants: mask uint8 [H, W], 0 or 255.

    The same input gives the same mask. ValueError if the marks have no subject or no background to begin with.
    """
    height, width = pixels.shape[:2]
    factor = min(1.0, LONG / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    marks = cv2.resize(marks, size, interpolation=cv2.INTER_NEAREST)
    inside = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    if inside.all() or not inside.any():
        raise ValueError("nothing in it stands out as the subject; paint the mask or drop the photo.")
    cv2.setRNGSeed(0)  # its colour clusters start at random
    cv2.grabCut(small, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    found = _whole((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD))
    soft = cv2.resize(found.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(soft >= 128, np.uint8(255), np.uint8(0))


def _whole(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Remove specks and fill holes."""
    kept = _large_parts(found)
    # A hole is background from which no way leads to the border.
    outside = np.pad(~kept, 1, constant_values=True).astype(np.uint8)
    _, parts = cv2.connectedComponents(outside, connectivity=4)
    return (parts != parts[0, 0])[1:-1, 1:-1]


def _large_parts(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    count, parts, figures, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8))
    areas = figures[1:, cv2.CC_STAT_AREA]
    large = [part for part in range(1, count) if areas[part - 1] >= SPECK * areas.max()]
    return np.isin(parts, large)
