"""The sheet of `tools.drawn`, measured in the pixels of this world's pictures, at twice their size."""

from __future__ import annotations

import numpy as np

from tools.drawn import canvas
from tools.drawn.canvas import Colour, Outline, Placement, Points, smooth, smooth_open

__all__ = ["OVERSAMPLE", "Canvas", "Colour", "Outline", "Placement", "Points", "smooth", "smooth_open"]

OVERSAMPLE = 2  # sheet pixels per picture pixel


class Canvas(canvas.Canvas):
    """`pixels` uint8 [H, W, 4], premultiplied RGBA; coordinates are those of the current placement."""

    def __init__(self, height: int, width: int, left: float = 0.0, top: float = 0.0) -> None:
        """`height` and `width` in picture pixels; (`left`, `top`) is the picture coordinate of the first corner."""
        self.detail = float(OVERSAMPLE)
        self.pixels = np.zeros((height * OVERSAMPLE, width * OVERSAMPLE, 4), np.uint8)
        self.placement = Placement(OVERSAMPLE, -OVERSAMPLE * complex(left, top) - complex(0.5, 0.5))
