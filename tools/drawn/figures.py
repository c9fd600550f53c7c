"""What people and animals have in common: they can be drawn, and have a head and a middle."""

from __future__ import annotations

from . import animals, people
from .canvas import Canvas
from .identity import Identity, Person
from .motion import Pose


def draw(canvas: Canvas, who: Identity, pose: Pose) -> None:
    """Draw the figure standing on (0, 0), looking along +x when it turns."""
    if isinstance(who, Person):
        people.draw(canvas, who, pose)
    else:
        animals.draw(canvas, who, pose)


def head_place(who: Identity, pose: Pose) -> tuple[complex, float, float]:
    """Centre, tilt (radians, clockwise) and half width of the head, in the figure's units."""
    return people.head_place(who, pose) if isinstance(who, Person) else animals.head_place(who, pose)


def root(who: Identity, pose: Pose) -> complex:
    """Return the middle of the body, in the figure's units."""
    return people.root(who, pose) if isinstance(who, Person) else animals.root(who, pose)
