"""Traits tell individuals apart, and say the same of the same one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tools.toyworld.identity import KINDS, Animal, Person, Shade, individual
from tools.toyworld.traits import TRAITS, traits


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_individuals_have_the_same_traits(kind: str) -> None:
    rows = np.stack([traits(individual(kind, number)) for number in range(200)])
    assert rows.shape == (200, TRAITS)
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() < 1.5
    assert len(np.unique(rows, axis=0)) == 200


def test_one_change_of_clothes_changes_only_its_colour() -> None:
    who = individual("man", 3)
    assert isinstance(who, Person)
    other = replace(who, top=Shade("red", (255, 0, 0)))
    assert (traits(who) != traits(other)).sum() == 3


def test_people_and_animals_use_other_columns() -> None:
    man, dog = traits(individual("man", 3)), traits(individual("dog", 3))
    assert not ((man != 0) & (dog != 0)).any()
    who = individual("dog", 3)
    assert isinstance(who, Animal)
    assert (traits(replace(who, scarf=None)) != traits(replace(who, scarf=Shade("white", (255, 255, 255))))).sum() == 3
