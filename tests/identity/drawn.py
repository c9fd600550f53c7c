"""Drawn photographs for the tests of the identity's photos."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd_ext.identity.photos.photo import Photo

Pixels = NDArray[np.uint8]
Save = Callable[..., Path]


def picture(seed: int, height: int = 96, width: int = 128) -> Pixels:
    """Return a colourful picture [height, width, 3], another for each seed, in which no side is like another."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def ellipse(height: int, width: int, box: tuple[float, float, float, float]) -> Pixels:
    """Return a mask [height, width] with an ellipse in the box (left, top, right, bottom)."""
    y, x = np.mgrid[:height, :width] + 0.5
    left, top, right, bottom = box
    across, down = (2 * x - left - right) / (right - left), (2 * y - top - bottom) / (bottom - top)
    return np.where(across**2 + down**2 < 1, 255, 0).astype(np.uint8)


def red_on_blue(mask: Pixels) -> Pixels:
    """Return a picture that is red where the mask is, and blue elsewhere."""
    return np.where(mask[..., None] > 0, (230, 30, 30), (30, 60, 220)).astype(np.uint8)


def names(photos: Sequence[Photo]) -> list[str]:
    return [photo.name for photo in photos]


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and ". " not in text
