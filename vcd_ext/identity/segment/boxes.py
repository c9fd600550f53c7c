"""Boxes around what was found, and which of them holds the subject."""

from collections.abc import Sequence
from math import hypot, sqrt
from typing import NamedTuple


class Box(NamedTuple):
    """Where something was found, in pixels of the picture, and how sure that is (0 to 1)."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float


def choose(boxes: Sequence[Box], width: int, height: int) -> Box:
    """Choose the box of the picture's subject: sure, large and near the middle.

    The score weighs fully, the box's side (not its area) as much, and a box in a corner half as much as one in the
    middle. The paper's code takes whichever box comes first, which in a crowd is anybody.
    """
    return max(boxes, key=lambda box: _weight(box, width, height))


def _weight(box: Box, width: int, height: int) -> float:
    area = max(0.0, box.x1 - box.x0) * max(0.0, box.y1 - box.y0) / (width * height)
    # From 0 in the middle to 1 in a corner.
    aside = hypot((box.x0 + box.x1) / width - 1, (box.y0 + box.y1) / height - 1) / sqrt(2)
    return box.score * sqrt(area) * (1 - aside / 2)
