"""A mask shown over its photo: the subject as it is, what is behind it dimmed, and an outline between them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.identity.photos.photo import Photo

Pixels = NDArray[np.uint8]

OUTLINE = (255, 64, 129)  # a pink that photos rarely have
FRAME = (234, 88, 12)
DIMMED = 0.3  # of its brightness


def overlay(photo: Photo, longest: int, used: bool = True) -> Pixels:
    """Draw the photo with its mask, RGB [H, W, 3], its longer side `longest`; grey and dim if it is not used."""
    pixels, mask = resized(photo.pixels, longest), photo.mask
    if not used:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return np.repeat((DIMMED * grey).astype(np.uint8)[..., None], 3, axis=2)
    if mask is None:
        return pixels
    height, width = pixels.shape[:2]
    inside = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR) >= 128
    result = np.where(inside[..., None], pixels, (DIMMED * pixels).astype(np.uint8))
    contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(result, contours, -1, OUTLINE, max(1, round(max(height, width) / 200)))
    return result


def resized(pixels: Pixels, longest: int) -> Pixels:
    """Scale a picture to the size at which it is shown: its longer side is `longest`."""
    height, width = pixels.shape[:2]
    factor = longest / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def with_border(pixels: Pixels, selected: bool) -> Pixels:
    """Draw a frame on the border of a picture if it is the one that is selected."""
    height, width = pixels.shape[:2]
    if selected:
        pixels = cv2.rectangle(
            pixels.copy(), (0, 0), (width - 1, height - 1), FRAME, 2 * max(3, max(height, width) // 50)
        )
    return pixels
