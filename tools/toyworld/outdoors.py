"""Scenes under the sky. Each paints a stage; the subject stands around y = 85 to 118."""

from __future__ import annotations

from .canvas import Colour
from .palette import mix, shade, tint
from .stage import Stage


def beach(stage: Stage) -> None:
    """Sky, sea, sand, palms and a parasol."""
    lit = stage.lit
    stage.sky(56)
    stage.gradient(56, 78, lit((36, 132, 186)), lit((96, 204, 208)))
    stage.hills(79, 1.6, 17, (250, 250, 244))
    stage.hills(81, 1.6, 17, (226, 196, 144))
    stage.gradient(86, 128, lit((244, 216, 160)), lit((236, 198, 134)))
    stage.hills(86, 1.2, 21, (244, 216, 160), floor=90)
    stage.row(107, 22, lambda x, u: _palm(stage, x, 92 + 4 * u, 1 + 0.25 * u), half=36)
    stage.row(173, 60, lambda x, u: _parasol(stage, x, 93, u), half=18)


def _palm(stage: Stage, x: float, y: float, size: float) -> None:
    trunk, leaf = stage.lit((150, 108, 72)), stage.lit((58, 140, 84))
    top = complex(x + 9 * size, y - 50 * size)
    stage.canvas.stroke([complex(x, y), complex(x + 2 * size, y - 24 * size), top], 2.6, 1.7, trunk)
    for k, (dx, dy) in enumerate(((-20, 5), (-15, -9), (1, -14), (16, -8), (20, 6))):
        end = top + size * complex(dx, dy)
        bow = top + size * complex(dx * 0.55, dy * 0.6 - 7)
        stage.canvas.blob([top, bow, end, bow + 5j * size], leaf if k % 2 else tint(leaf, 0.12))
    stage.canvas.ellipse(top + 2j, 2.4, 2.4, shade(trunk, 0.3))


def _parasol(stage: Stage, x: float, y: float, chance: float) -> None:
    first: Colour = (232, 88, 80) if chance < 0.5 else (70, 140, 210)
    stage.canvas.limb(complex(x, y), complex(x + 3, y - 27), 1.4, 1.4, stage.lit((236, 230, 220)))
    for k in range(4):
        left, right = -16 + 8 * k, -8 + 8 * k
        points = [complex(x + left, y - 22), complex(x + right, y - 22), complex(x + 3, y - 33)]
        stage.canvas.polygon(points, stage.lit(first if k % 2 == 0 else (250, 246, 236)), convex=True)


def desert(stage: Stage) -> None:
    """Orange dunes, mesas and cactuses."""
    lit = stage.lit
    stage.sky(62)
    stage.row(74, 20, lambda x, u: _mesa(stage, x, 66, 0.8 + 0.5 * u), half=34)
    stage.hills(65, 4, 34, (226, 146, 84))
    stage.hills(76, 5, 46, (236, 164, 96))
    stage.gradient(92, 128, lit((240, 176, 106)), lit((226, 150, 84)))
    stage.hills(90, 4, 52, (240, 176, 106), floor=96)
    stage.row(59, 20, lambda x, u: _cactus(stage, x, 82 + 10 * u, 0.8 + 0.4 * u))


def _mesa(stage: Stage, x: float, y: float, size: float) -> None:
    colour = stage.lit((192, 104, 76))
    front, edge = (-24 + 0j, -15 - 21j, 13 - 21j, 22 + 0j), (-15 - 21j, 13 - 21j, 14.5 - 17j, -16.5 - 17j)
    stage.canvas.polygon([complex(x, y) + size * p for p in front], colour)
    stage.canvas.polygon([complex(x, y) + size * p for p in edge], tint(colour, 0.2))


def _cactus(stage: Stage, x: float, y: float, size: float) -> None:
    green = stage.lit((78, 140, 88))
    limb = stage.canvas.limb
    limb(complex(x, y), complex(x, y - 24 * size), 3.3 * size, 3.0 * size, green)
    for side, low, high in ((-1, 9, 18), (1, 13, 22)):
        elbow = complex(x + side * 7.5 * size, y - low * size)
        limb(complex(x, y - low * size), elbow, 2.0 * size, 2.0 * size, green)
        limb(elbow, complex(elbow.real, y - high * size), 2.0 * size, 1.9 * size, green)


def meadow(stage: Stage) -> None:
    """Green hills, round trees, a fence and flowers."""
    lit = stage.lit
    stage.sky(64)
    stage.hills(62, 7, 38, (126, 190, 128))
    stage.row(67, 22, lambda x, u: _tree(stage, x, 72, 0.8 + 0.35 * u), half=20)
    stage.hills(73, 4, 47, (122, 198, 96))
    stage.gradient(88, 128, lit((128, 204, 92)), lit((92, 172, 74)))
    stage.hills(86, 3, 41, (128, 204, 92), floor=92)
    stage.row(34, 9, lambda x, u: _flower(stage, x, 95 + 28 * u, (x * 7.3) % 1))


def _tree(stage: Stage, x: float, y: float, size: float) -> None:
    green = stage.lit((76, 152, 80))
    stage.box(x - 1.8 * size, y - 12 * size, 3.6 * size, 13 * size, stage.lit((124, 88, 64)))
    for dx, dy, r in ((-6, -17, 8), (6, -17, 8), (0, -24, 9.5)):
        stage.canvas.ellipse(complex(x + dx * size, y + dy * size), r * size, r * size, green)
    stage.canvas.ellipse(complex(x - 2.5 * size, y - 26 * size), 4.5 * size, 4.0 * size, tint(green, 0.14))


def _flower(stage: Stage, x: float, y: float, hue: float) -> None:
    colours: tuple[Colour, ...] = ((250, 250, 250), (252, 214, 84), (240, 116, 140), (176, 130, 220))
    petal = stage.lit(colours[int(hue * 4) % 4])
    stage.canvas.ellipse(complex(x, y), 3.0, 2.6, petal)
    stage.canvas.ellipse(complex(x, y), 1.3, 1.1, stage.lit((244, 176, 60)))


def forest(stage: Stage) -> None:
    """Tall trunks in green dusk, ferns and mushrooms."""
    lit, canvas = stage.lit, stage.canvas
    low = mix((150, 196, 150), stage.light.sky_low, 0.35)
    stage.gradient(0, 80, lit((44, 104, 84)), lit(low))
    stage.row(21, 8, lambda x, u: stage.box(x, -2, 3 + 3 * u, 82, lit((92, 140, 116))))
    stage.hills(77, 2.5, 30, (66, 116, 78))
    stage.row(43, 13, lambda x, u: _trunk(stage, x, 84 + 5 * u, 6 + 4 * u), half=12)
    dark, light = (34, 88, 62), (58, 124, 72)
    stage.row(16, 6, lambda x, u: canvas.ellipse(complex(x, 4 + 6 * u), 15, 11, lit(mix(dark, light, u))), half=16)
    stage.gradient(92, 128, lit((96, 112, 66)), lit((78, 92, 56)))
    stage.hills(90, 2.5, 36, (96, 112, 66), floor=96)
    stage.row(33, 12, lambda x, u: _fern(stage, x, 92 + 5 * u))


def _trunk(stage: Stage, x: float, y: float, width: float) -> None:
    bark = stage.lit((104, 74, 58))
    points = [complex(x - width * 0.5, -4), complex(x + width * 0.5, -4), complex(x + width * 0.55, y - 8),
              complex(x + width, y),
              complex(x - width, y), complex(x - width * 0.55, y - 8)]  # fmt: skip
    stage.canvas.polygon(points, bark)


def _fern(stage: Stage, x: float, y: float) -> None:
    green = stage.lit((72, 148, 78))
    for dx, dy in ((-9, -5), (-5, -10), (0, -12), (5, -10), (9, -5)):
        stage.canvas.stroke(
            [complex(x, y), complex(x + dx * 0.5, y + dy * 0.75), complex(x + dx, y + dy)], 2.2, 1.0, green
        )


def snow(stage: Stage) -> None:
    """White hills, mountains, snowy firs and falling flakes."""
    lit, canvas = stage.lit, stage.canvas
    stage.sky(66)
    stage.row(58, 16, lambda x, u: _mountain(stage, x, 70, 0.8 + 0.5 * u), half=46)
    stage.hills(68, 3, 37, (214, 228, 244))
    stage.row(41, 12, lambda x, u: _fir(stage, x, 76 + 7 * u, 0.75 + 0.4 * u), half=14)
    stage.hills(82, 3, 44, (230, 240, 250))
    stage.gradient(94, 128, lit((240, 246, 252)), lit((220, 232, 246)))
    stage.hills(92, 3, 50, (240, 246, 252), floor=98)
    stage.row(
        23,
        6,
        lambda x, u: canvas.ellipse(complex(x, 4 + 60 * u), 1.7, 1.7, mix(lit((255, 255, 255)), (255, 255, 255), 0.3)),
    )


def _mountain(stage: Stage, x: float, y: float, size: float) -> None:
    rock = stage.lit((136, 152, 184))
    stage.canvas.polygon([complex(x - 34 * size, y), complex(x, y - 34 * size), complex(x + 34 * size, y)], rock)
    cap = [(0, -34), (10, -24), (5, -25.5), (1, -21), (-4, -25), (-10, -24)]
    stage.canvas.polygon([complex(x + dx * size, y + dy * size) for dx, dy in cap], stage.lit((248, 250, 255)))


def _fir(stage: Stage, x: float, y: float, size: float) -> None:
    green, white = stage.lit((52, 108, 92)), stage.lit((250, 252, 255))
    stage.box(x - 1.4 * size, y - 5 * size, 2.8 * size, 6 * size, stage.lit((104, 78, 64)))
    for k in range(3):
        low, wide = y - (4 + 8.5 * k) * size, (11 - 2.4 * k) * size
        stage.canvas.polygon(
            [complex(x - wide, low), complex(x, low - 13 * size), complex(x + wide, low)], green, convex=True
        )
        stage.canvas.polygon([complex(x - wide * 0.48, low - 6.8 * size), complex(x, low - 13.4 * size),
                              complex(x + wide * 0.48, low - 6.8 * size),
                              complex(x, low - 5.0 * size)], white)  # fmt: skip


def street(stage: Stage) -> None:
    """House fronts with windows, a pavement, lamps and a road."""
    stage.sky(60)
    stage.row(36, 2, lambda x, u: _house(stage, x, u), half=21)
    stage.box(stage.left - 2, 84, stage.right - stage.left + 4, 46, stage.lit((112, 114, 124)))
    stage.box(stage.left - 2, 84, stage.right - stage.left + 4, 12, stage.lit((188, 184, 178)))
    stage.box(stage.left - 2, 95.4, stage.right - stage.left + 4, 2.2, stage.lit((146, 144, 146)))
    stage.row(32, 0, lambda x, u: stage.box(x, 118, 16, 3.4, stage.lit((238, 226, 180))))
    stage.row(82, 12, lambda x, u: _lamp(stage, x, 90))


def _house(stage: Stage, x: float, chance: float) -> None:
    fronts: tuple[Colour, ...] = ((206, 118, 92), (226, 188, 132), (132, 160, 176), (188, 150, 170), (152, 172, 132))
    front = stage.lit(fronts[int(chance * 50) % 5])
    top, night = 20 + 22 * chance, stage.light.name == "night"
    stage.box(x - 18.5, top, 37, 66, front)
    stage.canvas.polygon([complex(x - 20, top + 1), complex(x - 12, top - 9), complex(x + 12, top - 9),
                          complex(x + 20, top + 1)],
                         stage.lit((122, 76, 70)), convex=True)  # fmt: skip
    for row in range(2):
        for column in range(2):
            on = (int(chance * 97) >> (2 * row + column)) % 3 > 0
            glass: Colour = ((255, 214, 122) if on else (44, 50, 82)) if night else stage.lit((176, 214, 232))
            left, up = x - 12.5 + 15.5 * column, top + 7 + 18 * row
            stage.box(left - 1.2, up - 1.2, 11.9, 13.4, tint(front, 0.45))
            stage.box(left, up, 9.5, 11, glass)


def _lamp(stage: Stage, x: float, y: float) -> None:
    night = stage.light.name == "night"
    stage.canvas.limb(complex(x, y), complex(x, y - 50), 1.9, 1.5, (58, 62, 74))
    if night:
        stage.canvas.ellipse(complex(x, y - 53), 8.5, 8.5, (120, 112, 122))
    stage.canvas.ellipse(complex(x, y - 53), 4.2, 4.2, (255, 232, 160) if night else stage.lit((240, 236, 220)))
