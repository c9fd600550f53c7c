"""Heads of dogs and cats around (0, 0), about 14.5 units wide and 13 high each way."""

from __future__ import annotations

from .canvas import Canvas, Colour, Outline
from .identity import Animal
from .motion import Pose
from .palette import INK, luma, mix, shade, tint

_PINK: Colour = (234, 150, 150)


def draw_head(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    """Draw the head, looking along +x by `pose.turn`."""
    if animal.kind == "dog":
        _dog(canvas, animal, pose)
    else:
        _cat(canvas, animal, pose)


def ear_colour(animal: Animal) -> Colour:
    """Ears are dark in some coats."""
    if animal.marking in ("saddle", "spots", "points", "patch", "calico"):
        return animal.second
    return shade(animal.fur, 0.2)


def _dog(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    look = 6.0 * pose.turn
    if animal.ears == "pointed":
        for side in (-1, 1):
            _pointed_ear(canvas, animal, pose, side)
    outline = canvas.blob([-13.2j, 9.5 - 11j, 14.4 - 2j, 13 + 6.5j, 7 + 12.4j, -7 + 12.4j, -13 + 6.5j, -14.4 - 2j,
                           -9.5 - 11j],
                          animal.fur)  # fmt: skip
    with canvas.inside(outline):
        _face_markings(canvas, animal, look)
    if animal.ears != "pointed":
        for side in (-1, 1):
            _hanging_ear(canvas, animal, pose, side)
    for side in (-1, 1):
        _round_eye(canvas, animal, pose, complex(side * 6.0 * (1 - 0.15 * abs(pose.turn)) + look, -2.2))
    _snout(canvas, animal, pose)


def _pointed_ear(canvas: Canvas, animal: Animal, pose: Pose, side: int) -> None:
    size, x = animal.ear_size, side * 8.8 - 1.5 * pose.turn
    tip = complex(x + side * 3.6 + pose.sway, -12 - 11.5 * size)
    canvas.polygon([complex(x - side * 5.4, -8.5), tip, complex(x + side * 5.2, -3)], ear_colour(animal))
    inner = [complex(x - side * 2.4, -9.5), tip * 0.9 + 1j - 0.1 * x, complex(x + side * 3.2, -6)]
    canvas.polygon(inner, mix(ear_colour(animal), _PINK, 0.5))


def _hanging_ear(canvas: Canvas, animal: Animal, pose: Pose, side: int) -> None:
    size, swing = animal.ear_size, 3.5 * pose.sway
    x = side * 11.0 - 2.0 * pose.turn
    if animal.ears == "floppy":
        points = [
            complex(x - side * 3, -11.5), complex(x + side * 3.6, -10.5), complex(x + side * (6.6 + 0.3 * swing), 2),
            complex(x + side * 5.4 + swing * 0.4, 10.5 * size - abs(swing)),
            complex(x + side * 0.5 + swing * 0.2, 8.5 * size - abs(swing)),
            complex(x - side * 0.4, -3),
        ]  # fmt: skip
    else:
        points = [
            complex(x - side * 4.5, -10), complex(x - side * 0.5, -17.5 * size), complex(x + side * 3.2, -15.5 * size),
            complex(x + side * 7.8, -6.0 - swing), complex(x + side * 3.4, -6.6),
        ]  # fmt: skip
    canvas.blob(points, ear_colour(animal))


def _face_markings(canvas: Canvas, animal: Animal, look: float) -> None:
    second = animal.second
    if animal.marking in ("patch", "spots"):
        canvas.ellipse(complex((-6.4 if animal.spot_place < 0.5 else 6.4) + look, -2.6), 5.6, 6.4, second)
    elif animal.marking in ("blaze", "tuxedo"):
        canvas.blob([complex(look - 1.6, -15), complex(look + 1.6, -15), complex(look + 2.4, -2), complex(look + 9, 6),
                     complex(look, 14), complex(look - 9, 6), complex(look - 2.4, -2)], second)  # fmt: skip
    elif animal.marking == "saddle":
        canvas.ellipse(complex(look * 0.4, -12.5), 12, 6.5, second)
    elif animal.marking == "tabby":
        for k in (-1, 0, 1):
            x = 4.4 * k + look * 0.8
            canvas.polygon([complex(x - 1.5, -15), complex(x + 1.5, -15), complex(x * 0.8, -6.2)], second)
        for side in (-1, 1):
            canvas.polygon([side * 17 + 1j, side * 17 + 4.4j, side * 10 + 3.4j], second)
    elif animal.marking == "calico":
        side = -1 if animal.spot_place < 0.5 else 1
        canvas.ellipse(complex(side * 9, -9), 9.5, 8.5, second)
    elif animal.marking == "points":
        canvas.ellipse(complex(look, 4.5), 9.5, 8.5, second)


def _round_eye(canvas: Canvas, animal: Animal, pose: Pose, middle: complex) -> None:
    if pose.blink > 0.6:
        canvas.stroke([middle - 2.6, middle + 0.9j, middle + 2.6], 0.8, 0.8, INK)
        return
    tall = 3.3 * (1 - 0.6 * pose.blink)
    canvas.ellipse(
        middle, 2.9, tall + 0.2, mix(tint(animal.fur, 0.5), (255, 255, 255), 0.6) if luma(animal.fur) < 90 else INK
    )
    canvas.ellipse(middle + 0.3 * pose.turn, 2.3, tall * 0.85, animal.eyes)
    canvas.ellipse(middle + 0.3 * pose.turn, 1.5, min(1.9, tall), (24, 18, 24))
    canvas.ellipse(middle + 0.9 - 1.1j, 0.85, 0.85, (255, 255, 255))


def _snout(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    size = animal.muzzle
    centre = complex(9.2 * pose.turn, 5.6)
    light = animal.second if animal.marking in ("blaze", "socks") else tint(animal.fur, 0.3)
    if pose.mouth > 0.1:
        depth = 4.0 + 4.2 * pose.mouth
        canvas.ellipse(centre + complex(0.3, 4.6), 4.6, depth, (112, 36, 48))
        canvas.ellipse(centre + complex(0.5, 4.2 + 0.62 * depth), 2.9, 0.55 * depth, (232, 112, 120))
    canvas.ellipse(centre, 8.6 * size + abs(pose.turn), 6.2 * size, light)
    smile = (-6.0 + 1.2j, -3.2 + 4.4j, 2.6j, 3.2 + 4.4j, 6.0 + 1.2j)
    canvas.stroke([centre + p for p in smile], 0.75, 0.75, shade(light, 0.55))
    nose = centre + complex(2.6 * pose.turn, -3.0)
    canvas.ellipse(nose, 4.1, 2.9, INK)
    canvas.ellipse(nose + complex(-1.1, -1.0), 1.3, 0.7, (150, 140, 150))


def _cat(canvas: Canvas, animal: Animal, pose: Pose) -> None:
    look = 4.6 * pose.turn
    for side in (-1, 1):
        _cat_ear(canvas, animal, pose, side)
    outline: Outline = canvas.blob([-11.6j, 9.5 - 10j, 14.6 - 2.5j, 16.2 + 5j, 9.0 + 10.8j, 12.2j, -9.0 + 10.8j,
                                    -16.2 + 5j, -14.6 - 2.5j,
                                    -9.5 - 10j], animal.fur)  # fmt: skip
    with canvas.inside(outline):
        _face_markings(canvas, animal, look)
    for side in (-1, 1):
        _slit_eye(canvas, animal, pose, complex(side * 6.4 * (1 - 0.12 * abs(pose.turn)) + look, -0.8))
    centre = complex(6.2 * pose.turn, 5.6)
    light = animal.second if animal.marking in ("tuxedo", "points") else tint(animal.fur, 0.4)
    for side in (-1, 1):
        canvas.ellipse(centre + complex(side * 2.9, 1.2), 3.9, 3.1, light)
    if pose.mouth > 0.4:
        canvas.ellipse(centre + 4.0j, 1.9, 2.4 * pose.mouth, (170, 60, 70))
    _whiskers(canvas, animal, centre)
    canvas.blob([centre + complex(-2.1, -2.2), centre + complex(2.1, -2.2), centre + 0.6j], (222, 116, 124))
    mouth = shade(light, 0.6)
    canvas.stroke([centre + complex(-4.4, 2.0), centre + complex(-2.0, 3.4), centre + 1.4j], 0.6, 0.6, mouth)
    canvas.stroke([centre + complex(4.4, 2.0), centre + complex(2.0, 3.4), centre + 1.4j], 0.6, 0.6, mouth)


def _cat_ear(canvas: Canvas, animal: Animal, pose: Pose, side: int) -> None:
    x, tall = side * 9.4 - 1.2 * pose.turn, -11.0 - 10.5 * animal.ear_size
    colour = animal.second if animal.marking in ("points", "calico") else animal.fur
    tip = complex(x + side * 4.2 + 0.8 * pose.sway, tall)
    canvas.polygon([complex(x - side * 7.0, -8.6), tip, complex(x + side * 5.8, -1.5)], colour)
    canvas.polygon([complex(x - side * 3.4, -8.8), tip + complex(-side * 0.6, 4.4), complex(x + side * 3.4, -4)], _PINK)


def _slit_eye(canvas: Canvas, animal: Animal, pose: Pose, middle: complex) -> None:
    if pose.blink > 0.6:
        canvas.stroke([middle - 3.0, middle + 1.1j, middle + 3.0], 0.8, 0.8, INK)
        return
    tall = 4.1 * (1 - 0.6 * pose.blink)
    canvas.ellipse(middle, 3.9, tall + 0.5, shade(animal.fur, 0.75) if luma(animal.fur) > 100 else (24, 20, 26))
    canvas.ellipse(middle, 3.3, tall - 0.1, animal.eyes)
    canvas.ellipse(middle + 0.3 * pose.turn, 1.35, tall - 0.6, (20, 18, 24))
    canvas.ellipse(middle + 1.0 - 1.5j, 0.9, 0.9, (255, 255, 255))


def _whiskers(canvas: Canvas, animal: Animal, centre: complex) -> None:
    colour = (250, 248, 244) if luma(animal.fur) < 150 else shade(animal.fur, 0.4)
    for side in (-1, 1):
        for rise in (-1.6, 0.9, 3.4):
            canvas.stroke(
                [centre + complex(side * 5.6, 0.6 + 0.4 * rise), centre + complex(side * 14.5, rise)], 0.45, 0.3, colour
            )
