"""Who is in the picture: an individual is a point in a unit cube, read as colours, proportions, clothes and markings.

Individuals are numbered. Those of the three splits come from number ranges that do not meet, so what is used for
evaluation never occurs in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Colour
from .palette import (
    CAT_EYES,
    CLOTHES,
    DARK_EYES,
    DARK_HAIR,
    EYES,
    FUR,
    HAIR,
    SHOES,
    SKIN,
    TROUSERS,
    luma,
    mix,
    ramp,
    shade,
    tint,
)

KINDS = ("man", "woman", "dog", "cat")
SPLITS: dict[str, range] = {
    "train": range(0, 10_000_000),
    "test": range(10_000_000, 11_000_000),
    "eval": range(11_000_000, 11_100_000),
}
DIMENSIONS = 24

PATTERNS = ("plain", "stripes", "yoke", "dots", "jacket", "star", "sash")
MEN_HAIR = ("crop", "swoop", "curls", "spikes", "bald", "quiff")
WOMEN_HAIR = ("long", "bob", "bun", "ponytail", "curls", "bunches")
HATS = ("none",) * 7 + ("cap", "beanie", "straw")
DOG_EARS = ("floppy", "pointed", "folded")
DOG_MARKS = ("plain", "patch", "saddle", "spots", "socks", "blaze")
CAT_MARKS = ("plain", "tabby", "tuxedo", "calico", "points")
TAILS = ("curled", "plume", "whip")


@dataclass(frozen=True)
class Person:
    """A man or a woman; proportions are factors around 1."""

    kind: str
    number: int
    skin: Colour
    hair: Colour
    eyes: Colour
    style: str
    beard: str
    hat: str
    hat_colour: Colour
    glasses: Colour | None
    freckles: bool
    top: Colour
    accent: Colour
    pattern: str
    long_sleeves: bool
    bottom: str
    bottom_colour: Colour
    shoes: Colour
    scarf: Colour | None
    height: float
    girth: float
    head: float
    jaw: float


@dataclass(frozen=True)
class Animal:
    """A dog or a cat; proportions are factors around 1."""

    kind: str
    number: int
    fur: Colour
    second: Colour
    eyes: Colour
    ears: str
    marking: str
    tail: str
    collar: Colour | None
    tag: Colour
    bandana: bool
    spot_place: float
    height: float
    length: float
    girth: float
    head: float
    muzzle: float
    ear_size: float


Identity = Person | Animal


class _Reader:
    """Hands out the coordinates of an identity vector one by one, as traits."""

    def __init__(self, vector: NDArray[np.float64]) -> None:
        self._next = iter(vector.tolist())

    def share(self) -> float:
        return float(next(self._next))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.share()

    def one_of(self, options: Sequence[str]) -> str:
        return options[min(int(self.share() * len(options)), len(options) - 1)]

    def chance(self, probability: float) -> bool:
        return self.share() < probability

    def colour(self, palette: Sequence[Colour], lightness: float = 0.12) -> Colour:
        """One of the palette's colours, made a little lighter or darker."""
        place = self.share() * len(palette)
        index = min(int(place), len(palette) - 1)
        shift = (place - index) * 2 - 1
        return tint(palette[index], lightness * shift) if shift > 0 else shade(palette[index], -lightness * shift)

    def gradient(self, palette: Sequence[Colour]) -> Colour:
        return ramp(palette, self.share())


def vector_of(kind: str, number: int) -> NDArray[np.float64]:
    """Return the identity vector [DIMENSIONS] in [0, 1) of an individual."""
    return np.random.default_rng([KINDS.index(kind), number]).random(DIMENSIONS)


def individual(kind: str, number: int) -> Identity:
    """Return the individual of `kind` ("man", "woman", "dog" or "cat") with that number, always the same one."""
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    traits = _Reader(vector_of(kind, number))
    return _person(kind, number, traits) if kind in ("man", "woman") else _animal(kind, number, traits)


def split_of(number: int) -> str:
    """Return the split whose range holds an individual's number."""
    for split, numbers in SPLITS.items():
        if number in numbers:
            return split
    raise ValueError(f"individual {number} belongs to no split, expected a number below {SPLITS['eval'].stop}")


def _contrasting(colour: Colour, other: Colour, least: int = 90) -> Colour:
    """`colour`, moved away from `other` if their channels differ by less than `least` in all."""
    distance = sum(abs(a - b) for a, b in zip(colour, other, strict=True))
    if distance > least:
        return colour
    return shade(colour, 0.45) if luma(other) > 62 else mix(colour, (250, 240, 220), 0.6)


def _person(kind: str, number: int, traits: _Reader) -> Person:
    man = kind == "man"
    skin = traits.gradient(SKIN)
    dark = luma(skin) < 135
    hair, top = traits.colour(DARK_HAIR if dark else HAIR), _contrasting(traits.colour(CLOTHES), skin, 170)
    eyes = traits.colour(DARK_EYES if dark else EYES)
    style = traits.one_of(MEN_HAIR if man else WOMEN_HAIR)
    beard = traits.one_of(("none", "none", "full", "moustache", "goatee")) if man else "none"
    return Person(
        kind=kind, number=number, skin=skin, hair=_contrasting(hair, skin), eyes=eyes, style=style, beard=beard,
        hat=traits.one_of(HATS), hat_colour=traits.colour(CLOTHES),
        glasses=traits.colour(SHOES) if traits.chance(0.22) else None, freckles=traits.chance(0.2),
        top=top, accent=_contrasting(traits.colour(CLOTHES), top), pattern=traits.one_of(PATTERNS),
        long_sleeves=traits.chance(0.5), bottom=traits.one_of(("trousers", "shorts") if man else ("dress", "skirt")),
        bottom_colour=_contrasting(_contrasting(traits.colour(TROUSERS), top), skin), shoes=traits.colour(SHOES),
        scarf=traits.colour(CLOTHES) if traits.chance(0.16) else None,
        height=traits.between(0.92, 1.05) if man else traits.between(0.89, 1.01),
        girth=traits.between(0.92, 1.2) if man else traits.between(0.88, 1.1),
        head=traits.between(0.95, 1.07), jaw=traits.between(0.85, 1.15),
    )  # fmt: skip


def _animal(kind: str, number: int, traits: _Reader) -> Animal:
    dog = kind == "dog"
    fur = traits.colour(FUR)
    return Animal(
        kind=kind, number=number, fur=fur, second=_contrasting(traits.colour(FUR), fur),
        eyes=traits.colour(EYES if dog else CAT_EYES), ears=traits.one_of(DOG_EARS) if dog else "triangles",
        marking=traits.one_of(DOG_MARKS if dog else CAT_MARKS), tail=traits.one_of(TAILS),
        collar=traits.colour(CLOTHES) if traits.chance(0.75) else None, tag=traits.colour(CLOTHES),
        bandana=traits.chance(0.25), spot_place=traits.share(), height=traits.between(0.86, 1.12),
        length=traits.between(0.88, 1.14) if dog else traits.between(0.9, 1.06),
        girth=traits.between(0.85, 1.18), head=traits.between(0.94, 1.08), muzzle=traits.between(0.85, 1.15),
        ear_size=traits.between(0.85, 1.2),
    )  # fmt: skip
