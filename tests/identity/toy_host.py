"""A host of a few hundred numbers, on which a training takes milliseconds: it learns a colour.

Its VAE averages cells of 8x8 pixels, and its UNet guesses that every latent has the colour that the text tells.
"""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vcd_ext.hosts.protocols import FACTOR, Posterior
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training.schedule import animatediff
from vcd_ext.settings import TrainSettings

WIDTH = 8
# Photos as they are.
PLAIN: dict[str, Any] = {"flip": 0.0, "rotate": 0.0, "far": 0.0, "close": 0.0, "whole_picture": 0.0}
SETTINGS = TrainSettings(
    name="rexy", class_word="dog", size=64, steps=20, seed=3, variants=2, learning_rate=0.02, validate_every=5,
    save_every=4, **PLAIN,
)  # fmt: skip


class ToyHost:
    """A `TrainingHost`. broken: steps, counted from 0, whose predictions are not a number."""

    checkpoint = "toy.safetensors"
    checkpoint_hash = "0123456789"
    device = torch.device("cpu")
    width = WIDTH
    prediction_type = "epsilon"
    alphas_cumprod = animatediff().square()

    def __init__(self, broken: tuple[int, ...] = (), dtype: torch.dtype = torch.float32):
        self.broken, self.dtype = broken, dtype
        self.within = self.encoder_freed = False
        self.encoded = self.steps = 0
        self.calls: list[int] = []  # rows of each prediction with a gradient
        self.weights = torch.randn(WIDTH, 4, generator=torch.Generator().manual_seed(1))
        self.to_latent = torch.randn(4, 3, generator=torch.Generator().manual_seed(2))

    @contextmanager
    def training(self) -> Iterator[None]:
        self.within = True
        try:
            yield
        finally:
            self.within = False

    def encode(self, pictures: Tensor) -> Posterior:
        assert self.within
        assert not self.encoder_freed
        self.encoded += len(pictures)
        mean = torch.einsum("lc,bchw->blhw", self.to_latent, F.avg_pool2d(pictures, FACTOR))
        return Posterior(mean, torch.full_like(mean, 0.01))

    def free_encoder(self) -> None:
        self.encoder_freed = True

    def tokens(self, words: str) -> list[int]:
        return [1929 if word == "dog" else 20_000 + zlib.crc32(word.encode()) % 20_000 for word in words.split()]

    def vectors_of(self, words: str) -> Tensor:
        seeds = (torch.Generator().manual_seed(token) for token in self.tokens(words))
        return torch.stack([0.1 * torch.randn(WIDTH, generator=seed) for seed in seeds])

    def text(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        rows = [embeddings[word] if word in embeddings else self.vectors_of(word) for word in prompt.split()]
        found = torch.tanh(torch.cat(rows))
        return F.pad(found, (0, 0, 0, 77 - len(found)))[None].to(self.dtype)

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        assert self.within
        colour = (text.sum(1).float() @ self.weights)[:, :, None, None]
        alpha_bar = animatediff()[times][:, None, None, None]
        guess = (latents - alpha_bar.sqrt() * colour) / (1 - alpha_bar).clamp(min=0.02).sqrt()
        if torch.is_grad_enabled():
            self.calls.append(len(latents))
            self.steps += 1
            if self.steps - 1 in self.broken:
                return guess * torch.nan
        return guess

    @contextmanager
    def checkpoint_activations(self, every_block: bool) -> Iterator[None]:
        yield

    def free_memory(self) -> int | None:
        return None


def photo(i: int, subject: int = 200, background: int = 30, name: str = "") -> Photo:
    """Return a picture [64, 64] with a grey square as its subject, in a place that depends on `i`."""
    pixels = np.full((64, 64, 3), background, np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    place = slice(8 * (i % 4), 8 * (i % 4) + 32)
    pixels[place, place], mask[place, place] = subject, 255
    return Photo(name or f"{i}.png", pixels, mask, "file")


PHOTOS = [photo(i) for i in range(3)]
