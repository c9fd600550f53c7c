"""Put a drawn subject into a painted world: camera, shadow, rim and light. All pictures are 128x128."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import OVERSAMPLE

SIZE = 128
_RIM = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
_RIM_COLOUR = np.array((34.0, 26.0, 38.0), np.float32) / 255
_RIM_OPACITY = 0.55

Picture = NDArray[np.uint8]


def view(world: Picture, left: float, centre: complex, zoom: float, soft: bool) -> Picture:
    """Return the picture [128, 128, 3] that the camera sees at `centre` of a painted sheet from x = `left` on.

    At `zoom` 1 one picture pixel is one unit of the world; `soft` is out of focus.
    """
    span = SIZE / zoom
    x0, y0 = (centre.real - span / 2 - left) * OVERSAMPLE, (centre.imag - span / 2) * OVERSAMPLE
    if zoom == 1.0 and x0 == int(x0) and world.shape[0] == SIZE * OVERSAMPLE:
        crop = world[:, int(x0) : int(x0) + SIZE * OVERSAMPLE]
    else:
        step = 1 / zoom
        offset = 0.5 * step - 0.5
        matrix = np.array([[step, 0, x0 + offset], [0, step, y0 + offset]])
        size = (SIZE * OVERSAMPLE, SIZE * OVERSAMPLE)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(world, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 1.4) if soft else small


def shadow(picture: Picture, centre: complex, rx: float, ry: float, strength: float) -> None:
    """Darken a soft ellipse of the ground, in place."""
    x0, x1 = max(int(centre.real - rx - 4), 0), min(int(centre.real + rx + 5), SIZE)
    y0, y1 = max(int(centre.imag - ry - 4), 0), min(int(centre.imag + ry + 5), SIZE)
    if x0 >= x1 or y0 >= y1:
        return
    x = (np.arange(x0, x1, dtype=np.float32) + 0.5 - centre.real) / (rx + 1)
    y = (np.arange(y0, y1, dtype=np.float32) + 0.5 - centre.imag) / (ry + 1)
    inside = np.clip(1.6 - 1.6 * (x[None] ** 2 + y[:, None] ** 2), 0, 1)
    patch = picture[y0:y1, x0:x1] * (1 - strength * inside)[..., None]
    picture[y0:y1, x0:x1] = patch.astype(np.uint8)


def blend(picture: Picture, layer: Picture, tint: Sequence[float]) -> Picture:
    """Lay a drawn RGBA sheet [256, 256, 4] over `picture` [128, 128, 3] in place, lit by `tint`; returns the mask.

    A thin dark rim around it lets a white cat show in the snow; the rim belongs to the mask.
    """
    mask = np.zeros((SIZE, SIZE), np.uint8)
    x, y, width, height = cv2.boundingRect(layer[..., 3])
    if width == 0:
        return mask
    x0, y0 = max(x - 2, 0) // 2 * 2, max(y - 2, 0) // 2 * 2
    x1, y1 = min(x + width + 3, SIZE * OVERSAMPLE) // 2 * 2, min(y + height + 3, SIZE * OVERSAMPLE) // 2 * 2
    part = layer[y0:y1, x0:x1]
    alpha = cv2.extractChannel(part, 3)
    rim = cv2.subtract(cv2.convertScaleAbs(cv2.dilate(alpha, _RIM), alpha=_RIM_OPACITY), alpha)
    half = ((x1 - x0) // 2, (y1 - y0) // 2)
    small = cv2.resize(part, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    edge = cv2.resize(rim, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    drawn = (small[..., :3] + edge[..., None] * _RIM_COLOUR) * np.array(tint, np.float32)
    cover = small[..., 3] + edge
    rows, columns = slice(y0 // 2, y1 // 2), slice(x0 // 2, x1 // 2)
    behind = picture[rows, columns] * (1 - cover / 255).clip(0, 1)[..., None]
    picture[rows, columns] = (drawn + behind + 0.5).clip(0, 255).astype(np.uint8)
    mask[rows, columns] = (cover + 0.5).clip(0, 255).astype(np.uint8)
    return mask
