"""Put drawn subjects into a painted world: camera, shadow, rim and light."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import UNITS

_RIM = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
_RIM_COLOUR = np.array((34.0, 26.0, 38.0), np.float32) / 255
_RIM_OPACITY = 0.55

Picture = NDArray[np.uint8]


def view(world: Picture, left: float, centre: complex, zoom: float, soft: bool) -> Picture:
    """Return what the camera sees [S, S, 3] at `centre` (units) of a painted sheet that starts at x = `left`.

    The sheet is twice as large as the picture: [2 * S, ..., 3]. At `zoom` 1 the picture shows 128 units; `soft` is
    out of focus.
    """
    height, size = world.shape[0], world.shape[0] // 2
    detail, span = height / UNITS, UNITS / zoom
    x0, y0 = (centre.real - span / 2 - left) * detail, (centre.imag - span / 2) * detail
    if zoom == 1.0 and x0 == int(x0):
        crop = world[:, int(x0) : int(x0) + height]
    else:
        step = 1 / zoom
        offset = 0.5 * step - 0.5
        matrix = np.array([[step, 0, x0 + offset], [0, step, y0 + offset]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(world, matrix, (height, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 1.4 * size / UNITS) if soft else small


def shadow(picture: Picture, centre: complex, rx: float, ry: float, strength: float) -> None:
    """Darken a soft ellipse of the ground, in place; lengths in units."""
    size = picture.shape[0]
    scale = size / UNITS
    middle, wide, high = centre * scale, (rx + 1) * scale, (ry + 1) * scale
    x0, x1 = max(int(middle.real - 1.3 * wide), 0), min(int(middle.real + 1.3 * wide) + 1, size)
    y0, y1 = max(int(middle.imag - 1.3 * high), 0), min(int(middle.imag + 1.3 * high) + 1, size)
    if x0 >= x1 or y0 >= y1:
        return
    x = (np.arange(x0, x1, dtype=np.float32) + 0.5 - middle.real) / wide
    y = (np.arange(y0, y1, dtype=np.float32) + 0.5 - middle.imag) / high
    inside = np.clip(1.6 - 1.6 * (x[None] ** 2 + y[:, None] ** 2), 0, 1)
    patch = picture[y0:y1, x0:x1] * (1 - strength * inside)[..., None]
    picture[y0:y1, x0:x1] = patch.astype(np.uint8)


def blend(picture: Picture, layer: Picture, tint: Sequence[float]) -> Picture:
    """Lay a drawn RGBA sheet [2 * S, 2 * S, 4] over `picture` [S, S, 3] in place, lit by `tint`; return its mask.

    A thin dark rim around it lets a white cat show in the snow; the rim belongs to the mask (uint8 [S, S]).
    """
    size = picture.shape[0]
    mask = np.zeros((size, size), np.uint8)
    x, y, width, height = cv2.boundingRect(layer[..., 3])
    if width == 0:
        return mask
    x0, y0 = max(x - 2, 0) // 2 * 2, max(y - 2, 0) // 2 * 2
    x1, y1 = min(x + width + 3, 2 * size) // 2 * 2, min(y + height + 3, 2 * size) // 2 * 2
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
