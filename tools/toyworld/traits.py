"""An individual's traits as one row of numbers, which a network can be taught to see in pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from . import identity
from .identity import KINDS, Animal, Identity, Person

_OPTIONS: dict[type, dict[str, tuple[str, ...]]] = {
    Person: {
        "style": tuple(dict.fromkeys((*identity.MEN_HAIR, *identity.WOMEN_HAIR))),
        "hat": tuple(dict.fromkeys(identity.HATS)),
        "pattern": identity.PATTERNS,
    },
    Animal: {
        "ears": (*identity.DOG_EARS, "pointed"),
        "marking": tuple(dict.fromkeys((*identity.DOG_MARKS, *identity.CAT_MARKS))),
    },
}


def traits(who: Identity) -> NDArray[np.float32]:
    """All traits [TRAITS], about -1 to 1: the kind, then those of people, then those of animals, 0 where it has none.

    Colours are as they look in white light. Those of a scarf are 0 where there is none.
    """
    kind = [float(who.kind == name) for name in KINDS]
    values = list(_values(who))
    before, after = (0, _LENGTHS[Animal]) if isinstance(who, Person) else (_LENGTHS[Person], 0)
    return np.array([*kind, *[0.0] * before, *values, *[0.0] * after], np.float32)


def _values(who: Identity) -> Iterator[float]:
    for field in fields(who):
        value = getattr(who, field.name)
        if field.name in ("kind", "number"):
            continue
        if field.name in _OPTIONS[type(who)]:
            yield from (float(value == option) for option in _OPTIONS[type(who)][field.name])
        elif isinstance(value, bool):
            yield float(value)
        elif isinstance(value, float):
            yield (value / (identity.HEAD if field.name == "head" else 1) - 1) / 0.15
        else:
            yield from (channel / 127.5 - 1 for channel in value.rgb) if value is not None else (0.0, 0.0, 0.0)


_LENGTHS = {
    Person: len(list(_values(identity.individual("man", 0)))),
    Animal: len(list(_values(identity.individual("dog", 0)))),
}
TRAITS = len(KINDS) + sum(_LENGTHS.values())
