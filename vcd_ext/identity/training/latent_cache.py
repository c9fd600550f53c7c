"""The latent cache: variants of the photos, encoded once, so that the VAE's memory is free for training.

Kept are the means and deviations of the VAE's posterior, from which each step samples anew. A mirrored or resized
latent is not the latent of a mirrored or resized picture, so variants are made of pixels.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vcd_ext.hosts.protocols import TrainingHost
from vcd_ext.identity.photos.augment import latent_mask, variant
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training.randomness import VARIANT, generator
from vcd_ext.settings import TrainSettings
from vcd_ext.storage import record

MOST = 1024  # entries; with many photos each has fewer variants


@dataclass(frozen=True)
class LatentCache:
    """N entries on the CPU; those of a photo lie together, equally many for each.

    mean, std: float16 [N, 4, h, w], scaled for the UNet. mask: float32 [N, h, w] in [0, 1]. prefixes: what the
    caption begins with, one for each entry.
    """

    mean: Tensor
    std: Tensor
    mask: Tensor
    prefixes: tuple[str, ...]
    photos: int

    @property
    def variants(self) -> int:
        """Entries of each photo."""
        return len(self.prefixes) // self.photos


def variants(photos: int, settings: TrainSettings) -> int:
    """Return the number of variants of each photo."""
    return min(settings.variants, max(MOST // photos, 1))


def encode(
    host: TrainingHost, photos: Sequence[Photo], settings: TrainSettings, going_on: Callable[[int], bool]
) -> LatentCache | None:
    """Make the cache; None if it was stopped. going_on: told the number of finished entries, says whether to go on.

    ValueError for a photo of which the VAE makes NaN.
    """
    mean, std, mask = [], [], []
    prefixes: list[str] = []
    for i, photo in enumerate(photos):
        for j in range(variants(len(photos), settings)):
            if not going_on(len(prefixes)):
                return None
            made = variant(photo, settings, generator(settings.seed, VARIANT, i, j))
            posterior = host.encode(made.pixels[None])  # one by one: the VAE's memory grows with the batch
            if not (posterior.mean.isfinite().all() and posterior.std.isfinite().all()):
                raise ValueError(f"The VAE made NaN of {photo.name}; load it in float32 (--no-half-vae).")
            mean.append(posterior.mean[0].half())
            std.append(posterior.std[0].half())
            mask.append(latent_mask(made.mask))
            prefixes.append(made.prefix)
    return LatentCache(torch.stack(mean), torch.stack(std), torch.stack(mask).float(), tuple(prefixes), len(photos))


def save(cache: LatentCache, path: Path, fingerprint: str) -> None:
    """Write the cache of the run that `fingerprint` describes; OSError in a sentence if it cannot be written."""
    described = {"key": fingerprint, "prefixes": json.dumps(cache.prefixes), "photos": str(cache.photos)}
    record.write(path, {"mean": cache.mean, "std": cache.std, "mask": cache.mask}, described)


def load(path: Path, fingerprint: str) -> LatentCache | None:
    """Load the cache at `path`; None if there is none of this run, for then it is made again."""
    try:
        described, tensors = record.read(path)
        if described["key"] != fingerprint:
            return None
        prefixes = tuple(json.loads(described["prefixes"]))
        return LatentCache(tensors["mean"], tensors["std"], tensors["mask"], prefixes, int(described["photos"]))
    except (KeyError, ValueError):
        return None
