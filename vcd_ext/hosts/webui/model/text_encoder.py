"""Encode a prompt with the loaded text encoder, with gradients into the vectors of its embeddings.

What comes out is what the WebUI makes of the same words when the embedding is in its folder; its own way there cannot
be differentiated, and it reads parentheses as weights.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from modules import devices, sd_hijack
from torch import Tensor

CHUNK = 75

Token = int | Tensor  # a token's id, or a vector [width] that stands in its place


class TextEncoder:
    """Encode prompts with the WebUI's CLIP; `skip` is its setting CLIP skip, 1 for the last layer."""

    def __init__(self, clip: Any, skip: int):
        self.clip = clip
        self.skip = skip

    @property
    def table(self) -> Tensor:
        """Return the token embeddings [tokens, width]."""
        weight: Tensor = self._layer.wrapped.weight
        return weight

    def tokens(self, words: str) -> list[int]:
        """Return CLIP's ids of plain words, without start and end."""
        # Not verbose: it would warn of prompts that are too long, which are refused here.
        return list(self.clip.wrapped.tokenizer(words, add_special_tokens=False, verbose=False)["input_ids"])

    def encode(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Return the condition [1, 77, width] of a prompt, in the UNet's type.

        embeddings: vectors [k, width] by the word they stand for. ValueError for a prompt that does not fit.
        """
        row = self._row(prompt, embeddings)
        ids = [self.clip.id_start, *(token if isinstance(token, int) else 0 for token in row)]
        ids += [self.clip.id_end] * (CHUNK + 2 - len(ids))
        with self._replaced(row), devices.autocast():
            return self._transform(torch.tensor([ids], device=devices.device)).to(devices.dtype_unet)

    def _row(self, prompt: str, embeddings: Mapping[str, Tensor]) -> list[Token]:
        """Return the prompt's tokens with the embeddings among them, found as by the WebUI: the longest first."""
        known = [(self.tokens(word), list(vectors)) for word, vectors in embeddings.items()]
        known.sort(key=lambda pair: len(pair[0]), reverse=True)
        left, row = self.tokens(prompt), list[Token]()
        while left:
            ids, tokens = next((pair for pair in known if pair[0] == left[: len(pair[0])]), (left[:1], left[:1]))
            row += tokens
            left = left[len(ids) :]
        if len(row) > CHUNK:
            raise ValueError(f"'{prompt}' is {len(row)} tokens long with its embeddings; at most {CHUNK} fit. Cut it.")
        return row

    @contextmanager
    def _replaced(self, row: list[Token]) -> Iterator[None]:
        """Make the layer of token embeddings, within this context, give the vectors that stand among the tokens."""
        places = [place for place, token in enumerate(row, start=1) if isinstance(token, Tensor)]
        vectors = [token for token in row if isinstance(token, Tensor)]

        def put(_layer: Any, _ids: Any, looked_up: Tensor) -> Tensor:
            index = (torch.zeros_like(at := torch.tensor(places, device=looked_up.device)), at)
            return looked_up.index_put(index, torch.stack(vectors).to(looked_up))

        sd_hijack.model_hijack.fixes = None  # what a generation that failed has left for its next prompt
        hook = self._layer.register_forward_hook(put) if places else None
        try:
            yield
        finally:
            if hook is not None:
                hook.remove()

    def _transform(self, ids: Tensor) -> Tensor:
        transformer = self.clip.wrapped.transformer
        output = transformer(input_ids=ids, output_hidden_states=self.skip > 1)
        if self.skip == 1:
            return output.last_hidden_state
        return transformer.text_model.final_layer_norm(output.hidden_states[-self.skip])

    @property
    def _layer(self) -> Any:
        return self.clip.wrapped.transformer.text_model.embeddings.token_embedding
