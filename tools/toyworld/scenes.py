"""All scenes by name, and the sheet of world that a camera needs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from . import indoors, outdoors
from .canvas import DETAIL
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
    """Return the factors by which the light of a scene multiplies the subject's colours."""
    if scene in INDOORS:
        return LIGHTS[light].inside
    if scene == "street" and light == "night":
        return (0.80, 0.76, 0.86)
    r, g, b = LIGHTS[light].outside
    if light == "night":
        return (r + 0.20, g + 0.18, b + 0.08)
    return (r, g, b)


def paint(scene: str, light: str, seed: int, left: float, width: int, detail: float = DETAIL) -> NDArray[np.uint8]:
    """Paint the world from x = `left`, `width` units wide: uint8 [128 * detail, width * detail, 3]."""
    stage = Stage(left, width, LIGHTS[light], seed, scene in INDOORS, detail)
    _PAINTERS[scene](stage)
    return cv2.cvtColor(stage.canvas.pixels, cv2.COLOR_RGBA2RGB)
