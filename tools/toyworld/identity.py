"""Who is in the picture: an individual is a point in a unit cube, read as colours, hair, clothes and markings.

Looks are few and large, and every one has a word, so that a small network can hear it: the first edition of this
world had some hundred words for details of a few pixels, and none was heard. Individuals are numbered. Those of the
three splits come from number ranges that do not meet, so what is used for evaluation never occurs in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Colour
from .palette import CLOTHES, FUR, HAIR, SKIN, shade, tint

KINDS = ("man", "woman", "dog", "cat")
SPLITS: dict[str, range] = {
    "train": range(0, 10_000_000),
    "test": range(10_000_000, 11_000_000),
    "eval": range(11_000_000, 11_100_000),
}
DIMENSIONS = 24

PATTERNS = ("plain", "striped", "open")  # an open jacket shows another colour in the middle
MEN_HAIR = ("short", "curly", "spiky", "bald")
WOMEN_HAIR = ("long", "bobbed", "bunned", "curly")
HATS = ("none", "none", "none", "cap", "beanie", "sunhat")
DOG_EARS = ("floppy", "folded")
DOG_MARKS = ("plain", "patched", "saddled", "bibbed")
CAT_MARKS = ("plain", "striped", "bibbed", "masked")


@dataclass(frozen=True)
class Shade:
    """A colour by its name, as light or dark as this individual has it."""

    name: str
    rgb: Colour


@dataclass(frozen=True)
class Person:
    """A man or a woman; proportions are factors around 1."""

    kind: str
    number: int
    skin: Shade
    hair: Shade
    style: str
    beard: bool
    hat: str
    hat_colour: Shade
    glasses: bool
    top: Shade
    accent: Shade
    pattern: str
    bottom: Shade
    height: float
    girth: float
    head: float


@dataclass(frozen=True)
class Animal:
    """A dog or a cat; proportions are factors around 1."""

    kind: str
    number: int
    fur: Shade
    second: Shade
    ears: str
    marking: str
    scarf: Shade | None
    height: float
    length: float
    girth: float
    head: float


Identity = Person | Animal
HEAD = 1.35  # as large as drawn heads are, against a figure that had 1: faces survive the autoencoder


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

    def colour(self, palette: dict[str, Colour], unlike: Sequence[str] = ()) -> Shade:
        """One of the palette's colours but those `unlike`, made a little lighter or darker."""
        names = [name for name in palette if name not in unlike]
        place = self.share() * len(names)
        index = min(int(place), len(names) - 1)
        shift = 0.2 * (place - index) - 0.1
        rgb = palette[names[index]]
        return Shade(names[index], tint(rgb, shift) if shift > 0 else shade(rgb, -shift))


def vector_of(kind: str, number: int) -> NDArray[np.float64]:
    """Return the identity vector [DIMENSIONS] in [0, 1) of an individual."""
    return np.random.default_rng([KINDS.index(kind), number, 2]).random(DIMENSIONS)


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


_ALIKE = {"brown": ("brown", "tanned"), "dark": ("black",), "pale": (), "tanned": ()}  # hair that vanishes on a skin


def _person(kind: str, number: int, traits: _Reader) -> Person:
    man = kind == "man"
    skin = traits.colour(SKIN)
    hair = traits.colour(HAIR, unlike=_ALIKE[skin.name])
    style = traits.one_of(MEN_HAIR if man else WOMEN_HAIR)
    hat = traits.one_of(HATS)
    if hat != "none" and style not in ("bald", "long"):
        style = "short" if man else "bobbed"  # what a hat hides would not be true
    beard = man and traits.chance(0.3)
    top = traits.colour(CLOTHES)
    return Person(
        kind=kind, number=number, skin=skin, hair=hair, style=style, beard=beard, hat=hat,
        hat_colour=traits.colour(CLOTHES, unlike=(hair.name,)), glasses=traits.chance(0.25), top=top,
        accent=traits.colour(CLOTHES, unlike=(top.name,)), pattern=traits.one_of(PATTERNS),
        bottom=traits.colour(CLOTHES, unlike=(top.name,)),
        height=traits.between(0.95, 1.05) if man else traits.between(0.90, 1.0),
        girth=traits.between(1.0, 1.16) if man else traits.between(0.88, 1.0),
        head=HEAD * traits.between(0.97, 1.03),
    )  # fmt: skip


def _animal(kind: str, number: int, traits: _Reader) -> Animal:
    dog = kind == "dog"
    fur = traits.colour(FUR)
    return Animal(
        kind=kind, number=number, fur=fur, second=traits.colour(FUR, unlike=(fur.name,)),
        ears=traits.one_of(DOG_EARS) if dog else "pointed", marking=traits.one_of(DOG_MARKS if dog else CAT_MARKS),
        scarf=traits.colour(CLOTHES) if traits.chance(0.65) else None, height=traits.between(0.93, 1.07),
        length=traits.between(0.95, 1.08) if dog else traits.between(0.88, 0.96),
        girth=traits.between(1.02, 1.18) if dog else traits.between(0.86, 0.96),
        head=HEAD * (traits.between(0.95, 1.02) if dog else traits.between(0.93, 1.0)),
    )  # fmt: skip
