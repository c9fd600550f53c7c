"""Square crops of a photo and of its mask: where they lie, and how they are resampled."""

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Pixels = NDArray[np.uint8]
FADE = 0.04  # of the crop's side


class Crop(NamedTuple):
    """A crop in pixels of the photo, before it is turned around its middle; it may reach beyond the photo."""

    left: float
    top: float
    side: float
    degrees: float = 0.0
    flip: bool = False


class SubjectBox(NamedTuple):
    """A rectangle in pixels of the photo."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def extent(self) -> float:
        """The longer side."""
        return max(self.right - self.left, self.bottom - self.top)


def subject_box(mask: Pixels | None, height: int, width: int) -> SubjectBox:
    """Return the subject's box with a little air around it; without a mask, in the middle.

    mask: [H, W], 255 = subject, not empty. One hundredth of it may lie beyond each side, so that specks count little.
    """
    if mask is None:
        reach = 0.3 * min(height, width)
        return SubjectBox(width / 2 - reach, height / 2 - reach, width / 2 + reach, height / 2 + reach)
    left, right = _span(mask.sum(axis=0, dtype=np.int64))
    top, bottom = _span(mask.sum(axis=1, dtype=np.int64))
    return SubjectBox(left, top, right, bottom)


def _span(weights: NDArray[np.int64]) -> tuple[float, float]:
    shares = np.cumsum(weights) / weights.sum()
    first, last = (float(place) for place in np.searchsorted(shares, [0.01, 0.99]))
    air = 0.05 * (last + 1 - first)
    return max(0.0, first - air), min(float(len(weights)), last + 1 + air)


def random_position(
    side: float, box: SubjectBox, height: int, width: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Draw left and top of a crop that the subject is in, or that a larger subject fills.

    A crop larger than the photo has all of the photo in it. Of a subject that is too tall the upper part is
    taken: most have their face there.
    """
    left = rng.uniform(*_starts(side, box.left, box.right, width))
    low, high = _starts(side, box.top, box.bottom, height)
    too_tall = side < min(height, box.bottom - box.top)
    return left, rng.uniform(low, (low + high) / 2 if too_tall else high)


def _starts(side: float, first: float, last: float, length: int) -> tuple[float, float]:
    """Return the range in which a crop may begin on an axis, for a subject from `first` to `last`."""
    if side >= length:
        return length - side, 0.0
    low, high = max(0.0, last - side), min(first, length - side)
    return min(low, high), max(low, high)


def crop_picture(crop: Crop, pixels: Pixels, size: int) -> Tensor:
    """Cut a crop out of uint8 [H, W, 3]: float32 [3, size, size] in [-1, 1].

    Beyond the photo's edges it is mirrored; in a crop that is larger than the photo this soon fades into a blurred
    field, so that no frame is seen.
    """
    height, width = pixels.shape[:2]
    source = _reduced(pixels, size / crop.side, Image.Resampling.LANCZOS).permute(2, 0, 1)[None]
    grid = _grid(crop, height, width, size)
    seen = F.grid_sample(source, grid, mode="bicubic", padding_mode="reflection", align_corners=False)[0]
    if crop.side > min(height, width):
        shown = (_depth(grid, crop, height, width, size) / (FADE * size) + 1).clamp(0, 1).prod(dim=-1)
        seen = shown * seen + (1 - shown) * _blurred_backdrop(pixels, size)
    return seen.clamp(0, 255) / 127.5 - 1


def crop_mask(crop: Crop, mask: Pixels | None, height: int, width: int, size: int) -> Tensor:
    """Cut a crop out of a mask uint8 [H, W]; None is all of the photo. float32 [size, size] in [0, 1].

    Zero beyond the photo.
    """
    grid = _grid(crop, height, width, size)
    inside = (_depth(grid, crop, height, width, size) + 0.5).clamp(0, 1).prod(dim=-1)
    if mask is None:
        return inside
    source = _reduced(mask, size / crop.side, Image.Resampling.BOX)[None, None]
    seen = F.grid_sample(source, grid, mode="bilinear", padding_mode="border", align_corners=False)[0, 0]
    return (seen / 255 * inside).clamp(0, 1)


def _grid(crop: Crop, height: int, width: int, size: int) -> Tensor:
    """Return the place of each of the crop's pixels in the photo: [1, size, size, 2], its edges at -1 and 1."""
    cos, sin = math.cos(math.radians(crop.degrees)), math.sin(math.radians(crop.degrees))
    across, down = crop.side / width, crop.side / height
    mirror = -1 if crop.flip else 1
    x, y = 2 * crop.left / width + across - 1, 2 * crop.top / height + down - 1
    theta = torch.tensor([[across * cos * mirror, -across * sin, x], [down * sin * mirror, down * cos, y]])
    return F.affine_grid(theta.float()[None], [1, 1, size, size], align_corners=False)


def _depth(grid: Tensor, crop: Crop, height: int, width: int, size: int) -> Tensor:
    """Return the distance of the crop's pixels to the photo's edges, across and down: [size, size, 2], pixels."""
    half = torch.tensor([width, height]) * (size / crop.side / 2)
    return (1 - grid[0].abs()) * half


def _reduced(pixels: Pixels, factor: float, resampling: Image.Resampling) -> Tensor:
    """Reduce the photo to the crop's scale where that is smaller, by the mean of areas; float32 [H, W(, 3)]."""
    if factor < 1:
        height, width = (max(1, round(length * factor)) for length in pixels.shape[:2])
        pixels = np.asarray(Image.fromarray(pixels).resize((width, height), resampling))
    return torch.from_numpy(pixels.astype(np.float32))


def _blurred_backdrop(pixels: Pixels, size: int) -> Tensor:
    """Blur the photo beyond recognition and stretch it to a square: float32 [3, size, size], 0 to 255."""
    small = Image.fromarray(pixels).resize((4, 4), Image.Resampling.BOX).resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(small, np.float32)).permute(2, 0, 1)
