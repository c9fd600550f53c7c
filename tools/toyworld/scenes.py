"""All scenes by name, and the sheet of world that a camera needs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from . import indoors, outdoors
from .stage import LIGHTS, Stage

_PAINTERS: dict[str, Callable[[Stage], None]] = {
    "beach": outdoors.beach,
    "desert": outdoors.desert,
    "meadow": outdoors.meadow,
    "forest": outdoors.forest,
    "snow": outdoors.snow,
    "street": outdoors.street,
    "room": indoors.room,
    "kitchen": indoors.kitchen,
}
SCENES = tuple(_PAINTERS)
INDOORS = ("room", "kitchen")


def tint_of(scene: str, light: str) -> tuple[float, float, float]:
    """Return what the light of a scene multiplies the subject's colours by."""
    if scene in INDOORS:
        return LIGHTS[light].inside
    if scene == "street" and light == "night":
        return (0.74, 0.70, 0.82)
    r, g, b = LIGHTS[light].outside
    if light == "night":
        return (r + 0.12, g + 0.11, b + 0.06)
    return (r, g, b)


def paint(scene: str, light: str, seed: int, left: float, width: int) -> NDArray[np.uint8]:
    """Paint the world from x = `left`, `width` picture pixels wide, at twice the size: uint8 [256, 2 * width, 3]."""
    stage = Stage(left, width, LIGHTS[light], seed, indoors=scene in INDOORS)
    _PAINTERS[scene](stage)
    return cv2.cvtColor(stage.canvas.pixels, cv2.COLOR_RGBA2RGB)
