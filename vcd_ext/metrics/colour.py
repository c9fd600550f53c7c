"""How far colours are apart for the eye: CIEDE2000.

After Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula: Implementation Notes (2005), with all weights 1.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

CELL = 64  # pixels of the side of the squares whose mean colours are compared
_CHROMA = 25.0**7


def colour_shift(frames: NDArray[np.uint8], reference: NDArray[np.uint8], cell: int = CELL) -> NDArray[np.float64]:
    """Compute the mean CIEDE2000 between the mean colours of squares of `cell` pixels, for each frame: [F].

    frames, reference: RGB [F, H, W, 3] of one size. 1 is just visible side by side. Detail that is painted anew
    counts little, as it has no mean. ValueError for shapes that differ.
    """
    if frames.shape != reference.shape or frames.ndim != 4 or frames.shape[3] != 3:
        raise ValueError(
            f"Videos of {list(frames.shape)} and {list(reference.shape)} were to be compared; both must be "
            "[frames, height, width, 3] of one size."
        )
    pairs = zip(frames, reference, strict=True)
    return np.array([delta_e_2000(_cells(one, cell), _cells(other, cell)).mean() for one, other in pairs])


def delta_e_2000(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute CIEDE2000 between colours of CIE Lab: [..., 3] and [..., 3] to [...]."""
    (light_1, a_1, b_1), (light_2, a_2, b_2) = (np.moveaxis(np.asarray(lab, np.float64), -1, 0) for lab in (one, other))
    mean = ((np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean / (mean + _CHROMA))
    chroma_1, chroma_2 = np.hypot(stretch * a_1, b_1), np.hypot(stretch * a_2, b_2)
    hue_1, hue_2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a_1, b_1), (a_2, b_2)))
    grey = chroma_1 * chroma_2 == 0
    turn = np.where(grey, 0, (hue_2 - hue_1 + 180) % 360 - 180)
    # Of the two means of an angle the one in between; with a grey, which has no hue, the other's.
    hue = np.where(grey, hue_1 + hue_2, (hue_1 + turn / 2) % 360)
    light, chroma = (light_1 + light_2) / 2, (chroma_1 + chroma_2) / 2
    off_light = (light_2 - light_1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    off_chroma = (chroma_2 - chroma_1) / (1 + 0.045 * chroma)
    off_hue = 2 * np.sqrt(chroma_1 * chroma_2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * _shape(hue))
    rotation = -np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    rotation = rotation * 2 * np.sqrt(chroma**7 / (chroma**7 + _CHROMA))
    squared = off_light**2 + off_chroma**2 + off_hue**2 + rotation * off_chroma * off_hue
    return np.asarray(np.sqrt(squared.clip(0)))


def _shape(hue: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the factor T of the hue's weight."""
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return np.asarray(1 + sum(factor * np.cos(np.radians(times * hue + off)) for factor, times, off in terms))


def _cells(picture: NDArray[np.uint8], cell: int) -> NDArray[np.float32]:
    """Return the mean colours of a picture's squares, in Lab."""
    height, width = picture.shape[:2]
    size = max(width // cell, 1), max(height // cell, 1)
    small = cv2.resize(picture.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
