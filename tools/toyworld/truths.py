"""What a caption says, as numbers that a network can be asked for."""

from __future__ import annotations

from .captions import DISTANCES, LIGHT_WORDS, PLACES, parse
from .identity import KINDS
from .looks import options
from .motion import ACTIONS

UNSAID = "-"
_LOOKS = {slot: [UNSAID, *phrases] for slot, phrases in options().items()}
QUESTIONS: dict[str, list[str]] = {
    "kind": [UNSAID, *KINDS],
    "kind2": [UNSAID, *KINDS],
    "scene": [UNSAID, *PLACES],
    "action": [UNSAID, *ACTIONS],
    "distance": [*DISTANCES],
    "light": [*LIGHT_WORDS],
    "facing": [UNSAID, "-1", "1"],
    "left": [UNSAID, *KINDS],
    **_LOOKS,
    **{f"{slot}2": phrases for slot, phrases in _LOOKS.items()},
}


def answers(text: str, named: list[dict[str, str]]) -> list[int]:
    """Return the index of the right answer to each of QUESTIONS.

    `text` is a caption ("" says nothing), `named` the looks of its one or two subjects in the order of the words.
    """
    meaning = parse(text)
    looks = [*(named if text else []), {}, {}]
    left = next((word for word in KINDS if f"the {word} on the left" in text), UNSAID)
    said = {
        "kind": meaning.kinds[0] if meaning.kinds else UNSAID,
        "kind2": meaning.kinds[1] if len(meaning.kinds) > 1 else UNSAID,
        "scene": meaning.scene or UNSAID,
        "action": meaning.action or UNSAID,
        "distance": meaning.distance,
        "light": meaning.light,
        "facing": str(meaning.facing) if meaning.facing else UNSAID,
        "left": left,
        **{slot: looks[0].get(slot, UNSAID) for slot in _LOOKS},
        **{f"{slot}2": looks[1].get(slot, UNSAID) for slot in _LOOKS},
    }
    return [choices.index(said[question]) for question, choices in QUESTIONS.items()]
