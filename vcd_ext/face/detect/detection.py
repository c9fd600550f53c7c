"""What finds faces, and what it says."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]  # [H, W, 3], RGB


class Detection(NamedTuple):
    """A face in one frame."""

    box: tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels, from hairline to chin; may reach outside
    score: float  # 0 to 1; 0.6 is where this detector is usually trusted from


class Detector(Protocol):
    """Finds the faces in a picture, or what stands for them."""

    def __call__(self, frame: Frame) -> list[Detection]:
        """Find all faces in a frame uint8 [H, W, 3] RGB, unsure ones as well: callers have thresholds of their own."""
