"""The captions that trainings read: another one each time that a clip comes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor
from transformers import CLIPTokenizer

from .identity import Identity
from .looks import traits
from .named import LENGTHS, LETTER, SHARES
from .spec import sample

DROPPED = 0.1  # share of captions that say nothing, for guidance


class Caption(NamedTuple):
    """A caption, the looks it says of each subject, and whom it calls by names of `length` vectors; in its order."""

    text: str
    looks: list[dict[str, str]]
    people: list[Identity]
    length: int


def captioned(number: int, rng: np.random.Generator, share: float) -> Caption:
    """Return a caption of clip `number` of the training split; with probability `share` it calls subjects by names."""
    if rng.random() >= share:
        return Caption(*worded(number, rng), [], 0)
    length = int(rng.choice(LENGTHS, p=SHARES))
    text, people = sample(number, "train").called(rng, " ".join([LETTER] * length))
    return Caption(text, [traits(who) for who in people], people, length)


def worded(number: int, rng: np.random.Generator) -> tuple[str, list[dict[str, str]]]:
    """Return a caption of clip `number` of the training split and the looks it names; now and then "" for guidance."""
    return ("", []) if rng.random() < DROPPED else sample(number, "train").said(rng)


def tokenized(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Return token ids [B, 77]."""
    return tokenizer(texts, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids
