"""How a body moves in the first edition: as in `tools.drawn`, but heads hardly turn where the body does not run."""

from __future__ import annotations

from dataclasses import replace
from math import sin

from tools.drawn import motion
from tools.drawn.motion import ACTIONS, Joint, Movement, Pose

__all__ = ["ACTIONS", "Joint", "Movement", "Pose", "pose"]


def pose(kind: str, movement: Movement, frame: float) -> Pose:
    """Return the pose of a "man", "woman", "dog" or "cat" at a frame (a real number)."""
    person = kind in ("man", "woman")
    turns = {"waving": 0.1 if person else 0.08}
    if person:
        turns |= {"standing": 0.15 * sin(movement.angle(frame) * 0.5), "jumping": 0.0}
    found = motion.pose(kind, movement, frame)
    return replace(found, turn=turns[movement.action]) if movement.action in turns else found
