"""Scenes under a roof, with windows that show the time of day."""

from __future__ import annotations

from itertools import pairwise

from .canvas import Colour
from .palette import mix, shade, tint
from .stage import Stage

_WALLS: tuple[Colour, ...] = ((232, 204, 176), (206, 216, 190), (226, 190, 190), (196, 204, 226), (240, 222, 170))
_SOFAS: tuple[Colour, ...] = ((92, 128, 156), (186, 96, 88), (112, 142, 104), (206, 158, 82), (130, 104, 150))


def _window(stage: Stage, x: float, y: float, width: float, height: float) -> None:
    light = stage.light
    stage.box(x - 2.5, y - 2.5, width + 5, height + 5, stage.lit((250, 246, 238)))
    stage.box(x, y, width, height, mix(light.sky_top, light.sky_low, 0.5))
    stage.box(x, y + height * 0.5, width, height * 0.5, mix(light.sky_top, light.sky_low, 0.85))
    if light.name == "night":
        stage.canvas.ellipse(complex(x + width * 0.72, y + height * 0.27), 3.2, 3.2, (248, 242, 214))
    stage.box(x + width / 2 - 1.2, y, 2.4, height, stage.lit((250, 246, 238)))


def room(stage: Stage) -> None:
    """Draw a living room: wallpaper, window, picture, sofa, lamp, wooden floor and a rug."""
    lit = stage.lit
    wall = _WALLS[int(stage.place(0, len(_WALLS)))]
    sofa = _SOFAS[int(stage.place(0, len(_SOFAS)))]
    across = stage.right - stage.left + 4
    stage.gradient(0, 82, lit(tint(wall, 0.15)), lit(wall))
    stage.box(stage.left - 2, 78, across, 5, lit((246, 240, 230)))
    stage.gradient(82, 128, lit((176, 122, 82)), lit((196, 140, 94)))
    shift = stage.place(-14, 14)
    for start in (-192.0, -32.0, 128.0):
        x = start + shift
        if not stage.sees(x + 5, x + 154):
            continue
        _window(stage, x + 16, 14, 32, 36)
        for side in (8, 49):
            stage.box(x + side, 9, 8.5, 50, lit(mix(sofa, (255, 244, 228), 0.45)))
        _picture(stage, x + 84, 22)
        _sofa(stage, x + 72, sofa)
        _floor_lamp(stage, x + 142)
    stage.canvas.ellipse(complex(64 + shift, 112), 52, 11, lit(mix(sofa, (240, 210, 170), 0.6)))
    stage.canvas.ellipse(complex(64 + shift, 112), 44, 8.6, lit(mix(sofa, (240, 210, 170), 0.8)))


def _picture(stage: Stage, x: float, y: float) -> None:
    stage.box(x - 2, y - 2, 28, 21, stage.lit((128, 88, 62)))
    stage.box(x, y, 24, 17, stage.lit((186, 220, 232)))
    stage.canvas.polygon(
        [complex(x, y + 17), complex(x + 9, y + 5), complex(x + 17, y + 17)], stage.lit((102, 150, 122))
    )
    stage.canvas.polygon(
        [complex(x + 9, y + 17), complex(x + 17, y + 9), complex(x + 24, y + 17)], stage.lit((132, 178, 138))
    )


def _sofa(stage: Stage, x: float, colour: Colour) -> None:
    base, canvas = stage.lit(colour), stage.canvas
    canvas.limb(complex(x + 7, 63), complex(x + 51, 63), 8, 8, shade(base, 0.1))
    stage.box(x - 1, 62, 60, 25, shade(base, 0.1))
    for left in (3, 30):
        canvas.limb(complex(x + left + 4, 73), complex(x + left + 21, 73), 4.6, 4.6, tint(base, 0.14))
    stage.box(x, 76, 58, 12, base)
    for side in (-2, 60):
        canvas.limb(complex(x + side, 72), complex(x + side, 84), 6, 6, base)


def _floor_lamp(stage: Stage, x: float) -> None:
    glow = (255, 236, 176) if stage.light.name == "night" else stage.lit((248, 232, 190))
    stage.box(x - 1.3, 42, 2.6, 46, stage.lit((92, 78, 72)))
    stage.canvas.ellipse(complex(x, 88), 6, 1.8, stage.lit((92, 78, 72)))
    stage.canvas.polygon(
        [complex(x - 5.5, 28), complex(x + 5.5, 28), complex(x + 10, 44), complex(x - 10, 44)], glow, convex=True
    )


def kitchen(stage: Stage) -> None:
    """Draw a kitchen: tiles, cupboards, a counter with stove and kettle, a fridge and a chequered floor."""
    lit = stage.lit
    doors: tuple[Colour, ...] = ((96, 160, 158), (228, 130, 96), (124, 158, 196), (240, 196, 104))
    front = doors[int(stage.place(0, len(doors)))]
    stage.gradient(0, 92, lit((250, 246, 236)), lit((240, 234, 222)))
    _chequers(stage)
    shift = stage.place(-16, 16)
    for start in (-206.0, -36.0, 134.0):
        x = start + shift
        if not stage.sees(x - 3, x + 156):
            continue
        _cupboards(stage, x, front)
        _window(stage, x + 54, 10, 30, 28)
        _counter(stage, x, front)
        _fridge(stage, x + 122)


def _chequers(stage: Stage) -> None:
    stage.box(stage.left - 2, 88, stage.right - stage.left + 4, 42, stage.lit((238, 232, 222)))
    edges = (88, 95, 105, 118, 134)
    first = int(stage.left // 20) - 3
    for row, (top, low) in enumerate(pairwise(edges)):
        for k in range(first, int(stage.right // 20) + 4):
            near, far = 20 * (low - 40) / 60, 20 * (top - 40) / 60
            ends = [64 + (k + step) * size for step in (-3.2, -2.2) for size in (near, far)]
            if (k + row) % 2 == 0 and stage.sees(min(ends), max(ends)):
                corners = [complex(64 + (k - 3.2) * far, top), complex(64 + (k - 2.2) * far, top),
                           complex(64 + (k - 2.2) * near, low), complex(64 + (k - 3.2) * near, low)]  # fmt: skip
                stage.canvas.polygon(corners, stage.lit((176, 188, 196)), convex=True)


def _cupboards(stage: Stage, x: float, colour: Colour) -> None:
    for left in (2, 27, 90):
        stage.box(x + left, 4, 24, 27, stage.lit(colour))
        stage.box(x + left + 2.5, 6.5, 19, 22, stage.lit(tint(colour, 0.18)))


def _counter(stage: Stage, x: float, colour: Colour) -> None:
    lit = stage.lit
    stage.box(x - 2, 60, 122, 31, lit(colour))
    for left in range(0, 120, 24):
        stage.box(x + left + 1.5, 66, 20, 22, lit(tint(colour, 0.18)))
    stage.box(x - 3, 57, 124, 4.6, lit((150, 112, 84)))
    stage.box(x + 22, 62, 26, 27, lit((82, 86, 96)))
    stage.box(x + 25, 69, 20, 13, (255, 176, 90) if stage.light.name == "night" else lit((44, 46, 56)))
    stage.canvas.blob([complex(x + 28, 57), complex(x + 29, 48), complex(x + 35, 45.5), complex(x + 41, 48),
                       complex(x + 42, 57)],
                      lit((214, 74, 66)))  # fmt: skip
    for dx, fruit in ((96, (236, 150, 56)), (101, (206, 62, 58)), (106, (150, 188, 76))):
        stage.canvas.ellipse(complex(x + dx, 52), 3.3, 3.3, lit(fruit))
    stage.canvas.blob(
        [complex(x + 90, 52.5), complex(x + 112, 52.5), complex(x + 107, 58), complex(x + 95, 58)], lit((232, 232, 236))
    )


def _fridge(stage: Stage, x: float) -> None:
    body = stage.lit((226, 236, 240))
    stage.box(x, 20, 32, 72, shade(body, 0.12))
    stage.box(x, 20, 30, 71, body)
    stage.box(x, 44, 30, 2.0, shade(body, 0.25))
    for top in (31, 50):
        stage.box(x + 3.4, top, 2.6, 9, shade(body, 0.4))
