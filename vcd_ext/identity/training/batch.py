"""Batches of a training: entries of the latent cache, noise levels and noise, drawn by (seed, step, sample)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.identity.training.latent_cache import LatentCache
from vcd_ext.identity.training.randomness import ORDER, SAMPLE, VALIDATION, generator, normal
from vcd_ext.identity.training.schedule import add_noise, prediction_target
from vcd_ext.settings import TrainSettings

VALIDATION_SAMPLES = 8  # samples of a validation, which are forward passes only: the work of a training step of 3


class NoiseSchedules(NamedTuple):
    """The noise schedules [1000] of which each sample uses one, and what the UNet predicts."""

    alphas_cumprod: tuple[Tensor, ...]
    prediction_type: str


class Batch(NamedTuple):
    """B noisy latents and what should be predicted for them; on the CPU, float32."""

    noisy: Tensor  # [B, 4, h, w]
    times: Tensor  # int64 [B]
    target: Tensor  # [B, 4, h, w]
    mask: Tensor  # [B, h, w] in [0, 1]
    captions: tuple[str, ...]


class _Sample(NamedTuple):
    entry: int  # of the cache
    latent: Tensor  # [4, h, w]
    noise: Tensor  # [4, h, w]
    time: int
    alpha_bar: Tensor  # of that time, []


def training_batch(cache: LatentCache, settings: TrainSettings, schedules: NoiseSchedules, step: int) -> Batch:
    """Draw the batch of one step: every photo once before one comes again, each as a random variant."""
    samples = [_training_sample(cache, settings, schedules, step, i) for i in range(settings.batch)]
    return _batch(cache, settings, schedules, samples)


def validation_batch(cache: LatentCache, settings: TrainSettings, schedules: NoiseSchedules) -> Batch:
    """Make a batch that is the same at every step: photos in turn, even noise levels, no noise offset."""
    samples = []
    for i in range(VALIDATION_SAMPLES):
        entry = i % cache.photos * cache.variants + i // cache.photos % cache.variants
        schedule = schedules.alphas_cumprod[i % len(schedules.alphas_cumprod)]
        time = (2 * i + 1) * len(schedule) // (2 * VALIDATION_SAMPLES)
        noise = normal(generator(settings.seed, VALIDATION, i), *cache.mean.shape[1:])
        samples.append(_Sample(entry, cache.mean[entry].float(), noise, time, schedule[time]))
    return _batch(cache, settings, schedules, samples)


def caption(prefix: str, settings: TrainSettings) -> str:
    """Return a picture's text in training; a prompt calls the identity with the same words."""
    return f"{prefix}photo of {settings.name} {settings.class_word}"


def _training_sample(
    cache: LatentCache, settings: TrainSettings, schedules: NoiseSchedules, step: int, i: int
) -> _Sample:
    epoch, place = divmod(step * settings.batch + i, cache.photos)
    photo = int(generator(settings.seed, ORDER, epoch).permutation(cache.photos)[place])
    rng = generator(settings.seed, SAMPLE, step, i)
    entry = photo * cache.variants + int(rng.integers(cache.variants))
    schedule = schedules.alphas_cumprod[int(rng.integers(len(schedules.alphas_cumprod)))]
    time = int(rng.integers(len(schedule)))
    shape = cache.mean.shape[1:]
    latent = cache.mean[entry].float() + cache.std[entry].float() * normal(rng, *shape)
    noise = normal(rng, *shape) + settings.noise_offset * normal(rng, shape[0], 1, 1)
    return _Sample(entry, latent, noise, time, schedule[time])


def _batch(cache: LatentCache, settings: TrainSettings, schedules: NoiseSchedules, samples: Sequence[_Sample]) -> Batch:
    entries = [sample.entry for sample in samples]
    latents, noise = torch.stack([s.latent for s in samples]), torch.stack([s.noise for s in samples])
    alpha_bar = torch.stack([s.alpha_bar for s in samples])
    return Batch(
        add_noise(latents, noise, alpha_bar),
        torch.tensor([s.time for s in samples]),
        prediction_target(latents, noise, alpha_bar, schedules.prediction_type),
        cache.mask[entries],
        tuple(caption(cache.prefixes[entry], settings) for entry in entries),
    )
