"""What a picture shows, in the words of a prompt.

"close up photo of a dog in the snow, running, facing left, at night"; looks stand behind the class: "a pale woman with
long brown hair and a red shirt". Every word of a caption is true; training leaves some of them out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .identity import KINDS
from .motion import ACTIONS

PLACES = {
    "beach": "on the beach",
    "desert": "in the desert",
    "meadow": "in a meadow",
    "forest": "in a forest",
    "snow": "in the snow",
    "street": "on a street",
    "room": "in a room",
    "kitchen": "in a kitchen",
}
PREFIXES = {"close": "close up photo of", "plain": "photo of", "far": "far away photo of"}
LIGHT_WORDS = {"day": "", "sunset": "at sunset", "night": "at night"}
DISTANCES = tuple(PREFIXES)
FACINGS = {-1: "facing left", 1: "facing right"}


@dataclass(frozen=True)
class Meaning:
    """What a caption says; None where it says nothing. `kinds` are the subjects in the order of the words."""

    kinds: tuple[str, ...]
    scene: str | None
    action: str | None
    distance: str
    light: str
    facing: int | None


def caption(
    subjects: Sequence[str], scene: str, action: str, distance: str, light: str, facing: int = 0, left: str = ""
) -> str:
    """Write the full caption. `subjects` are one or two phrases ("a dog", "V* dog"); `left` names who is on the left.

    `facing` -1, 1 or 0, which is not said.
    """
    parts = [f"{PREFIXES[distance]} {' and '.join(subjects)} {PLACES[scene]}", action]
    parts += [FACINGS[facing]] if facing else []
    parts += [f"the {left} on the left"] if left else []
    return ", ".join(part for part in [*parts, LIGHT_WORDS[light]] if part)


def variant(text: str, rng: np.random.Generator) -> str:
    """Write the same caption as another person might type it: other first words, or some of the last left out."""
    head, *details = text.split(", ")
    drop = {"at sunset": 0.1, "at night": 0.1, "facing left": 0.25, "facing right": 0.25}
    keep = [part for part in details if rng.random() > drop.get(part, 0.04)]
    choice = rng.random()
    if choice < 0.1:
        head = head.replace("photo of", "picture of")
    elif choice < 0.2:
        head = f"a {head}"
    return ", ".join([head, *keep])


def parse(text: str) -> Meaning:
    """Read a caption back."""
    words = re.findall(r"[a-z]+", text.lower().split(" on the left")[0])
    known = set(words)

    def named(options: tuple[str, ...]) -> str | None:
        return next((option for option in options if option in known), None)

    distance = "close" if "close" in known else "far" if "far" in known else "plain"
    kinds = tuple(word for word in re.findall(r"[a-z]+", text.lower().split(",")[0]) if word in KINDS)
    facing = -1 if "facing left" in text else 1 if "facing right" in text else None
    light = named(("sunset", "night")) or "day"
    return Meaning(kinds, named(tuple(PLACES)), named(ACTIONS), distance, light, facing)


def held_out(kind: str, scene: str, action: str) -> bool:
    """Return whether no training of the denoiser reads of this together: an eighth of all, each word among them."""
    return (KINDS.index(kind) + 3 * list(PLACES).index(scene) + 2 * ACTIONS.index(action)) % 8 == 0
