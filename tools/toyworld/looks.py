"""What an individual looks like, in words: "a pale woman with long brown hair and red shirt and blue skirt".

Looks are named in nearly every caption: a model that seldom reads a word has no use for it, and vectors between the
words would have nothing to point at.
"""

from __future__ import annotations

import numpy as np

from .identity import CAT_MARKS, DOG_EARS, DOG_MARKS, HATS, MEN_HAIR, WOMEN_HAIR, Animal, Identity, Person
from .palette import CLOTHES, FUR, HAIR, SKIN

MENTIONED, KEPT = 0.85, 0.9  # share of captions that describe, and of the traits that those name


def traits(who: Identity) -> dict[str, str]:
    """Return every trait by its slot, in the order of the words."""
    return _person(who) if isinstance(who, Person) else _animal(who)


def said(who: Identity, rng: np.random.Generator) -> dict[str, str]:
    """Return the traits that one of many people might name."""
    if rng.random() > MENTIONED:
        return {}
    return {slot: words for slot, words in traits(who).items() if rng.random() < KEPT}


def phrase(kind: str, named: dict[str, str]) -> str:
    """Return the subject of a caption: "a dog", or "a tan dog with floppy ears and red scarf"."""
    head = f"{named['coat']} {kind}" if "coat" in named else kind
    others = [words for slot, words in named.items() if slot != "coat"]
    return f"{'an' if head[0] in 'aeiou' else 'a'} {head}" + (f" with {' and '.join(others)}" if others else "")


def options() -> dict[str, list[str]]:
    """Return all that can be said in each slot."""
    colours = [*CLOTHES]
    return {
        "coat": sorted({*SKIN, *FUR}),
        "hair": ["bald head", *(f"{style} {hair} hair" for style in sorted({*MEN_HAIR, *WOMEN_HAIR} - {"bald"})
                                for hair in HAIR)],
        "beard": ["beard"],
        "hat": [f"{colour} {hat}" for colour in colours for hat in sorted(set(HATS) - {"none"})],
        "glasses": ["glasses"],
        "jacket": [f"{colour} jacket" for colour in colours],
        "shirt": [f"{colour} shirt" for colour in colours],
        "stripes": [f"{colour} stripes" for colour in colours],
        "bottom": [f"{colour} {cut}" for colour in colours for cut in ("trousers", "skirt")],
        "marking": [f"{fur} {mark} fur" for fur in FUR for mark in sorted({*DOG_MARKS, *CAT_MARKS} - {"plain"})],
        "ears": [f"{ears} ears" for ears in DOG_EARS],
        "scarf": [f"{colour} scarf" for colour in colours],
    }  # fmt: skip


def words() -> set[str]:
    """Return every word that a description may have."""
    phrases = [text for slot in options().values() for text in slot]
    return {"a", "with", "and", *(word for text in phrases for word in text.split())}


def _animal(who: Animal) -> dict[str, str]:
    found = {"coat": who.fur.name}
    if who.marking != "plain":
        found["marking"] = f"{who.second.name} {who.marking} fur"
    if who.kind == "dog":
        found["ears"] = f"{who.ears} ears"
    if who.scarf is not None:
        found["scarf"] = f"{who.scarf.name} scarf"
    return found


def _person(who: Person) -> dict[str, str]:
    found = {"coat": who.skin.name}
    found["hair"] = "bald head" if who.style == "bald" else f"{who.style} {who.hair.name} hair"
    if who.beard:
        found["beard"] = "beard"
    if who.hat != "none":
        found["hat"] = f"{who.hat_colour.name} {who.hat}"
    if who.glasses:
        found["glasses"] = "glasses"
    if who.pattern == "open":
        found |= {"jacket": f"{who.top.name} jacket", "shirt": f"{who.accent.name} shirt"}
    else:
        found["shirt"] = f"{who.top.name} shirt"
    if who.pattern == "striped":
        found["stripes"] = f"{who.accent.name} stripes"
    found["bottom"] = f"{who.bottom.name} {'trousers' if who.kind == 'man' else 'skirt'}"
    return found
