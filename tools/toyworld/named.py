"""Names: the text vectors by which captions of a training call an individual, as a learned identity is called later.

A denoiser that has never seen a vector between "photo of" and the class word makes little of one that is learned there.
Stable Diffusion knows names of many people; this world's networks know a name of each individual that they see: vectors
that are a fixed random projection of its traits, around the vector of its class word, from where an identity's training
starts. What is learned of a held-out individual has its photos alone to go by.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from .identity import KINDS, SPLITS, Identity, individual
from .traits import TRAITS, traits

LETTER = "q"  # no caption has it as a word: each one is the place of one vector of a name
LONGEST = 8
LENGTHS, SHARES = (4, 1, 2, 8), (0.6, 0.15, 0.15, 0.1)  # of the names in captions, in vectors
SPREAD, BLUR = 0.06, 0.015  # standard deviations: of names around the class word, and of what is added in a training
_POPULATION = 300  # individuals of a kind, whose mean is the class word


Called = tuple[list[Identity], int]  # the individuals of a text in the order of its words, and the vectors of a name


class Spoken(NamedTuple):
    """Vectors in place of tokens: each is that of a class word and what is added to it."""

    places: Tensor  # [P] in the flat tokens
    classes: Tensor  # [P], tokens of class words
    added: Tensor  # [P, width]


class Names:
    """The names of all individuals for one tokenizer and width of text vectors."""

    def __init__(self, tokenizer: CLIPTokenizer, width: int) -> None:
        """Draw the projection, always the same one."""
        self.place = tokenizer(LETTER, add_special_tokens=False).input_ids[0]
        self.kinds = {kind: tokenizer(kind, add_special_tokens=False).input_ids[0] for kind in KINDS}
        rows = {kind: np.stack([traits(individual(kind, first + k)) for k in range(_POPULATION)])
                for kind, first in ((kind, SPLITS["train"].start) for kind in KINDS)}  # fmt: skip
        self.means = {kind: row.mean(axis=0) for kind, row in rows.items()}
        spread = np.sqrt(np.mean([row.var(axis=0).sum() for row in rows.values()]))
        rng = np.random.default_rng(4)
        self.projection = rng.standard_normal((LONGEST, width, TRAITS)).astype(np.float32) * np.float32(SPREAD / spread)

    def of(self, who: Identity, length: int) -> Tensor:
        """Return what `length` vectors [length, width] of a name add to that of the class word."""
        return torch.from_numpy(self.projection[:length] @ (traits(who) - self.means[who.kind]))

    def rows(self, tokens: Tensor, called: list[Called], rng: np.random.Generator | None = None) -> Spoken:
        """Return what stands for the names in texts of `tokens` [B, L]; `rng` blurs it."""
        whose = [(who, length) for people, length in called for who in people]
        added = torch.cat([torch.zeros(0, self.projection.shape[1]), *(self.of(*one) for one in whose)])
        if rng is not None:
            added = added + BLUR * torch.from_numpy(rng.standard_normal(added.shape).astype(np.float32))
        classes = torch.tensor([self.kinds[who.kind] for who, length in whose for _ in range(length)], dtype=torch.long)
        places = (tokens.flatten() == self.place).nonzero().flatten()
        if len(places) != len(added):
            raise ValueError(f"texts have {len(places)} places for names, expected {len(added)}")
        return Spoken(places, classes, added)


@contextmanager
def hears(text: CLIPTextModel, names: Spoken) -> Iterator[None]:
    """Let a text encoder read names at their places while the context lasts."""
    embedding = text.get_input_embeddings()

    def replace(_: torch.nn.Module, given: tuple[Tensor, ...], found: Tensor) -> Tensor:
        flat = found.flatten(0, 1)
        words = embedding.weight[names.classes.to(flat.device)].detach()
        return flat.index_copy(0, names.places.to(flat.device), words + names.added.to(flat)).view_as(found)

    handle = embedding.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()
