"""Light and colours stay those of the source: its low frequencies replace the denoised picture's."""

import cv2
import numpy as np

from vcd_ext.hosts.protocols import Picture

REFERENCE = 1024  # pixels of a square canvas for which sigma is meant
_FINEST = 4  # sigma, in pixels of the small picture on which it is blurred


def with_low_frequencies(picture: Picture, source: Picture, sigma: float) -> Picture:
    """Replace what a Gaussian leaves of the picture by that of a source of the same size.

    sigma: the Gaussian's, in pixels of a canvas of 1024x1024, scaled with the root of the canvas' area; 0 takes
    nothing. VAE, tiles and prompt shift colours over wide areas, and from frame to frame; detail has none of that.
    """
    height, width = picture.shape[:2]
    sigma *= (height * width) ** 0.5 / REFERENCE
    if sigma <= 0:
        return picture
    # Both are blurred at once, as blurring is linear, and on a small picture, as what is left has no detail.
    times = max(sigma / _FINEST, 1)
    size = max(round(width / times), 1), max(round(height / times), 1)
    small = cv2.resize(source - picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * size[0] / width, borderType=cv2.BORDER_REFLECT)
    change = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(picture + change, np.float32)
