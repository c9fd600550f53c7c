"""Variants of a photo to train on: mirrored, turned, far away, close up, with the words that say so in the caption.

Magic-Me (arXiv 2402.09368 v1), section 5.2 and the shares of its published trainer. Where a variant shows what is not
in the photo, its mask is 0.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vcd_ext.hosts.protocols import FACTOR
from vcd_ext.identity.photos.crop import Crop, SubjectBox, crop_mask, crop_picture, random_position, subject_box
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.settings import TrainSettings

FAR, CLOSE = "far away ", "close up "
REDUCED = (1 / 3, 2 / 3)  # far away: the photo's side as a share of the variant's
ENLARGED = (1.2, 1.4)  # close up
LEAST = 0.01  # share of the picture that the subject must fill
TRIES = 8
BACKDROPS = (1, 2, 6)  # random colours along a side: one colour, a gradient, an unfocused picture


class Variant(NamedTuple):
    """pixels: float32 [3, S, S] in [-1, 1]; mask: float32 [S, S] in [0, 1]; prefix: what the caption begins with."""

    pixels: Tensor
    mask: Tensor
    prefix: str


def variant(photo: Photo, settings: TrainSettings, rng: np.random.Generator) -> Variant:
    """Draw one variant of a photo; the same `rng` draws the same.

    Without a mask, all that is in the photo counts as the subject. The share `whole_picture` is the photo's plain
    square with a mask of ones. ValueError if the photo's mask is empty.
    """
    if photo.mask is not None and not photo.mask.any():
        raise ValueError(f"The mask of {photo.name} is empty; mark the subject in it or leave the photo out.")
    height, width = photo.pixels.shape[:2]
    box = subject_box(photo.mask, height, width)
    if rng.random() < settings.whole_picture:
        side = min(height, width)
        crop = Crop(*random_position(side, box, height, width, rng), side, flip=rng.random() < settings.flip)
        return Variant(crop_picture(crop, photo.pixels, settings.size), torch.ones(settings.size, settings.size), "")
    crop, mask, prefix = _random_crop(photo, box, settings, rng)
    pixels = crop_picture(crop, photo.pixels, settings.size)
    if photo.mask is not None and rng.random() < settings.background:
        pixels = mask * pixels + (1 - mask) * _backdrop(settings.size, rng)
    return Variant(pixels, mask, prefix)


def _random_crop(
    photo: Photo, box: SubjectBox, settings: TrainSettings, rng: np.random.Generator
) -> tuple[Crop, Tensor, str]:
    """Draw a crop with enough of the subject in it, its mask and its prefix; after some tries the plain square."""
    height, width = photo.pixels.shape[:2]
    for _ in range(TRIES):
        side, prefix = _distance(box, min(height, width), settings, rng)
        degrees = rng.normal(0, settings.rotate_degrees) if rng.random() < settings.rotate else 0.0
        crop = Crop(*random_position(side, box, height, width, rng), side, degrees, rng.random() < settings.flip)
        mask = crop_mask(crop, photo.mask, height, width, settings.size)
        if mask.mean() >= LEAST:
            return crop, mask, prefix
    side = _plain_side(box, min(height, width))
    crop = Crop(*random_position(side, box, height, width, rng), side, flip=rng.random() < settings.flip)
    return crop, crop_mask(crop, photo.mask, height, width, settings.size), ""


def _distance(box: SubjectBox, short: int, settings: TrainSettings, rng: np.random.Generator) -> tuple[float, str]:
    """Draw the side of a crop, in pixels of a photo whose shorter side is `short`, and the prefix for it."""
    draw, plain = rng.random(), _plain_side(box, short)
    if draw < settings.far:
        return plain / rng.uniform(*REDUCED), FAR
    if draw < settings.far + settings.close:
        # A small subject is come closer to, as long as pixels are not enlarged to twice their size.
        near = min(short, max(1.2 * box.extent, 0.75 * settings.size))
        return near / rng.uniform(*ENLARGED), CLOSE
    return plain, ""


def _plain_side(box: SubjectBox, short: int) -> float:
    """Return the photo's shorter side, or more where the subject is longer than that."""
    return max(float(short), box.extent)


def _backdrop(size: int, rng: np.random.Generator) -> Tensor:
    """Draw another background: [3, size, size] in [-1, 1]."""
    cells = int(rng.choice(BACKDROPS))
    light = rng.uniform(-0.7, 0.7) + rng.normal(0, 0.25, (1, cells, cells))
    hue = rng.normal(0, 0.15, (3, 1, 1)) + rng.normal(0, 0.08, (3, cells, cells))
    colours = torch.from_numpy(light + hue).float()
    return F.interpolate(colours[None], (size, size), mode="bicubic", align_corners=False)[0].clamp(-1, 1)


def latent_mask(mask: Tensor) -> Tensor:
    """Reduce a mask [S, S] in [0, 1] to the latents' size: float32 [S / 8, S / 8], averaged over each cell's area.

    The cells at the subject's edge, in which the VAE mixes it with the background, are taken away. What is thinner
    than that (hair, whiskers) stays, and so does all of a subject so small that a third of it would be lost.
    """
    if mask.shape[-1] % FACTOR or mask.shape[-2] % FACTOR:
        raise ValueError(f"The mask is {list(mask.shape)}; its sides must be multiples of {FACTOR}.")
    cells = F.avg_pool2d(mask.float()[None], FACTOR)
    core = -F.max_pool2d(-cells, 3, stride=1, padding=1)  # the picture's own edge takes nothing away
    reach = F.max_pool2d(core, 3, stride=1, padding=1)
    inner = torch.maximum(core, cells - reach)
    return (inner if 3 * inner.sum() >= 2 * cells.sum() else cells)[0]
