"""How a body moves: an action and a time give a pose. Times are in frames; poses are smooth in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, pi, sin

ACTIONS = ("standing", "waving", "running", "jumping")

Joint = tuple[float, float]  # angle of the upper part from straight down (+ is forward), bend of the lower part


@dataclass(frozen=True)
class Pose:
    """Angles in radians, lengths in character units (a person is about 100 tall).

    `limbs` of a person: near arm, far arm, near leg, far leg; of an animal: near front, far front, near hind, far hind.
    """

    limbs: tuple[Joint, Joint, Joint, Joint]
    lift: float = 0.0  # of the feet above the ground
    lean: float = 0.0  # of the trunk, + is forward
    turn: float = 0.0  # of the head, 0 is towards us, 1 is sideways
    nod: float = 0.0  # tilt of the head, clockwise
    sway: float = 0.0  # of what hangs loose: hair, ears, scarf; -1 to 1
    wag: float = 0.0  # of the tail
    blink: float = 0.0  # 1 is closed
    mouth: float = 0.0  # 1 is open
    sitting: bool = False
    breath: float = 0.0


@dataclass(frozen=True)
class Movement:
    """What tells one performance of an action from another. `period` in frames; `phase` in turns; `size` about 1."""

    action: str
    period: float
    phase: float
    size: float

    def angle(self, frame: float) -> float:
        """Where in its cycle (radians) the movement is at a frame."""
        return 2 * pi * (frame / self.period + self.phase)


def pose(kind: str, movement: Movement, frame: float) -> Pose:
    """Return the pose of a "man", "woman", "dog" or "cat" at a frame (a real number)."""
    table = _PERSON if kind in ("man", "woman") else _ANIMAL
    return replace(table[movement.action](movement, frame), blink=_blink(movement, frame))


def _blink(movement: Movement, frame: float) -> float:
    since = (frame + 40 * movement.phase) % 26.0
    return max(0.0, 1.0 - abs(since - 3.0) / 1.5)


def _leap(movement: Movement, frame: float) -> tuple[float, float, float]:
    """(height 0 to 1, crouch 0 to 1, vertical speed -1 to 1, + is upwards) of a jump that repeats."""
    turn = (frame / movement.period + movement.phase) % 1.0
    ground = 0.34
    if turn < ground:
        return 0.0, sin(pi * turn / ground) ** 2, 0.0
    u = (turn - ground) / (1 - ground)
    return 4 * u * (1 - u), 0.0, 1 - 2 * u


def _person_standing(movement: Movement, frame: float) -> Pose:
    slow = sin(movement.angle(frame))
    hang = 0.16 + 0.03 * slow
    return Pose(
        limbs=((hang, 0.12), (-hang, -0.12), (0.05, 0.0), (-0.05, 0.0)),
        turn=0.42 + 0.08 * sin(movement.angle(frame) * 0.5), nod=0.03 * slow, sway=0.3 * slow, breath=slow,
    )  # fmt: skip


def _person_waving(movement: Movement, frame: float) -> Pose:
    beat = sin(movement.angle(frame))
    return Pose(
        limbs=((2.0 + 0.1 * beat, 0.66 + 0.5 * movement.size * beat), (-0.2, -0.15), (0.06, 0.0), (-0.06, 0.0)),
        lean=-0.03 * beat, turn=0.36, nod=-0.05 - 0.05 * beat, sway=-0.5 * beat, mouth=0.55, breath=beat,
    )  # fmt: skip


def _person_running(movement: Movement, frame: float) -> Pose:
    angle = movement.angle(frame)

    def leg(a: float) -> Joint:
        return 0.12 + 0.78 * movement.size * sin(a), -0.22 - 1.25 * (0.5 + 0.5 * cos(a - 0.25)) ** 2

    swing = -0.85 * movement.size
    return Pose(
        limbs=((swing * sin(angle), 1.35), (-swing * sin(angle), 1.35), leg(angle), leg(angle + pi)),
        lift=2.6 * sin(angle) ** 2, lean=0.2, turn=0.75, nod=0.04 * sin(2 * angle), sway=-0.9 + 0.4 * cos(2 * angle),
        mouth=0.25,
    )  # fmt: skip


def _person_jumping(movement: Movement, frame: float) -> Pose:
    height, crouch, speed = _leap(movement, frame)
    raised = 0.35 + 1.9 * height - 0.3 * crouch
    legs = 0.06 + 0.75 * crouch + 0.42 * height
    bend = -1.35 * crouch - 0.62 * height
    return Pose(
        limbs=((raised, 0.3), (-raised, -0.3), (legs, bend), (-legs, -bend)),
        lift=17 * movement.size * height, turn=0.36, sway=0.9 * speed * min(1.0, 3 * height),
        mouth=0.35 + 0.5 * height,
    )  # fmt: skip


def _animal_standing(movement: Movement, frame: float) -> Pose:
    slow = sin(movement.angle(frame))
    return Pose(
        limbs=((0.03, 0.0), (0.12, 0.0), (-0.05, 0.0), (0.06, 0.0)),
        turn=0.42 + 0.1 * sin(movement.angle(frame) * 0.5), nod=0.06 * slow, sway=0.25 * slow,
        wag=0.35 * sin(2 * movement.angle(frame)), mouth=0.15, breath=slow,
    )  # fmt: skip


def _animal_waving(movement: Movement, frame: float) -> Pose:
    beat = sin(movement.angle(frame))
    return Pose(
        limbs=((2.2 + 0.5 * movement.size * beat, 0.3), (-0.04, 0.0), (0.0, 0.0), (0.0, 0.0)),
        turn=0.36, nod=-0.07 - 0.05 * beat, sway=-0.5 * beat, wag=0.3 * beat, mouth=0.7, sitting=True, breath=beat,
    )  # fmt: skip


def _animal_running(movement: Movement, frame: float) -> Pose:
    angle = movement.angle(frame)

    def leg(a: float, knee: float) -> Joint:
        return 0.95 * movement.size * sin(a), knee * (0.15 + 1.1 * (0.5 + 0.5 * cos(a)) ** 2)

    return Pose(
        limbs=(leg(angle, -1.0), leg(angle - 0.55, -1.0), leg(angle + pi, -0.7), leg(angle + pi - 0.55, -0.7)),
        lift=3.2 * (0.5 - 0.5 * cos(2 * angle)), lean=-0.1 * cos(angle), turn=0.62, nod=0.07 * cos(angle),
        sway=-0.8 + 0.5 * cos(angle), wag=0.3 * sin(angle - 0.6), mouth=0.6,
    )  # fmt: skip


def _animal_jumping(movement: Movement, frame: float) -> Pose:
    height, crouch, speed = _leap(movement, frame)
    reach, steep = 0.8 * height, speed * min(1.0, 3 * height)
    near_front = reach + 0.35 * crouch, -0.5 * height - 0.9 * crouch
    far_front = 0.8 * reach + 0.45 * crouch, -0.6 * height - crouch
    near_hind = -reach - 0.35 * crouch, 0.25 * height + 0.9 * crouch
    far_hind = -0.8 * reach - 0.25 * crouch, 0.3 * height + crouch
    return Pose(
        limbs=(near_front, far_front, near_hind, far_hind), lift=21 * movement.size * height, lean=-0.3 * steep,
        turn=0.5, nod=-0.1 * steep, sway=0.9 * steep, wag=0.5 * steep, mouth=0.3 + 0.4 * height,
    )  # fmt: skip


_PERSON = {
    "standing": _person_standing,
    "waving": _person_waving,
    "running": _person_running,
    "jumping": _person_jumping,
}
_ANIMAL = {
    "standing": _animal_standing,
    "waving": _animal_waving,
    "running": _animal_running,
    "jumping": _animal_jumping,
}
