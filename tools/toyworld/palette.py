"""Natural colours (RGB, 0 to 255), and how to mix them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .canvas import Colour

SKIN: tuple[Colour, ...] = (
    (253, 222, 196), (244, 204, 170), (230, 182, 142), (208, 154, 112),
    (180, 124, 84), (146, 96, 64), (112, 74, 52), (88, 58, 44),
)  # fmt: skip
HAIR: tuple[Colour, ...] = (
    (40, 34, 38), (62, 44, 38), (98, 64, 42), (130, 78, 46), (156, 76, 42),
    (204, 112, 52), (214, 166, 92), (238, 208, 144), (156, 154, 158), (226, 222, 218),
)  # fmt: skip
FUR: tuple[Colour, ...] = (
    (244, 238, 226), (236, 212, 172), (220, 168, 100), (200, 124, 66), (168, 92, 54), (136, 92, 62),
    (94, 64, 48), (64, 56, 60), (146, 146, 154), (106, 112, 128), (186, 170, 152),
)  # fmt: skip
DARK_HAIR: tuple[Colour, ...] = ((34, 30, 34), (44, 34, 34), (62, 44, 38), (84, 54, 40), (168, 164, 164))
DARK_EYES: tuple[Colour, ...] = ((64, 42, 34), (84, 54, 36), (110, 76, 44))
EYES: tuple[Colour, ...] = ((74, 48, 36), (106, 70, 40), (70, 112, 72), (64, 110, 160), (110, 124, 134))
CAT_EYES: tuple[Colour, ...] = ((150, 196, 72), (232, 190, 62), (96, 176, 206), (224, 146, 52))
CLOTHES: tuple[Colour, ...] = (
    (214, 66, 62), (236, 112, 76), (244, 158, 66), (248, 204, 88), (186, 198, 78), (96, 168, 88), (44, 122, 90),
    (62, 172, 164), (88, 180, 220), (58, 118, 196), (44, 66, 128), (104, 84, 172), (160, 94, 176), (226, 122, 166),
    (176, 48, 88), (246, 240, 226), (178, 180, 188), (72, 76, 90), (36, 96, 120), (206, 226, 240),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = (
    (58, 84, 140), (88, 120, 176), (46, 52, 74), (70, 72, 80), (124, 98, 74),
    (190, 164, 122), (96, 108, 72), (132, 58, 62), (226, 220, 208), (60, 104, 108),
)  # fmt: skip
SHOES: tuple[Colour, ...] = ((60, 46, 44), (120, 76, 48), (240, 238, 234), (196, 60, 58), (52, 84, 150), (40, 40, 48))
INK: Colour = (44, 34, 42)


@lru_cache(maxsize=8192)
def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with `share` (0 to 1) of `second`."""
    a, b, c = (round(p + (q - p) * share) for p, q in zip(first, second, strict=True))
    return a, b, c


def shade(colour: Colour, amount: float = 0.16) -> Colour:
    """Darker and a little cooler, as in shadow."""
    return mix(colour, (40, 30, 72), amount)


def tint(colour: Colour, amount: float = 0.25) -> Colour:
    """Lighter and a little warmer, as in sun."""
    return mix(colour, (255, 250, 236), amount)


@lru_cache(maxsize=8192)
def scaled(colour: Colour, light: tuple[float, float, float]) -> Colour:
    """`colour` times a light's three factors."""
    r, g, b = (min(255, max(0, round(c * f))) for c, f in zip(colour, light, strict=True))
    return r, g, b


def luma(colour: Colour) -> float:
    """Brightness, 0 to 255 (Rec. 601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def ramp(palette: Sequence[Colour], place: float) -> Colour:
    """Return the colour at `place` (0 to 1) of a palette read as a gradient."""
    position = min(max(place, 0.0), 1.0) * (len(palette) - 1)
    low = min(int(position), len(palette) - 2)
    return mix(palette[low], palette[low + 1], position - low)
