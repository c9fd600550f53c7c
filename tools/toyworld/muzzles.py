"""Heads of dogs and cats around (0, 0), about 14.5 units wide and 13 high each way."""

from __future__ import annotations

from .canvas import Canvas, Colour, Outline
from .identity import Animal
from .motion import Pose
from .palette import CAT_EYES, EYES, INK, luma, shade, tint

_PINK: Colour = (234, 150, 150)


def draw_head(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    """Draw the head, looking along +x by `pose.turn`."""
    if animal.kind == "dog":
        _dog(canvas, animal, pose)
    else:
        _cat(canvas, animal, pose)


def ear_colour(animal: Animal) -> Colour:
    """Ears are dark in some coats."""
    if animal.marking in ("saddled", "patched"):
        return animal.second.rgb
    return shade(animal.fur.rgb, 0.24)


def _dog(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    look = 6.0 * pose.turn
    outline = canvas.blob([-13.2j, 9.5 - 11j, 14.4 - 2j, 13 + 6.5j, 7 + 12.4j, -7 + 12.4j, -13 + 6.5j, -14.4 - 2j,
                           -9.5 - 11j],
                          animal.fur.rgb)  # fmt: skip
    with canvas.inside(outline):
        _face_markings(canvas, animal, look)
    for side in (-1, 1):
        _hanging_ear(canvas, animal, pose, side)
    for side in (-1, 1):
        _round_eye(canvas, animal, pose, complex(side * 6.0 * (1 - 0.15 * abs(pose.turn)) + look, -2.2))
    _snout(canvas, animal, pose)


def _hanging_ear(canvas: Canvas, animal: Animal, pose: Pose, side: int) -> None:
    swing = 3.5 * pose.sway
    x = side * 11.0 - 2.0 * pose.turn
    if animal.ears == "floppy":
        points = [
            complex(x - side * 3, -11.5), complex(x + side * 3.6, -10.5), complex(x + side * (6.6 + 0.3 * swing), 2),
            complex(x + side * 5.4 + swing * 0.4, 13.5 - abs(swing)),
            complex(x + side * 0.5 + swing * 0.2, 11.5 - abs(swing)),
            complex(x - side * 0.4, -3),
        ]  # fmt: skip
    else:
        points = [
            complex(x - side * 4.5, -10), complex(x - side * 0.5, -18.5), complex(x + side * 3.2, -16.5),
            complex(x + side * 7.8, -6.0 - swing), complex(x + side * 3.4, -6.6),
        ]  # fmt: skip
    canvas.blob(points, ear_colour(animal))


def _face_markings(canvas: Canvas, animal: Animal, look: float) -> None:
    second = animal.second.rgb
    if animal.marking == "patched":
        canvas.ellipse(complex(-6.6 + look, -2.6), 7.0, 7.6, second)
    elif animal.marking == "bibbed":
        canvas.blob([complex(look - 2.6, -15), complex(look + 2.6, -15), complex(look + 3.4, -2), complex(look + 10, 6),
                     complex(look, 14), complex(look - 10, 6), complex(look - 3.4, -2)], second)  # fmt: skip
    elif animal.marking == "saddled":
        canvas.ellipse(complex(look * 0.4, -12.5), 13, 7.5, second)
    elif animal.marking == "striped":
        for k in (-1, 0, 1):
            x = 5.6 * k + look * 0.8
            canvas.polygon([complex(x - 2.2, -15), complex(x + 2.2, -15), complex(x * 0.8, -5.6)], second)
    elif animal.marking == "masked":
        canvas.ellipse(complex(look, 4.0), 11.0, 9.0, second)


def _round_eye(canvas: Canvas, animal: Animal, pose: Pose, middle: complex) -> None:
    if pose.blink > 0.6:
        canvas.stroke([middle - 3.2, middle + 1.1j, middle + 3.2], 1.2, 1.2, INK)
        return
    tall = 4.4 * (1 - 0.6 * pose.blink)
    canvas.ellipse(middle, 4.0, tall, (252, 250, 246))
    canvas.ellipse(middle + 0.5 * pose.turn + 0.3j, 2.8, min(3.2, tall), EYES)
    canvas.ellipse(middle + 0.9 - 1.1j, 1.0, 1.0, (255, 255, 255))


def _snout(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    centre = complex(9.2 * pose.turn, 5.6)
    light = animal.second.rgb if animal.marking == "bibbed" else tint(animal.fur.rgb, 0.34)
    if pose.mouth > 0.1:
        depth = 4.0 + 4.2 * pose.mouth
        canvas.ellipse(centre + complex(0.3, 4.6), 4.6, depth, (112, 36, 48))
        canvas.ellipse(centre + complex(0.5, 4.2 + 0.62 * depth), 2.9, 0.55 * depth, (232, 112, 120))
    canvas.ellipse(centre, 9.4 + abs(pose.turn), 6.9, light)
    smile = (-6.0 + 1.2j, -3.2 + 4.4j, 2.6j, 3.2 + 4.4j, 6.0 + 1.2j)
    canvas.stroke([centre + p for p in smile], 1.0, 1.0, shade(light, 0.55))
    nose = centre + complex(2.6 * pose.turn, -3.0)
    canvas.ellipse(nose, 4.8, 3.5, INK)


def _cat(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    look = 4.6 * pose.turn
    for side in (-1, 1):
        _cat_ear(canvas, animal, pose, side)
    outline: Outline = canvas.blob([-11.6j, 9.5 - 10j, 14.6 - 2.5j, 16.2 + 5j, 9.0 + 10.8j, 12.2j, -9.0 + 10.8j,
                                    -16.2 + 5j, -14.6 - 2.5j,
                                    -9.5 - 10j], animal.fur.rgb)  # fmt: skip
    with canvas.inside(outline):
        _face_markings(canvas, animal, look)
    for side in (-1, 1):
        _slit_eye(canvas, animal, pose, complex(side * 6.4 * (1 - 0.12 * abs(pose.turn)) + look, -0.8))
    centre = complex(6.2 * pose.turn, 5.6)
    light = animal.second.rgb if animal.marking in ("bibbed", "masked") else tint(animal.fur.rgb, 0.4)
    for side in (-1, 1):
        canvas.ellipse(centre + complex(side * 3.2, 1.4), 4.4, 3.5, light)
    if pose.mouth > 0.4:
        canvas.ellipse(centre + 4.4j, 2.6, 2.8 * pose.mouth, (150, 50, 64))
    _whiskers(canvas, animal, centre)
    canvas.blob([centre + complex(-2.7, -2.6), centre + complex(2.7, -2.6), centre + 0.9j], (222, 116, 124))


def _cat_ear(canvas: Canvas, animal: Animal, pose: Pose, side: int) -> None:
    x = side * 9.4 - 1.2 * pose.turn
    colour = animal.second.rgb if animal.marking == "masked" else animal.fur.rgb
    tip = complex(x + side * 4.2 + 0.8 * pose.sway, -22.0)
    canvas.polygon([complex(x - side * 7.0, -8.6), tip, complex(x + side * 5.8, -1.5)], colour)
    canvas.polygon([complex(x - side * 3.4, -8.8), tip + complex(-side * 0.6, 5.4), complex(x + side * 3.4, -4)], _PINK)


def _slit_eye(canvas: Canvas, animal: Animal, pose: Pose, middle: complex) -> None:
    if pose.blink > 0.6:
        canvas.stroke([middle - 3.6, middle + 1.2j, middle + 3.6], 1.2, 1.2, INK)
        return
    tall = 4.9 * (1 - 0.6 * pose.blink)
    canvas.ellipse(middle, 4.6, tall, shade(animal.fur.rgb, 0.75) if luma(animal.fur.rgb) > 100 else (24, 20, 26))
    canvas.ellipse(middle, 3.8, tall - 0.8, CAT_EYES)
    canvas.ellipse(middle + 0.3 * pose.turn, 1.8, tall - 1.2, (20, 18, 24))


def _whiskers(canvas: Canvas, animal: Animal, centre: complex) -> None:
    colour = (250, 248, 244) if luma(animal.fur.rgb) < 150 else shade(animal.fur.rgb, 0.4)
    for side in (-1, 1):
        for rise in (-1.0, 3.0):
            start, end = complex(side * 6.4, 0.8 + 0.4 * rise), complex(side * 16.0, rise)
            canvas.stroke([centre + start, centre + end], 0.8, 0.6, colour)
