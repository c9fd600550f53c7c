"""Heads of people: face, hair, beard, glasses and hats, around (0, 0), about 15 units wide and 16.5 high each way."""

from __future__ import annotations

from math import cos, pi, sin

from .canvas import Canvas, Colour
from .identity import Person
from .motion import Pose
from .palette import INK, luma, mix, shade, tint

_EYE_HEIGHT = 0.8


def draw_hair_behind(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw the hair that hangs behind head and trunk."""
    dark, s = shade(person.hair, 0.14), -3.0 * pose.sway
    if person.style == "long":
        canvas.blob([-16 - 8j, -11 - 18j, 11 - 18j, 16 - 8j, 17.5 + 10j + s * 0.5, 15 + 26j + s, 4 + 29j + s,
                     -4 + 29j + s, -15 + 26j + s, -17.5 + 10j + s * 0.5], dark)  # fmt: skip
    elif person.style == "bob":
        canvas.blob([-16 - 8j, -11 - 18j, 11 - 18j, 16 - 8j, 19 + 7j + s * 0.5, 16 + 15j + s * 0.6, 0 + 16j,
                     -16 + 15j + s * 0.6, -19 + 7j + s * 0.5], dark)  # fmt: skip
    elif person.style == "bun":
        canvas.ellipse(-1 - 21j + 0.3 * s, 8.2, 7.4, dark)
    elif person.style == "ponytail":
        canvas.blob(
            [-6 - 15j, -15 - 13j, -23 - 3j + s * 0.6, -26 + 9j + s * 1.4, -21 + 21j + s * 2.2, -17 + 9j + s, -12 - 2j],
            dark,
        )
    elif person.style == "curls" and person.kind == "woman":
        for k in range(11):
            angle = pi * (0.86 + 1.28 * k / 10)
            reach = 17.5 + 1.5 * sin(2.3 * k)
            spot = complex(reach * cos(angle), reach * sin(angle))
            canvas.ellipse(complex(spot.real, spot.imag + 2) + 0.4 * s, 8.2, 8.2, dark)
    elif person.style == "bunches":
        for side in (-1, 1):
            canvas.blob([side * 13 - 7j, side * 21 - 11j, side * 26 + 1j + s * 0.5, side * 24 + 13j + s,
                         side * 19 + 17j + s, side * 17 + 5j + s * 0.4], dark)  # fmt: skip


def draw_head(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Face, ears and what is worn in front."""
    jaw = person.jaw * (11.6 if person.kind == "man" else 10.0)
    skin = person.skin
    for side in (-1, 1):
        x = side * 14.8 - 4.5 * pose.turn
        if abs(x) < 17:
            canvas.ellipse(complex(x, 1.5), 3.3, 4.2, shade(skin, 0.1))
            canvas.ellipse(complex(x, 1.7), 1.6, 2.3, shade(skin, 0.25))
    face = canvas.blob([-16j, 9.5 - 13.4j, 14.6 - 3.5j, 13.6 + 5.0j, complex(jaw, 11.4), 16.4j, complex(-jaw, 11.4),
                        -13.6 + 5.0j,
                 -14.6 - 3.5j, -9.5 - 13.4j], skin)  # fmt: skip
    look = 5.2 * pose.turn
    with canvas.inside(face), canvas.at(complex(look, 0)):
        _cheeks(canvas, person)
    with canvas.at(complex(look, 0)):
        if person.beard != "none":
            _beard(canvas, person, jaw, look)
        _mouth(canvas, person, pose)
        _nose(canvas, skin, pose)
        for side in (-1, 1):
            _eye(canvas, person, pose, side)
        if person.glasses is not None:
            _glasses(canvas, person.glasses)
    if person.style != "bald":
        _hair_in_front(canvas, person, pose)
    if person.hat != "none":
        _hat(canvas, person, pose)


def _cheeks(canvas: Canvas, person: Person) -> None:
    for side in (-1, 1):
        canvas.ellipse(side * 9.2 + 6.6j, 3.1, 2.1, mix(person.skin, (236, 92, 92), 0.24))
        if person.freckles:
            for dx, dy in ((-2.4, 4.6), (0.2, 5.6), (2.2, 4.4)):
                canvas.ellipse(complex(side * 8 + dx, dy), 0.75, 0.75, shade(person.skin, 0.35))


def _eye(canvas: Canvas, person: Person, pose: Pose, side: int) -> None:
    x = side * 6.2 * (1 - 0.12 * abs(pose.turn))
    woman = person.kind == "woman"
    middle, lid = complex(x, _EYE_HEIGHT), INK if woman else mix(person.skin, INK, 0.6)
    brow = mix(person.hair, INK, 0.3) if luma(person.hair) > 60 else person.hair
    thick = 0.7 if woman else 1.25
    canvas.stroke([complex(x - side * 3.0, -5.4), complex(x, -6.6), complex(x + side * 3.3, -5.6)], thick, thick, brow)
    if pose.blink > 0.6:
        canvas.stroke([middle - 2.8, middle + 0.9j, middle + 2.8], 0.8, 0.8, INK)
        return
    tall = 3.5 * (1 - 0.6 * pose.blink)
    canvas.ellipse(middle, 3.0, tall, (252, 250, 246))
    canvas.ellipse(middle + 0.5 * pose.turn + 0.2j, 2.25, min(2.7, tall), person.eyes)
    canvas.ellipse(middle + 0.5 * pose.turn + 0.2j, 1.35, min(1.7, tall), (26, 20, 28))
    canvas.ellipse(middle + 0.8 - 0.9j, 0.8, 0.8, (255, 255, 255))
    canvas.stroke(
        [middle - 3.0 - 1.0j, middle - tall * 1j, middle + 3.0 - 1.0j],
        0.75 if woman else 0.55,
        0.75 if woman else 0.55,
        lid,
    )
    if woman:
        canvas.stroke([middle + side * 2.6 - 1.6j, middle + side * 4.4 - 3.2j], 0.75, 0.35, INK)


def _nose(canvas: Canvas, skin: Colour, pose: Pose) -> None:
    canvas.ellipse(complex(1.6 * pose.turn, 5.0), 1.9, 1.5, mix(shade(skin, 0.2), (220, 100, 90), 0.18))


def _mouth(canvas: Canvas, person: Person, pose: Pose) -> None:
    lips = mix(shade(person.skin, 0.3), (196, 44, 66), 0.75 if person.kind == "woman" else 0.35)
    corners, y = 4.0, 9.4
    if pose.mouth > 0.2:
        depth = 1.2 + 3.4 * pose.mouth
        gape = [complex(-corners, y - 0.6), complex(0, y), complex(corners, y - 0.6), complex(0, y + depth)]
        outline = canvas.blob(gape, (122, 34, 48))
        with canvas.inside(outline):
            canvas.ellipse(complex(0, y - 0.6), corners, 1.5, (252, 250, 246))
            canvas.ellipse(complex(0, y + depth + 0.4), 2.6, 1.7, (226, 104, 108))
    else:
        canvas.stroke([complex(-corners, y - 0.4), complex(0, y + 1.5), complex(corners, y - 0.4)], 0.95, 0.95, lips)


def _beard(canvas: Canvas, person: Person, jaw: float, look: float) -> None:
    hair = mix(person.hair, person.skin, 0.12)
    if person.beard == "full":
        outer = [
            13.9 + 2.0j,
            13.4 + 7.0j,
            complex(jaw + 0.6, 12.6),
            17.6j,
            complex(-jaw - 0.6, 12.6),
            -13.4 + 7.0j,
            -13.9 + 2.0j,
        ]
        inner = [-9.8 + 6.4j, -6.6 + 7.2j, 0 + 6.6j, 6.6 + 7.2j, 9.8 + 6.4j]
        canvas.blob([*(p - look for p in outer), *(p - 0.5 * look for p in inner)], hair)
    elif person.beard == "goatee":
        canvas.blob([-3.4 + 11.6j, 3.4 + 11.6j, 3.6 + 14.8j, 0 + 18.2j, -3.6 + 14.8j], hair)
    if person.beard in ("moustache", "goatee"):
        canvas.blob(
            [-0.2 + 6.9j, 3.5 + 6.7j, 6.4 + 8.6j, 3.0 + 8.9j, 0 + 8.2j, -3.0 + 8.9j, -6.4 + 8.6j, -3.5 + 6.7j], hair
        )


def _glasses(canvas: Canvas, frame: Colour) -> None:
    for side in (-1, 1):
        ring = [complex(side * 6.2, _EYE_HEIGHT) + 4.6 * complex(sin(k * pi / 6), -cos(k * pi / 6)) for k in range(13)]
        canvas.stroke(ring, 0.8, 0.8, frame)
        canvas.stroke([complex(side * 10.8, 0.2), complex(side * 14.6, -0.8)], 0.7, 0.7, frame)
    canvas.stroke([-1.7 + 0.2j, -0.5j, 1.7 + 0.2j], 0.7, 0.7, frame)


_CROWN = (-15.6 + 1.0j, -16.2 - 6.0j, -11.5 - 16.0j, -18.6j, 11.5 - 16.0j, 16.2 - 6.0j, 15.6 + 1.0j)


def _hair_in_front(canvas: Canvas, person: Person, pose: Pose) -> None:
    hair, light, look = person.hair, tint(person.hair, 0.16), 2.2 * pose.turn
    style = person.style
    if person.hat != "none":
        style = "crop" if person.kind == "man" else "parted"
    if style in ("crop", "quiff", "spikes"):
        canvas.blob([*_CROWN, 13.0 - 3.0j, 12.0 - 8.0j + look, -10.4j + look, -12.0 - 8.0j + look, -13.0 - 3.0j], hair)
        if style == "quiff":
            canvas.blob([-9 - 12j, -8 - 20j, 2 - 24.5j, 12 - 21j, 12.5 - 13j, 3 - 11j], light)
        elif style == "spikes":
            spikes = [complex(-14 + 4.0 * k, -12 if k % 2 == 0 else -24 + 0.12 * (k - 3.5) ** 2 * 4) for k in range(8)]
            canvas.polygon([*spikes, 14 - 10j, -10j, -14 - 10j], hair)
    elif style == "swoop":
        canvas.blob(
            [*_CROWN, 13.6 - 3.0j, 10.5 - 9.5j + look, -3.0 - 11.0j + look, -10.5 - 6.0j + look, -13.4 - 1.0j], hair
        )
        canvas.stroke([-6.5 - 16.5j, 3.0 - 14.5j, 11.5 - 10.5j], 1.0, 0.6, light)
    elif style == "curls":
        for k in range(7):
            angle = pi * (0.06 + 0.88 * k / 6)
            canvas.ellipse(complex(-14.0 * cos(angle), -6.0 - 9.5 * sin(angle)), 5.8, 5.8, hair)
        for k in range(4):
            canvas.ellipse(
                complex(-8.5 + 5.6 * k + look, -11.5 - 1.6 * sin(pi * k / 3)), 4.6, 4.2, light if k % 2 else hair
            )
    else:
        _parted_hair(canvas, person, look)


def _parted_hair(canvas: Canvas, person: Person, look: float) -> None:
    hair, light = person.hair, tint(person.hair, 0.16)
    low = 9.0 if person.style in ("long", "bob") else 2.0
    if person.style == "bob":
        fringe = [12.8 - 1.0j, 11.5 - 4.6j + look, 4 - 5.4j + look, -4 - 5.4j + look, -11.5 - 4.6j + look, -12.8 - 1.0j]
    else:
        fringe = [12.9 - 2.0j, 9.0 - 8.4j + look, 2.5 - 13.0j + look, -5.0 - 9.6j + look, -12.9 - 2.0j]
    canvas.blob([complex(-14.4, low), *_CROWN, complex(14.4, low), *fringe], hair)
    canvas.stroke([-11 - 11j, -5 - 15.4j, 2 - 16.6j], 0.7, 1.1, light)
    if person.style == "bunches":
        for side in (-1, 1):
            canvas.ellipse(side * 15.4 - 8.5j, 2.4, 2.6, person.accent)


def _hat(canvas: Canvas, person: Person, pose: Pose) -> None:
    colour, look = person.hat_colour, 4.0 * pose.turn
    dark, light = shade(colour, 0.22), tint(colour, 0.2)
    if person.hat == "cap":
        canvas.blob([-16.4 - 6.5j, -15 - 15j, -7 - 21.5j, 7 - 21.5j, 15 - 15j, 16.4 - 6.5j, -8.4j], colour)
        canvas.blob(
            [-10 - 8.6j + look, 10 - 8.6j + look, 15.5 - 5.4j + 1.6 * look, -4.2j + 1.3 * look, -15.5 - 5.4j + look],
            dark,
        )
        canvas.ellipse(-21.2j, 1.8, 1.3, light)
    elif person.hat == "beanie":
        canvas.ellipse(-24.0j, 4.2, 4.2, light)
        canvas.blob([-16.4 - 7j, -15 - 16j, -7 - 22.5j, 7 - 22.5j, 15 - 16j, 16.4 - 7j, -9.0j], colour)
        canvas.blob([-17 - 10.5j, -12.0j, 17 - 10.5j, 16.6 - 5.6j, -7.4j, -16.6 - 5.6j], dark)
    else:
        straw: Colour = (238, 208, 136)
        canvas.blob([-15.5 - 8j, -13.5 - 18j, -8 - 22.5j, 8 - 22.5j, 13.5 - 18j, 15.5 - 8j], straw)
        canvas.blob([-15.8 - 9j, -15.0 - 14j, 15.0 - 14j, 15.8 - 9j], colour)
        canvas.ellipse(-8.4j, 23.5, 4.2, shade(straw, 0.12))
        canvas.ellipse(-9.0j, 22, 3.0, straw)
