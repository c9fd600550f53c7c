"""What one training step works on: entries of the bank, noise levels and noise, keyed by (seed, step, sample)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.identity.training.latent_cache import Bank
from vcd_ext.identity.training.randomness import GRID, ORDER, SAMPLE, generator, normal
from vcd_ext.identity.training.schedule import noised, target
from vcd_ext.settings import TrainSettings

GRID_SIZE = 8  # samples of a validation, which are forward passes only: the work of a training step of 3


class Levels(NamedTuple):
    """The noise schedules [1000] of which each sample uses one, and what the UNet predicts."""

    schedules: tuple[Tensor, ...]
    prediction_type: str


class Batch(NamedTuple):
    """B noisy latents and what should be predicted for them; on the CPU, float32."""

    noisy: Tensor  # [B, 4, h, w]
    times: Tensor  # int64 [B]
    target: Tensor  # [B, 4, h, w]
    mask: Tensor  # [B, h, w] in [0, 1]
    captions: tuple[str, ...]


class _Sample(NamedTuple):
    entry: int  # of the bank
    latent: Tensor  # [4, h, w]
    noise: Tensor  # [4, h, w]
    time: int
    alpha_bar: Tensor  # of that time, []


def training_batch(bank: Bank, settings: TrainSettings, levels: Levels, step: int) -> Batch:
    """Draw the batch of one step: every photo once before one comes again, each as a random variant."""
    return _batch(bank, settings, levels, [_drawn(bank, settings, levels, step, i) for i in range(settings.batch)])


def validation_batch(bank: Bank, settings: TrainSettings, levels: Levels) -> Batch:
    """Make a batch that is the same at every step: photos in turn, even noise levels, no noise offset."""
    samples = []
    for i in range(GRID_SIZE):
        entry = i % bank.photos * bank.variants + i // bank.photos % bank.variants
        schedule = levels.schedules[i % len(levels.schedules)]
        time = (2 * i + 1) * len(schedule) // (2 * GRID_SIZE)
        noise = normal(generator(settings.seed, GRID, i), *bank.mean.shape[1:])
        samples.append(_Sample(entry, bank.mean[entry].float(), noise, time, schedule[time]))
    return _batch(bank, settings, levels, samples)


def caption(prefix: str, settings: TrainSettings) -> str:
    """Return a picture's text in training; a prompt calls the identity with the same words."""
    return f"{prefix}photo of {settings.name} {settings.class_word}"


def _drawn(bank: Bank, settings: TrainSettings, levels: Levels, step: int, i: int) -> _Sample:
    epoch, place = divmod(step * settings.batch + i, bank.photos)
    photo = int(generator(settings.seed, ORDER, epoch).permutation(bank.photos)[place])
    rng = generator(settings.seed, SAMPLE, step, i)
    entry = photo * bank.variants + int(rng.integers(bank.variants))
    schedule = levels.schedules[int(rng.integers(len(levels.schedules)))]
    time = int(rng.integers(len(schedule)))
    shape = bank.mean.shape[1:]
    latent = bank.mean[entry].float() + bank.std[entry].float() * normal(rng, *shape)
    noise = normal(rng, *shape) + settings.noise_offset * normal(rng, shape[0], 1, 1)
    return _Sample(entry, latent, noise, time, schedule[time])


def _batch(bank: Bank, settings: TrainSettings, levels: Levels, samples: Sequence[_Sample]) -> Batch:
    entries = [sample.entry for sample in samples]
    latents, noise = torch.stack([s.latent for s in samples]), torch.stack([s.noise for s in samples])
    alpha_bar = torch.stack([s.alpha_bar for s in samples])
    return Batch(
        noised(latents, noise, alpha_bar),
        torch.tensor([s.time for s in samples]),
        target(latents, noise, alpha_bar, levels.prediction_type),
        bank.mask[entries],
        tuple(caption(bank.prefixes[entry], settings) for entry in entries),
    )
