"""Prompts with embeddings, as the text encoder reads them: the WebUI's weights, chunks and places of embeddings.

A prompt is encoded in chunks of 75 tokens between a start and an end token; the vectors of an embedding stand in the
places of its name's tokens. They are put over the token embeddings, so nothing is added to tokenizer or encoder.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from vcd_ext.prompt import BREAK, weighted
from vcd_ext.prompt.emphasis import ENDS_CHUNK

CHUNK = 75
BACKTRACK = 20  # how far back the comma may be, at whose place a full chunk is divided; the WebUI's default

Token = int | Tensor  # a token's id, or a vector [width] that stands in its place


@dataclass
class Chunk:
    """Up to 75 tokens with their weights."""

    tokens: list[Token] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    comma: int | None = None  # where the last one is

    def add(self, tokens: Sequence[Token], weight: float) -> None:
        """Put tokens of one weight at the end."""
        self.tokens += tokens
        self.weights += [weight] * len(tokens)

    def cut(self) -> "Chunk":
        """Cut off what follows the last comma as a new chunk, if that is near enough; else an empty one."""
        if self.comma is None or len(self.tokens) - self.comma > BACKTRACK:
            return Chunk()
        begin = self.comma + 1
        moved = Chunk(self.tokens[begin:], self.weights[begin:])
        del self.tokens[begin:], self.weights[begin:]
        return moved


class Prompts:
    """A CLIP text encoder with its tokenizer (transformers' CLIPTextModel and CLIPTokenizer)."""

    def __init__(self, text_encoder: Any, tokenizer: Any):
        self.text_encoder = text_encoder
        self.tokenizer = tokenizer
        self._comma = tokenizer.get_vocab().get(",</w>")

    @property
    def width(self) -> int:
        """Values of one vector: 768 in SD1.5."""
        return int(self.text_encoder.config.hidden_size)

    def encode(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Encode a prompt to its condition [1, 77 * chunks, width].

        embeddings: vectors [k, width] by name; gradients flow into them. Of the WebUI's syntax this reads emphasis and
        BREAK; what changes by the step or is joined by AND has been taken apart before (`vcd_ext.prompt`).
        """
        return self.encode_together([prompt], embeddings)

    def encode_together(self, prompts: Sequence[str], embeddings: Mapping[str, Tensor]) -> Tensor:
        """Encode the texts of one prompt's steps to conditions [n, 77 * chunks, width], all of one length.

        As in the WebUI their weights share one norm, and the shorter ones are filled with empty chunks.
        """
        rows = [self.chunks(prompt, embeddings) for prompt in prompts]
        count = max(map(len, rows))
        for row in rows:
            row += [Chunk() for _ in range(count - len(row))]
        return torch.cat([self._encode([row[i] for row in rows]) for i in range(count)], dim=1)

    def chunks(self, prompt: str, embeddings: Mapping[str, Tensor]) -> list[Chunk]:
        """Divide a prompt's tokens into chunks as the WebUI does.

        A chunk that is full gives what follows its last comma to the next one, if that comma is at most 20 tokens back.
        """
        known = self._known(embeddings)
        done, chunk = list[Chunk](), Chunk()
        for text, weight in weighted(prompt):
            if (text, weight) == (BREAK, ENDS_CHUNK):
                done.append(chunk)
                chunk = Chunk()
                continue
            ids = self.ids(text)
            place = 0
            while place < len(ids):
                length, tokens = _found(ids, place, known)
                if ids[place] == self._comma:
                    chunk.comma = len(chunk.tokens)
                elif len(chunk.tokens) == CHUNK:
                    done.append(chunk)
                    chunk = chunk.cut()
                if len(chunk.tokens) + len(tokens) > CHUNK:
                    done.append(chunk)
                    chunk = Chunk()
                chunk.add(tokens, weight)
                place += length
        return [*done, chunk] if chunk.tokens or not done else done

    def ids(self, text: str) -> list[int]:
        """Tokenise plain words to CLIP's ids, without start and end."""
        # Not verbose: it would warn of prompts longer than one chunk.
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids)

    def _known(self, embeddings: Mapping[str, Tensor]) -> list[tuple[list[int], list[Token]]]:
        """Return the ids of names and the vectors that stand for them, the longest first: `ann lee` before `ann`."""
        known = [(self.ids(name), list[Token](vectors)) for name, vectors in embeddings.items()]
        return sorted((pair for pair in known if pair[0]), key=lambda pair: -len(pair[0]))

    def _encode(self, chunks: Sequence[Chunk]) -> Tensor:
        """Encode n chunks to conditions [n, 77, width]."""
        start, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        rows = [[start, *chunk.tokens, *[end] * (CHUNK + 1 - len(chunk.tokens))] for chunk in chunks]
        ids = [[token if isinstance(token, int) else end for token in row] for row in rows]
        device = self.text_encoder.device
        with _replaced(self.text_encoder.get_input_embeddings(), rows):
            encoded: Tensor = self.text_encoder(torch.tensor(ids, device=device)).last_hidden_state
        weights = [[1.0, *chunk.weights, *[1.0] * (CHUNK + 1 - len(chunk.tokens))] for chunk in chunks]
        return _emphasised(encoded, torch.tensor(weights, device=device))


def _found(
    ids: Sequence[int], place: int, known: Sequence[tuple[list[int], list[Token]]]
) -> tuple[int, Sequence[Token]]:
    """Count the ids taken from `place` on, with what stands for them: an embedding's vectors, or the id."""
    for name, vectors in known:
        if ids[place : place + len(name)] == name:
            return len(name), vectors
    return 1, [ids[place]]


def _emphasised(encoded: Tensor, weights: Tensor) -> Tensor:
    """Multiply conditions [n, 77, width] by weights [n, 77], keeping the mean that they had."""
    if (weights == 1).all():
        return encoded
    emphasised = encoded * weights[..., None]
    return (emphasised * (encoded.mean() / emphasised.mean())).to(encoded.dtype)


@contextmanager
def _replaced(table: Any, rows: Sequence[Sequence[Token]]) -> Iterator[None]:
    """Let the table of token embeddings give the vectors that stand among the tokens within this context."""

    def put(_module: Any, _ids: Any, looked_up: Tensor) -> Tensor:
        looked_up = looked_up.clone()
        for i, row in enumerate(rows):
            for place, token in enumerate(row):
                if isinstance(token, Tensor):
                    looked_up[i, place] = token
        return looked_up

    hook = table.register_forward_hook(put)
    try:
        yield
    finally:
        hook.remove()
