"""Men and women, drawn standing on (0, 0), about 100 units tall, looking along +x when they turn."""

from __future__ import annotations

from cmath import exp
from dataclasses import dataclass

from .canvas import Canvas, Colour, Outline
from .heads import draw_hair_behind, draw_head
from .identity import Person
from .motion import Joint, Pose
from .palette import mix, shade, tint

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
        shoulders=(13.6 if man else 11.4) * girth,
        waist=(11.6 if man else 8.6) * girth,
        hips=(10.6 if man else 10.4) * girth,
        leg_gap=5.4 * girth,
        head=complex(1.5 * pose.turn, -TRUNK * person.height - 16.5 * person.head),
    )


def _leg_reach(joint: Joint) -> float:
    upper, bend = joint
    return (THIGH * direction(upper) + SHIN * direction(upper + bend)).imag


def root(person: Person, pose: Pose) -> complex:
    """Return the middle of the body: what displacement is measured at."""
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
        if person.scarf is not None:
            with canvas.at(0, pose.lean):
                _scarf(canvas, person.scarf, person.height, pose)
    with canvas.at(head, tilt, person.head):
        draw_head(canvas, person, pose)


def _leg(canvas: Canvas, person: Person, body: Build, pose: Pose, far: bool) -> None:
    upper, bend = pose.limbs[3 if far else 2]
    hip = complex(-body.leg_gap if far else body.leg_gap, 0)
    knee = hip + THIGH * person.height * direction(upper)
    ankle = knee + SHIN * person.height * direction(upper + bend)
    bare, cloth, shoe = person.skin, person.bottom_colour, person.shoes
    if far and abs(pose.turn) > 0.5:
        bare, cloth, shoe = shade(bare), shade(cloth), shade(shoe)
    trousers = person.bottom == "trousers"
    lower = cloth if trousers else bare
    wide = 5.6 * person.girth if person.kind == "man" else 4.5 * person.girth
    slim = wide * (0.82 if trousers else 0.7)
    _foot(canvas, ankle, upper + bend, shoe, side=pose.turn if abs(pose.turn) > 0.5 else (-0.35 if far else 0.35))
    canvas.limb(knee, ankle, slim, slim * 0.86, lower)
    canvas.limb(hip, knee, wide, slim, cloth if person.bottom in ("trousers", "shorts") else bare)
    if person.bottom == "shorts":
        canvas.limb(knee, knee + 1.5 * direction(upper + bend), slim * 1.22, slim * 1.22, cloth)


def _foot(canvas: Canvas, ankle: complex, shin: float, shoe: Colour, side: float) -> None:
    sole = ankle + 1.2 * direction(shin)
    with canvas.at(sole, -shin * 0.8):
        canvas.ellipse(complex(3.2 * side, 0.2), 5.6 + abs(side), 3.6, shoe)


def _arm(canvas: Canvas, person: Person, body: Build, pose: Pose, far: bool) -> None:
    upper, bend = pose.limbs[1 if far else 0]
    at = complex((-1 if far else 1) * (body.shoulders - 2.6), -(TRUNK - 4.5) * person.height)
    shoulder = at * exp(1j * pose.lean)
    elbow = shoulder + UPPER_ARM * person.height * direction(upper)
    hand = elbow + FOREARM * person.height * direction(upper + bend)
    cloth = person.accent if person.pattern == "jacket" else person.top
    cloth, bare = shade(cloth, 0.24 if far else 0.12), shade(person.skin, 0.16 if far else 0.05)
    thick = (4.3 if person.kind == "man" else 3.6) * person.girth
    canvas.limb(elbow, hand, thick * 0.86, thick * 0.74, cloth if person.long_sleeves else bare)
    canvas.ellipse(hand + 1.6 * direction(upper + bend), thick * 0.98, thick * 0.98, bare)
    if person.long_sleeves:
        canvas.limb(shoulder, elbow, thick * 1.08, thick * 0.92, cloth)
    else:
        canvas.limb(shoulder, elbow, thick * 0.9, thick * 0.86, bare)
        canvas.limb(shoulder, shoulder + (elbow - shoulder) * 0.55, thick * 1.12, thick * 1.12, cloth)


def _trunk(canvas: Canvas, person: Person, body: Build, pose: Pose) -> None:
    top = -TRUNK * person.height - 0.4 * pose.breath
    canvas.limb(complex(0, top - 4), complex(0, top + 3), 4.6, 4.6, shade(person.skin, 0.2))
    if person.bottom == "skirt":
        _skirt(canvas, person.bottom_colour, body, pose)
    elif person.bottom == "dress":
        _skirt(canvas, person.top, body, pose)
    else:
        canvas.ellipse(complex(0, -0.5), body.hips + 0.4, 5.4, person.bottom_colour)
    right = [
        complex(4.5, top), complex(body.shoulders - 1.5, top + 2.2), complex(body.shoulders, top + 7),
        complex(body.waist, top * 0.42), complex(body.hips, -2.5), complex(body.hips * 0.8, 0.6),
    ]  # fmt: skip
    left = [complex(-p.real, p.imag) for p in reversed(right)]
    outline = canvas.blob([*right, *left], person.top)
    with canvas.inside(outline):
        _pattern(canvas, person, top)
    neckline = 3.4 if person.kind == "man" else 4.6
    canvas.ellipse(complex(0, top + 0.6), 4.6, neckline, person.skin)


def _skirt(canvas: Canvas, colour: Colour, body: Build, pose: Pose) -> None:
    flare, swing = body.hips * 1.55 + 1.5, 2.5 * pose.sway
    points = [
        complex(-body.waist * 0.9, -9), complex(body.waist * 0.9, -9), complex(flare * 0.86, 3),
        complex(flare + swing, 14), complex(swing, 15.6), complex(-flare + swing, 14), complex(-flare * 0.86, 3),
    ]  # fmt: skip
    outline = canvas.blob(points, colour)
    with canvas.inside(outline):
        canvas.polygon([-40 + 12.2j, 40 + 12.2j, 40 + 18j, -40 + 18j], shade(colour, 0.2))


def _pattern(canvas: Canvas, person: Person, top: float) -> None:
    accent, wide = person.accent, 22.0
    if person.pattern == "stripes":
        for k in range(4):
            y = top + 6.5 + 7.0 * k
            canvas.polygon(
                [complex(-wide, y), complex(wide, y), complex(wide, y + 3.2), complex(-wide, y + 3.2)], accent
            )
    elif person.pattern == "yoke":
        canvas.polygon(
            [complex(-wide, -40), complex(wide, -40), complex(wide, top + 10), complex(-wide, top + 10)], accent
        )
    elif person.pattern == "dots":
        for k in range(11):
            canvas.ellipse(
                complex(-10.5 + 7 * (k % 4) + 3.5 * (k // 4 % 2), top + 8 + 7.4 * (k // 4)), 1.8, 1.8, accent
            )
    elif person.pattern == "jacket":
        for side in (-1, 1):
            canvas.polygon(
                [complex(side * x, y) for x, y in ((3, top - 2), (wide, top - 4), (wide, 8), (6, 8))], accent
            )
    elif person.pattern == "star":
        _star(canvas, complex(0, top * 0.52), 6.0, accent)
    elif person.pattern == "sash":
        canvas.polygon([complex(-wide, top - 2), complex(-wide, top - 10), complex(wide, -6), complex(wide, 2)], accent)


def _star(canvas: Canvas, centre: complex, radius: float, colour: Colour) -> Outline:
    spikes = [centre + radius * (1 if k % 2 == 0 else 0.46) * direction(3.14159 * (1 + k / 5)) for k in range(10)]
    return canvas.polygon(spikes, colour)


def _scarf(canvas: Canvas, colour: Colour, height: float, pose: Pose) -> None:
    neck = -TRUNK * height
    canvas.limb(complex(-6, neck), complex(6, neck), 3.8, 3.8, colour)
    end = complex(-5 + 9 * pose.sway, neck + 15 - 5 * abs(pose.sway))
    canvas.limb(complex(-4, neck + 1), end, 2.8, 3.3, mix(colour, tint(colour), 0.5))
