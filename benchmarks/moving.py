"""Textured clips whose motion is known in every pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

_OCTAVES = (4, 8, 16, 32, 64, 128, 256, 512)  # cells a side, each with half the weight of the one before


class Moving:
    """A camera that drifts, turns and zooms over a textured plane: smooth, and no pixel moves by whole pixels.

    Frames are `side` pixels square; at twice the size the motion is twice as large.
    """

    def __init__(self, frames: int, side: int, seed: int = 0, grain: float = 1.5):
        """grain: the camera's noise, in levels, as every real video has some."""
        self.count, self.side, self.grain = frames, side, grain
        self.seed = seed
        self.plane = texture(2 * side, seed)

    def frames(self) -> NDArray[np.uint8]:
        """[F, side, side, 3]."""
        rng = np.random.default_rng(self.seed)
        views = [self.view(self.plane, i, 1.0) for i in range(self.count)]
        return np.stack([np.rint((v * 255 + rng.normal(0, self.grain, v.shape)).clip(0, 255)) for v in views]).astype(
            np.uint8
        )

    def view(self, plane: NDArray[np.float32], frame: int, scale: float) -> NDArray[np.float32]:
        """Return what the camera sees of a plane [2 side, 2 side, 3] in a frame, `scale` times as large."""
        size = round(self.side * scale)
        matrix = self._camera(frame, scale)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(plane, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT))

    def flows(self, scale: float) -> NDArray[np.float32]:
        """Where each pixel goes in the next frame: [F - 1, side * scale, side * scale, 2]."""
        size = round(self.side * scale)
        y, x = np.indices((size, size), np.float64)
        points = np.stack([x, y, np.ones_like(x)], axis=-1)
        found = []
        for i in range(self.count - 1):
            here, there = (np.vstack([self._camera(k, scale), [0, 0, 1]]) for k in (i, i + 1))
            moved = points @ (np.linalg.inv(there) @ here).T
            found.append((moved - points)[..., :2])
        return np.stack(found).astype(np.float32)

    def _camera(self, frame: int, scale: float) -> NDArray[np.float64]:
        """From pixels of a frame to pixels of the plane, [2, 3]."""
        angle, zoom = 0.006 * frame, (1 + 0.004 * frame) / scale
        cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
        middle = (round(self.side * scale) - 1) / 2
        at = self.side + np.array([1.7, 0.9]) * frame  # in the plane
        turn = np.array([[cos, -sin], [sin, cos]])
        return np.hstack([turn, (at - turn @ [middle, middle])[:, None]])


def texture(side: int, seed: int) -> NDArray[np.float32]:
    """Return a colourful picture [side, side, 3] in [0, 1] with structures of all sizes, alike everywhere."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side, 3), np.float32)
    for k, cells in enumerate(cells for cells in _OCTAVES if cells <= side):
        layer = rng.normal(0, 0.12 * 0.75**k, (cells, cells, 3)).astype(np.float32)
        total += cv2.resize(layer, (side, side), interpolation=cv2.INTER_CUBIC)
    return (total + 0.5).clip(0, 1)


def detail(side: int, seed: int) -> NDArray[np.float32]:
    """Fine detail [side, side, 3] of mean 0 and spread 1, to be painted onto a plane."""
    fine = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (side, side, 3)).astype(np.float32), (0, 0), 1.0)
    return np.asarray(fine / fine.std(), np.float32)
