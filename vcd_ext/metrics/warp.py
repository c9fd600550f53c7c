"""Flicker of a video whose true motion is known."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray


def warp_error(frames: NDArray[np.uint8], flows: NDArray[np.float32]) -> float:
    """Compute the mean absolute difference, 0 to 255, of each frame to the next, moved back along the true flow.

    frames: [F, H, W, 3], F >= 2. flows: [F - 1, H, W, 2], where each pixel goes in the next frame, x and y in pixels;
    pixels that leave the picture do not count, nor those whose flow is NaN (covered by something). ValueError if
    none is left.
    """
    height, width = frames.shape[1:3]
    y, x = np.indices((height, width), np.float32)
    errors: list[NDArray[np.float32]] = []
    for (one, two), flow in zip(pairwise(frames), flows, strict=True):
        to_x, to_y = x + flow[..., 0], y + flow[..., 1]
        seen = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
        back = cv2.remap(two.astype(np.float32), to_x, to_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        errors.append(np.abs(back - one)[seen])
    values = np.concatenate(errors)
    if not values.size:
        raise ValueError("By the flow everything leaves the picture, so there is nothing to compare; check its unit.")
    return float(values.mean())
