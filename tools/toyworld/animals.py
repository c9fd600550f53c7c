"""Dogs and cats: the body from the side, standing on (0, 0) and looking along +x, or sitting; 60 units tall."""

from __future__ import annotations

from cmath import exp
from dataclasses import dataclass

from .canvas import Canvas, Colour, Outline
from .identity import Animal
from .motion import Pose
from .muzzles import draw_head
from .palette import shade
from .people import direction

UPPER, LOWER, PAW = 9.5, 8.5, 3.0


@dataclass(frozen=True)
class Build:
    """Where an animal's parts are in this pose, in the character's units, y down."""

    middle: complex  # of the body
    front: float  # of the legs, from the middle along the body
    hind: float
    head: complex  # from the middle, before leaning


def build(animal: Animal, pose: Pose) -> Build:
    """Measure the body; it is as high as the lowest paw allows."""
    if pose.sitting:
        return Build(complex(0, -21 * animal.height - pose.lift), 5.4, -12.0, complex(0, -25 * animal.height))
    long = 16.5 * animal.length
    slim = 0.92 if animal.kind == "cat" else 1.0
    places = (long, long - 3, -long, -long + 3)
    reach = max(
        (complex(x, 4) * exp(1j * pose.lean)).imag + _reach(upper, bend) * animal.height
        for x, (upper, bend) in zip(places, pose.limbs, strict=True)
    )
    head = complex(20.5 * animal.length, -16.5 * animal.height * slim)
    return Build(complex(0, -(reach + PAW) - pose.lift), long, -long, head)


def _reach(upper: float, bend: float) -> float:
    return (UPPER * direction(upper) + LOWER * direction(upper + bend)).imag


def root(animal: Animal, pose: Pose) -> complex:
    """Return the middle of the body, whose displacement is measured."""
    return build(animal, pose).middle


def head_place(animal: Animal, pose: Pose) -> tuple[complex, float, float]:
    """Centre, tilt and half width of the head, in the character's units."""
    body = build(animal, pose)
    return body.middle + body.head * exp(1j * pose.lean), 0.5 * pose.lean + pose.nod, 14.5 * animal.head


def draw(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    """Draw the whole animal, from the farthest part to the nearest."""
    body = build(animal, pose)
    with canvas.at(body.middle, pose.lean):
        if pose.sitting:
            _sitting_body(canvas, animal, pose)
        else:
            _side_body(canvas, animal, body, pose)
    head, tilt, _ = head_place(animal, pose)
    with canvas.at(head, tilt, animal.head):
        draw_head(canvas, animal, pose)


def sock_colour(animal: Animal) -> Colour:
    """Return the colour of the paws."""
    return animal.second.rgb if animal.marking in ("bibbed", "masked") else animal.fur.rgb


def _side_body(canvas: Canvas, animal: Animal, body: Build, pose: Pose) -> None:
    cat = animal.kind == "cat"
    g, long = animal.girth * (0.86 if cat else 1.0), animal.length
    _tail(canvas, animal, complex(body.hind - 4.5, -5.5 * g), pose, side=-1)
    for leg, x in ((1, body.front - 3), (3, body.hind + 3)):
        _leg(canvas, animal, complex(x, 4), pose, leg, far=True)
    neck = body.head * 0.78
    points = [
        complex(-22.5 * long, -4.5 * g), complex(-21 * long, 5 * g), complex(-9 * long, 7.4 * g),
        complex(7 * long, 9.4 * g),
        complex(19 * long, 8.5 * g), complex(22.5 * long, 0), complex(neck.real + 7.5, neck.imag + 3),
        complex(neck.real - 6, neck.imag + 1), complex(7 * long, -9.4 * g), complex(-13 * long, -10 * g),
    ]  # fmt: skip
    outline = canvas.blob(points, animal.fur.rgb)
    with canvas.inside(outline):
        _side_markings(canvas, animal, g)
        belly = animal.second.rgb if animal.marking == "bibbed" else shade(animal.fur.rgb, 0.12)
        canvas.ellipse(complex(-2, 12.5 * g), 26 * long, 5.5, belly)
    for leg, x in ((2, body.hind), (0, body.front)):
        _leg(canvas, animal, complex(x, 4), pose, leg, far=False)
    with canvas.inside(outline):
        _scarf(canvas, animal, body.head + complex(-4, 12.6 * animal.head), 0.3, pose)


def _leg(canvas: Canvas, animal: Animal, hip: complex, pose: Pose, leg: int, far: bool) -> None:
    upper, bend = pose.limbs[leg]
    hind = leg >= 2
    fur, sock = animal.fur.rgb, sock_colour(animal)
    if far:
        fur, sock = shade(fur, 0.24), shade(sock, 0.24)
    thick = (5.8 if animal.kind == "dog" else 4.8) * animal.girth
    turned = upper + pose.lean  # legs hang from a leaning body but keep their own angle
    knee = hip + UPPER * animal.height * direction(turned)
    ankle = knee + LOWER * animal.height * direction(turned + bend)
    canvas.limb(hip, knee, thick * (1.5 if hind else 1.2), thick, fur)
    canvas.limb(knee, ankle, thick * 0.98, thick * 0.82, fur)
    canvas.limb(knee + (ankle - knee) * 0.55, ankle, thick * 0.9, thick * 0.84, sock)
    canvas.ellipse(ankle + 1.0 * direction(turned + bend) + 1.4, thick * 1.15, thick * 0.8, sock)


def _side_markings(canvas: Canvas, animal: Animal, g: float) -> None:
    second = animal.second.rgb
    if animal.marking == "saddled":
        canvas.ellipse(complex(-3, -8 * g), 17 * animal.length, 10.5 * g, second)
    elif animal.marking == "patched":
        canvas.ellipse(complex(-12, -2 * g), 9.5, 8.5, second)
        canvas.ellipse(complex(9, -6 * g), 7.5, 6.5, second)
    elif animal.marking == "striped":
        for k in range(4):
            x = -17.5 + 9.6 * k
            canvas.polygon([complex(x, -13 * g), complex(x + 6.4, -13 * g), complex(x + 1.2, 5.0 * g)], second)
    elif animal.marking == "bibbed":
        canvas.ellipse(complex(20.5, 4), 9.5, 13, second)


def _tail(canvas: Canvas, animal: Animal, at: complex, pose: Pose, side: int) -> None:
    """`side` is -1 where the tail points to -x, 1 where it points to +x."""
    tip = animal.second.rgb if animal.marking in ("striped", "bibbed", "masked") else animal.fur.rgb
    with canvas.at(at, side * -0.6 * pose.wag, flip=-side):
        if animal.kind == "cat":
            curve = [0j, -8 - 3j, -13.5 - 10j, -12.5 - 19j, -15 - 27j + 2 * pose.sway]
            canvas.stroke(curve, 4.0, 3.4, shade(animal.fur.rgb, 0.08))
            canvas.stroke(curve[-2:], 3.5, 3.3, tip)
        else:
            canvas.blob(
                [1 + 2j, -8 - 1j, -17 - 7j, -20 - 16j, -13 - 18j, -6 - 12j, 1 - 4j], shade(animal.fur.rgb, 0.08)
            )
            canvas.blob([-12.5 - 8.5j, -17 - 7j, -20 - 16j, -13.5 - 17.5j], tip)


def _sitting_body(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    h, g = animal.height, animal.girth * (0.9 if animal.kind == "cat" else 1.0)
    fur, sock, dark = animal.fur.rgb, sock_colour(animal), shade(animal.fur.rgb, 0.14)
    _tail(canvas, animal, complex(11 * g, 16 * h), pose, side=1)
    points = [
        complex(0, -22 * h), complex(9.5 * g, -17 * h), complex(13 * g, -2 * h), complex(17.5 * g, 11 * h),
        complex(14 * g, 19.5 * h),
        complex(0, 20.4 * h), complex(-14 * g, 19.5 * h), complex(-17.5 * g, 11 * h), complex(-13 * g, -2 * h),
        complex(-9.5 * g, -17 * h),
    ]  # fmt: skip
    outline: Outline = canvas.blob(points, fur)
    with canvas.inside(outline):
        _front_markings(canvas, animal, g, h)
        for side in (-1, 1):
            canvas.ellipse(complex(side * 14 * g, 12 * h), 7.5 * g, 9 * h, dark)
    thick = (5.6 if animal.kind == "dog" else 4.9) * animal.girth
    for side in (-1, 1):
        canvas.ellipse(complex(side * 13.5 * g, 18.6 * h), 6.4, 3.5, sock)
    shoulder, foot = complex(-5.2 * g, -6 * h), complex(-5.6 * g, 17.6 * h)
    canvas.limb(shoulder, foot, thick * 1.05, thick * 0.9, dark)
    canvas.limb(shoulder, foot - 0.6, thick * 0.9, thick * 0.8, fur)
    canvas.ellipse(foot + 0.9j, thick * 1.15, thick * 0.85, sock)
    _scarf(canvas, animal, complex(0, -13.5 * h), 0.0, pose)
    _raised_leg(canvas, animal, complex(7.4 * g, -8 * h), pose, thick)


def _raised_leg(canvas: Canvas, animal: Animal, shoulder: complex, pose: Pose, thick: float) -> None:
    upper, bend = pose.limbs[0]
    elbow = shoulder + 11 * animal.height * direction(0.55 * upper)
    paw = elbow + 13 * animal.height * direction(upper + bend)
    canvas.limb(shoulder, elbow, thick * 1.1, thick, shade(animal.fur.rgb, 0.07))
    canvas.limb(elbow, paw, thick, thick * 0.95, shade(animal.fur.rgb, 0.07))
    canvas.ellipse(paw, thick * 1.22, thick * 1.22, sock_colour(animal))


def _front_markings(canvas: Canvas, animal: Animal, g: float, h: float) -> None:
    second = animal.second.rgb
    if animal.marking == "bibbed":
        canvas.ellipse(complex(0, -5 * h), 8.4 * g, 14 * h, second)
    elif animal.marking == "striped":
        for k in range(3):
            for side in (-1, 1):
                y = (-9 + 9.0 * k) * h
                stripe = [complex(side * 22, y - 3), complex(side * 22, y + 4.2), complex(side * 6.5 * g, y + 2)]
                canvas.polygon(stripe, second)
    elif animal.marking == "patched":
        canvas.ellipse(complex(-10, -6 * h), 7.0, 7.5, second)
        canvas.ellipse(complex(10, 6 * h), 7.5, 7.0, second)
    elif animal.marking == "saddled":
        canvas.ellipse(complex(0, -19 * h), 13, 7.5, second)


def _scarf(canvas: Canvas, animal: Animal, at: complex, angle: float, pose: Pose) -> None:
    if animal.scarf is None:
        return
    with canvas.at(at, angle):
        half = 9.4 * animal.girth if pose.sitting else 9.6
        points = [complex(-half, -2.4), complex(half, -2.4), complex(half * 0.6, 6.5), 13j + pose.sway,
                  complex(-half * 0.6, 6.5)]  # fmt: skip
        canvas.blob(points, animal.scarf.rgb)
