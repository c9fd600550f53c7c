"""Men and women, drawn standing on (0, 0), about 100 units tall, looking along +x when they turn."""

from __future__ import annotations

from cmath import exp
from dataclasses import dataclass

from .canvas import Canvas, Colour
from .heads import draw_hair_behind, draw_head
from .identity import Person
from .motion import Joint, Pose
from .palette import SHOES, shade

THIGH, SHIN, FOOT = 15.5, 14.5, 3.2
UPPER_ARM, FOREARM = 13.0, 12.0
TRUNK = 28.0


@dataclass(frozen=True)
class Build:
    """Where a person's parts are in this pose. Units of the character, y down, hip at `hip`."""

    hip: complex
    shoulders: float  # half width
    waist: float
    hips: float
    leg_gap: float
    head: complex  # centre, from the hip, before leaning


def direction(angle: float) -> complex:
    """Return the unit vector at `angle` from straight down; positive angles point to +x."""
    return 1j * exp(-1j * angle)


def build(person: Person, pose: Pose) -> Build:
    """Measure the body; the hip is as high as the lower foot allows."""
    man = person.kind == "man"
    side = 1 - 0.42 * abs(pose.turn)
    girth = person.girth * side
    reach = max(_leg_reach(joint) for joint in pose.limbs[2:])
    return Build(
        hip=complex(0, -(reach + FOOT) * person.height - pose.lift),
        shoulders=(15.4 if man else 12.2) * girth,
        waist=(13.2 if man else 9.0) * girth,
        hips=(11.8 if man else 11.4) * girth,
        leg_gap=(6.8 if man else 5.4) * girth,
        head=complex(1.5 * pose.turn, -TRUNK * person.height - 16.5 * person.head),
    )


def _leg_reach(joint: Joint) -> float:
    upper, bend = joint
    return (THIGH * direction(upper) + SHIN * direction(upper + bend)).imag


def root(person: Person, pose: Pose) -> complex:
    """Return the middle of the body, whose displacement is measured."""
    return build(person, pose).hip - 18j * person.height


def head_place(person: Person, pose: Pose) -> tuple[complex, float, float]:
    """Centre, tilt and half width of the head, in the character's units."""
    body = build(person, pose)
    return body.hip + body.head * exp(1j * pose.lean), pose.lean + pose.nod, 15.0 * person.head


def draw(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw the whole person, from the farthest part to the nearest."""
    body = build(person, pose)
    head, tilt, _ = head_place(person, pose)
    with canvas.at(head, tilt, person.head):
        draw_hair_behind(canvas, person, pose)
    with canvas.at(body.hip):
        sideways = abs(pose.turn) > 0.5
        if sideways:
            _arm(canvas, person, body, pose, far=True)
        _leg(canvas, person, body, pose, far=True)
        _leg(canvas, person, body, pose, far=False)
        with canvas.at(0, pose.lean):
            _trunk(canvas, person, body, pose)
        if not sideways:
            _arm(canvas, person, body, pose, far=True)
        _arm(canvas, person, body, pose, far=False)
    with canvas.at(head, tilt, person.head):
        draw_head(canvas, person, pose)


def _leg(canvas: Canvas, person: Person, body: Build, pose: Pose, far: bool) -> None:
    upper, bend = pose.limbs[3 if far else 2]
    hip = complex(-body.leg_gap if far else body.leg_gap, 0)
    knee = hip + THIGH * person.height * direction(upper)
    ankle = knee + SHIN * person.height * direction(upper + bend)
    trousers = person.kind == "man"
    cloth, shoe = person.bottom.rgb if trousers else person.skin.rgb, SHOES
    if far and abs(pose.turn) > 0.5:
        cloth, shoe = shade(cloth), shade(shoe)
    wide = (7.3 if trousers else 5.6) * person.girth
    slim = wide * 0.86
    _foot(canvas, ankle, upper + bend, shoe, side=pose.turn if abs(pose.turn) > 0.5 else (-0.35 if far else 0.35))
    canvas.limb(knee, ankle, slim, slim * 0.9, cloth)
    canvas.limb(hip, knee, wide, slim, cloth)


def _foot(canvas: Canvas, ankle: complex, shin: float, shoe: Colour, side: float) -> None:
    sole = ankle + 1.2 * direction(shin)
    with canvas.at(sole, -shin * 0.8):
        canvas.ellipse(complex(3.6 * side, -0.2), 7.0 + abs(side), 4.4, shoe)


def _arm(canvas: Canvas, person: Person, body: Build, pose: Pose, far: bool) -> None:
    upper, bend = pose.limbs[1 if far else 0]
    at = complex((-1 if far else 1) * (body.shoulders - 2.6), -(TRUNK - 4.5) * person.height)
    shoulder = at * exp(1j * pose.lean)
    elbow = shoulder + UPPER_ARM * person.height * direction(upper)
    hand = elbow + FOREARM * person.height * direction(upper + bend)
    cloth, bare = shade(person.top.rgb, 0.26 if far else 0.14), shade(person.skin.rgb, 0.16 if far else 0.05)
    thick = (5.6 if person.kind == "man" else 4.7) * person.girth
    canvas.limb(elbow, hand, thick * 0.9, thick * 0.82, cloth)
    canvas.ellipse(hand + 1.8 * direction(upper + bend), thick * 1.05, thick * 1.05, bare)
    canvas.limb(shoulder, elbow, thick * 1.08, thick * 0.94, cloth)


def _trunk(canvas: Canvas, person: Person, body: Build, pose: Pose) -> None:
    top = -TRUNK * person.height - 0.4 * pose.breath
    canvas.limb(complex(0, top - 4), complex(0, top + 3), 4.6, 4.6, shade(person.skin.rgb, 0.2))
    if person.kind == "woman":
        _skirt(canvas, person.bottom.rgb, body, pose)
    else:
        canvas.ellipse(complex(0, -0.5), body.hips + 0.4, 5.4, person.bottom.rgb)
    right = [
        complex(4.5, top), complex(body.shoulders - 1.5, top + 2.2), complex(body.shoulders, top + 7),
        complex(body.waist, top * 0.42), complex(body.hips, -2.5), complex(body.hips * 0.8, 0.6),
    ]  # fmt: skip
    left = [complex(-p.real, p.imag) for p in reversed(right)]
    outline = canvas.blob([*right, *left], person.top.rgb)
    with canvas.inside(outline):
        _pattern(canvas, person, top)
    neckline = 3.4 if person.kind == "man" else 4.6
    canvas.ellipse(complex(0, top + 0.6), 4.6, neckline, person.skin.rgb)


def _skirt(canvas: Canvas, colour: Colour, body: Build, pose: Pose) -> None:
    flare, swing = body.hips * 1.7 + 2.0, 2.5 * pose.sway
    points = [
        complex(-body.waist * 0.9, -9), complex(body.waist * 0.9, -9), complex(flare * 0.86, 3),
        complex(flare + swing, 17), complex(swing, 18.6), complex(-flare + swing, 17), complex(-flare * 0.86, 3),
    ]  # fmt: skip
    canvas.blob(points, colour)


def _pattern(canvas: Canvas, person: Person, top: float) -> None:
    accent = person.accent.rgb
    if person.pattern == "striped":
        for y in (top + 8.5, top + 20.5):
            canvas.polygon([complex(-22, y), complex(22, y), complex(22, y + 6), complex(-22, y + 6)], accent)
    elif person.pattern == "open":
        canvas.polygon([complex(-4.6, top - 2), complex(4.6, top - 2), 5.6 + 4j, -5.6 + 4j], accent)
