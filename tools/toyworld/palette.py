"""Colours that have a name (RGB, 0 to 255), and how to mix them."""

from __future__ import annotations

from functools import lru_cache

from .canvas import Colour

SKIN: dict[str, Colour] = {
    "pale": (252, 220, 194), "tanned": (222, 168, 122), "brown": (158, 106, 70), "dark": (96, 64, 48),
}  # fmt: skip
HAIR: dict[str, Colour] = {
    "black": (42, 36, 42), "brown": (116, 70, 42), "red": (190, 84, 40), "blond": (236, 200, 116),
    "white": (234, 230, 226),
}  # fmt: skip
FUR: dict[str, Colour] = {
    "white": (244, 238, 228), "tan": (222, 172, 108), "orange": (222, 122, 54), "brown": (124, 80, 54),
    "grey": (146, 146, 156), "black": (58, 52, 60),
}  # fmt: skip
CLOTHES: dict[str, Colour] = {
    "red": (208, 54, 56), "orange": (240, 138, 54), "yellow": (248, 210, 84), "green": (70, 150, 82),
    "blue": (52, 112, 196), "purple": (128, 78, 172), "pink": (238, 130, 172), "white": (246, 242, 232),
    "black": (54, 52, 64),
}  # fmt: skip
EYES: Colour = (62, 44, 40)
CAT_EYES: Colour = (176, 206, 74)
SHOES: Colour = (84, 60, 52)
INK: Colour = (44, 34, 42)


@lru_cache(maxsize=8192)
def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return `first` with `share` (0 to 1) of `second`."""
    a, b, c = (round(p + (q - p) * share) for p, q in zip(first, second, strict=True))
    return a, b, c


def shade(colour: Colour, amount: float = 0.16) -> Colour:
    """Return the colour darker and a little cooler, as in shadow."""
    return mix(colour, (40, 30, 72), amount)


def tint(colour: Colour, amount: float = 0.25) -> Colour:
    """Return the colour lighter and a little warmer, as in sun."""
    return mix(colour, (255, 250, 236), amount)


@lru_cache(maxsize=8192)
def scaled(colour: Colour, light: tuple[float, float, float]) -> Colour:
    """Return the colour times a light's three factors."""
    r, g, b = (min(255, max(0, round(c * f))) for c, f in zip(colour, light, strict=True))
    return r, g, b


def luma(colour: Colour) -> float:
    """Return the brightness, 0 to 255 (Rec. 601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
