"""Heads of people: face, hair, beard, glasses and hats, around (0, 0), about 15 units wide and 16.5 high each way."""

from __future__ import annotations

from math import cos, pi, sin

from .canvas import Canvas, Colour
from .identity import Person
from .motion import Pose
from .palette import EYES, INK, luma, mix, shade, tint

_EYE_HEIGHT = 0.8


def draw_hair_behind(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw the hair that hangs behind head and trunk."""
    dark, s = shade(person.hair.rgb, 0.14), -3.0 * pose.sway
    if person.style == "long":
        canvas.blob([-16 - 8j, -11 - 18j, 11 - 18j, 16 - 8j, 17.5 + 10j + s * 0.5, 15 + 26j + s, 4 + 29j + s,
                     -4 + 29j + s, -15 + 26j + s, -17.5 + 10j + s * 0.5], dark)  # fmt: skip
    elif person.style == "bobbed":
        canvas.blob([-16 - 8j, -11 - 18j, 11 - 18j, 16 - 8j, 19 + 7j + s * 0.5, 16 + 15j + s * 0.6, 0 + 16j,
                     -16 + 15j + s * 0.6, -19 + 7j + s * 0.5], dark)  # fmt: skip
    elif person.style == "bunned":
        canvas.ellipse(-1 - 22j + 0.3 * s, 9.4, 8.4, dark)
    elif person.style == "curly" and person.kind == "woman":
        for k in range(11):
            angle = pi * (0.86 + 1.28 * k / 10)
            reach = 17.5 + 1.5 * sin(2.3 * k)
            spot = complex(reach * cos(angle), reach * sin(angle))
            canvas.ellipse(complex(spot.real, spot.imag + 2) + 0.4 * s, 8.2, 8.2, dark)


def draw_head(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Face, ears and what is worn in front."""
    jaw = 11.6 if person.kind == "man" else 10.0
    skin = person.skin.rgb
    for side in (-1, 1):
        x = side * 14.8 - 4.5 * pose.turn
        if abs(x) < 17:
            canvas.ellipse(complex(x, 1.5), 3.3, 4.2, shade(skin, 0.1))
            canvas.ellipse(complex(x, 1.7), 1.6, 2.3, shade(skin, 0.25))
    canvas.blob([-16j, 9.5 - 13.4j, 14.6 - 3.5j, 13.6 + 5.0j, complex(jaw, 11.4), 16.4j, complex(-jaw, 11.4),
                        -13.6 + 5.0j,
                 -14.6 - 3.5j, -9.5 - 13.4j], skin)  # fmt: skip
    look = 5.2 * pose.turn
    with canvas.at(complex(look, 0)):
        if person.beard:
            _beard(canvas, person, jaw, look)
        _mouth(canvas, person, pose)
        _nose(canvas, skin, pose)
        for side in (-1, 1):
            _eye(canvas, person, pose, side)
        if person.glasses:
            _glasses(canvas)
    if person.style != "bald":
        _hair_in_front(canvas, person, pose)
    if person.hat != "none":
        _hat(canvas, person, pose)


def _eye(canvas: Canvas, person: Person, pose: Pose, side: int) -> None:
    x = side * 6.6 * (1 - 0.12 * abs(pose.turn))
    middle = complex(x, _EYE_HEIGHT)
    brow = mix(person.hair.rgb, INK, 0.3) if luma(person.hair.rgb) > 60 else person.hair.rgb
    thick = 1.0 if person.kind == "woman" else 1.6
    canvas.stroke([complex(x - side * 3.4, -6.6), complex(x, -7.8), complex(x + side * 3.6, -6.8)], thick, thick, brow)
    if pose.blink > 0.6:
        canvas.stroke([middle - 3.4, middle + 1.2j, middle + 3.4], 1.2, 1.2, INK)
        return
    tall = 4.8 * (1 - 0.6 * pose.blink)
    canvas.ellipse(middle, 4.2, tall, (252, 250, 246))
    canvas.ellipse(middle + 0.7 * pose.turn + 0.2j, 2.8, min(3.6, tall), EYES)
    canvas.ellipse(middle + 1.0 - 1.2j, 1.1, 1.1, (255, 255, 255))
    if person.kind == "woman":
        lid = [middle - 4.2 - 1.6j, middle - tall * 1j, middle + 4.2 - 1.6j]
        canvas.stroke(lid, 1.1, 1.1, INK)
        canvas.stroke([middle + side * 3.6 - 2.2j, middle + side * 6.2 - 4.4j], 1.1, 0.7, INK)


def _nose(canvas: Canvas, skin: Colour, pose: Pose) -> None:
    canvas.ellipse(complex(2.4 * pose.turn, 5.4), 2.4, 1.9, mix(shade(skin, 0.24), (220, 100, 90), 0.18))


def _mouth(canvas: Canvas, person: Person, pose: Pose) -> None:
    lips = mix(shade(person.skin.rgb, 0.3), (196, 44, 66), 0.75 if person.kind == "woman" else 0.4)
    corners, y = 5.0, 10.2
    if pose.mouth > 0.2:
        depth = 2.0 + 3.4 * pose.mouth
        gape = [complex(-corners, y - 1.0), complex(0, y - 0.6), complex(corners, y - 1.0), complex(0, y + depth)]
        canvas.blob(gape, (136, 36, 50))
    else:
        canvas.stroke([complex(-corners, y - 0.8), complex(0, y + 1.4), complex(corners, y - 0.8)], 1.3, 1.3, lips)


def _beard(canvas: Canvas, person: Person, jaw: float, look: float) -> None:
    outer = [13.9 + 2.0j, 13.6 + 7.0j, complex(jaw + 1.0, 13.2), 18.6j, complex(-jaw - 1.0, 13.2), -13.6 + 7.0j,
             -13.9 + 2.0j]  # fmt: skip
    inner = [-9.4 + 6.8j, -6.6 + 7.6j, 7.2j, 6.6 + 7.6j, 9.4 + 6.8j]
    canvas.blob([*(p - look for p in outer), *(p - 0.5 * look for p in inner)], person.hair.rgb)


def _glasses(canvas: Canvas) -> None:
    for side in (-1, 1):
        ring = [complex(side * 6.6, _EYE_HEIGHT) + 5.8 * complex(sin(k * pi / 6), -cos(k * pi / 6)) for k in range(13)]
        canvas.stroke(ring, 1.2, 1.2, INK)
        canvas.stroke([complex(side * 12.2, 0.2), complex(side * 15.0, -0.8)], 1.1, 1.1, INK)


_CROWN = (-15.6 + 1.0j, -16.2 - 6.0j, -11.5 - 16.0j, -18.6j, 11.5 - 16.0j, 16.2 - 6.0j, 15.6 + 1.0j)


def _hair_in_front(canvas: Canvas, person: Person, pose: Pose) -> None:
    hair, look, style = person.hair.rgb, 2.2 * pose.turn, person.style
    if style in ("short", "spiky"):
        canvas.blob([*_CROWN, 13.0 - 3.0j, 12.0 - 8.6j + look, -11.0j + look, -12.0 - 8.6j + look, -13.0 - 3.0j], hair)
        if style == "spiky":
            spikes = [complex(-15 + 5.0 * k, -11 if k % 2 == 0 else -27 + 1.1 * (k - 3) ** 2) for k in range(7)]
            canvas.polygon([*spikes, 14 - 10j, -10j, -14 - 10j], hair)
    elif style == "curly" and person.kind == "man":
        for k in range(7):
            angle = pi * (0.06 + 0.88 * k / 6)
            canvas.ellipse(complex(-14.0 * cos(angle), -7.0 - 10.5 * sin(angle)), 6.6, 6.6, hair)
        canvas.ellipse(complex(look, -13.5), 10.0, 4.6, hair)
    else:
        low = 9.0 if style in ("long", "bobbed") else 2.0
        fringe = (
            [12.8 - 1.0j, 11.5 - 6.4j + look, 4 - 8.4j + look, -4 - 8.4j + look, -11.5 - 6.4j + look, -12.8 - 1.0j]
            if style == "bobbed"
            else [12.9 - 2.0j, 9.0 - 9.4j + look, 2.5 - 13.4j + look, -5.0 - 10.4j + look, -12.9 - 2.0j]
        )
        canvas.blob([complex(-14.6, low), *_CROWN, complex(14.6, low), *fringe], hair)


def _hat(canvas: Canvas, person: Person, pose: Pose) -> None:
    colour, look = person.hat_colour.rgb, 4.0 * pose.turn
    dark, light = shade(colour, 0.24), tint(colour, 0.24)
    if person.hat == "cap":
        canvas.blob([-16.4 - 7.5j, -15 - 16j, -7 - 22.5j, 7 - 22.5j, 15 - 16j, 16.4 - 7.5j, -9.4j], colour)
        canvas.blob(
            [-8 - 10.6j + look, 11 - 10.6j + look, 20 - 6.6j + 2.4 * look, -6.2j + 1.3 * look, -14 - 6.8j + look], dark
        )
    elif person.hat == "beanie":
        canvas.ellipse(-26.0j, 5.4, 5.4, light)
        canvas.blob([-16.4 - 8j, -15 - 17j, -7 - 24.0j, 7 - 24.0j, 15 - 17j, 16.4 - 8j, -10.0j], colour)
        canvas.blob([-17 - 12.5j, -14.0j, 17 - 12.5j, 16.8 - 6.6j, -8.4j, -16.8 - 6.6j], dark)
    else:
        canvas.ellipse(-9.0j, 24.5, 4.8, dark)
        canvas.blob([-15.5 - 9j, -13.5 - 20j, -8 - 25.0j, 8 - 25.0j, 13.5 - 20j, 15.5 - 9j], colour)
        canvas.ellipse(-10.0j, 23, 3.4, colour)
