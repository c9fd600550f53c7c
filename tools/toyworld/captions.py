"""What a picture shows, in the words of a prompt: "close up photo of a dog in the snow, running, at night"."""

from __future__ import annotations

import re
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


@dataclass(frozen=True)
class Meaning:
    """What a caption says; None where it says nothing."""

    kind: str | None
    scene: str | None
    action: str | None
    distance: str
    light: str


def caption(kind: str, scene: str, action: str, distance: str, light: str, subject: str | None = None) -> str:
    """Return the full caption; `subject` ("V* dog") replaces "a dog"."""
    parts = [f"{PREFIXES[distance]} {subject or f'a {kind}'} {PLACES[scene]}", action, LIGHT_WORDS[light]]
    return ", ".join(part for part in parts if part)


def variant(text: str, rng: np.random.Generator) -> str:
    """Write the caption as another person might: another first word, or the light or the action left out."""
    head, *details = text.split(", ")
    keep = [part for part in details if rng.random() > (0.15 if part in LIGHT_WORDS.values() else 0.06)]
    choice = rng.random()
    if choice < 0.15:
        head = head.replace("photo of", "picture of")
    elif choice < 0.3:
        head = f"a {head}"
    return ", ".join([head, *keep])


def parse(text: str) -> Meaning:
    """Read a caption back."""
    words = set(re.findall(r"[a-z]+", text.lower()))

    def named(options: tuple[str, ...]) -> str | None:
        return next((option for option in options if option in words), None)

    distance = "close" if "close" in words else "far" if "far" in words else "plain"
    return Meaning(named(KINDS), named(tuple(PLACES)), named(ACTIONS), distance, named(("sunset", "night")) or "day")


def held_out(kind: str, scene: str, action: str) -> bool:
    """Whether no training of the denoiser reads of this together: an eighth of all, each word among them."""
    return (KINDS.index(kind) + 3 * list(PLACES).index(scene) + 2 * ACTIONS.index(action)) % 8 == 0
