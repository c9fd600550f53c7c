"""Prompts with embeddings, as the text encoder reads them.

The layout of tokens is the WebUI's: chunks of 75 between a start and an end token, and the vectors of an embedding
in the places of its name. They are put over the token embeddings, so nothing is added to tokenizer or encoder.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from vcd_ext.identity.naming import word

CHUNK = 75

Token = int | Tensor  # a token's id, or a vector [width] that stands in its place


class Prompts:
    """A CLIP text encoder with its tokenizer (transformers' CLIPTextModel and CLIPTokenizer)."""

    def __init__(self, text_encoder: Any, tokenizer: Any):
        self.text_encoder = text_encoder
        self.tokenizer = tokenizer

    @property
    def width(self) -> int:
        """Values of one vector: 768 in SD1.5."""
        return int(self.text_encoder.config.hidden_size)

    def encode(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        """The text condition [1, 77 * chunks, width] of a prompt.

        embeddings: vectors [k, width] by name; gradients flow into them. Prompts are plain text: weights such as
        "(word:1.2)" are the WebUI's syntax and mean nothing here.
        """
        return torch.cat([self._encode(chunk) for chunk in self._chunks(prompt, embeddings)], dim=1)

    def _chunks(self, prompt: str, embeddings: Mapping[str, Tensor]) -> list[list[Token]]:
        chunks: list[list[Token]] = [[]]
        for group in self._groups(prompt, embeddings):
            if len(chunks[-1]) + len(group) > CHUNK:
                chunks.append([])
            chunks[-1] += group
        return chunks

    def _groups(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Iterator[list[Token]]:
        """Tokens one by one, and the vectors of an embedding together."""
        by_name = {name.lower(): list(vectors) for name, vectors in embeddings.items()}
        # The longest first: of "ann" and "ann lee" the prompt means the one that fits more of it.
        names = "|".join(map(word, sorted(by_name, key=len, reverse=True)))
        for part in re.split(f"({names})", prompt, flags=re.IGNORECASE) if names else [prompt]:
            if part.lower() in by_name:
                yield by_name[part.lower()]
            else:
                yield from ([token] for token in self._ids(part))

    def _ids(self, text: str) -> list[Token]:
        # Not verbose: it would warn of prompts longer than one chunk.
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)

    def _encode(self, chunk: list[Token]) -> Tensor:
        start, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        tokens = [start, *chunk, *[end] * (CHUNK + 1 - len(chunk))]
        ids = [token if isinstance(token, int) else end for token in tokens]
        with _replaced(self.text_encoder.get_input_embeddings(), tokens):
            return self.text_encoder(torch.tensor([ids], device=self.text_encoder.device)).last_hidden_state


@contextmanager
def _replaced(table: Any, tokens: list[Token]) -> Iterator[None]:
    """Within this context the table of token embeddings gives the vectors that stand among the tokens."""

    def put(_module: Any, _ids: Any, looked_up: Tensor) -> Tensor:
        looked_up = looked_up.clone()
        for place, token in enumerate(tokens):
            if isinstance(token, Tensor):
                looked_up[0, place] = token
        return looked_up

    hook = table.register_forward_hook(put)
    try:
        yield
    finally:
        hook.remove()
