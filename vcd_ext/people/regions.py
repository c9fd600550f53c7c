"""Regions of a picture: words such as `left` or `top third`, or boxes, with soft borders.

They may move over a video, from box to box, or have masks for each frame.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

BORDER = 0.1  # over which one region goes over into the next, as a share of the picture's side
BASE = 0.2  # of the text of the whole picture that is heard in a region as well
SMALLEST = 0.05  # side of a box, as a share of the picture's


class RegionBox(NamedTuple):
    """Describe a rectangle, in shares of the picture's width and height from the left and from the top."""

    left: float
    top: float
    right: float
    bottom: float


WHOLE = RegionBox(0.0, 0.0, 1.0, 1.0)
WORDS = ("left", "right", "top", "bottom", "centre", "left third", "middle third", "right third", "top third",
         "bottom third", "top left", "top right", "bottom left", "bottom right", "whole")  # fmt: skip
_CENTRE = ("centre", "center", "middle")
_SIDES = {"left": 0, "right": 0, "top": 1, "bottom": 1}
_KNOWN = {*_SIDES, *_CENTRE, "half", "third", "whole"}
STRIPS = {
    0: (),
    1: (WHOLE,),
    2: (RegionBox(0, 0, 0.5, 1), RegionBox(0.5, 0, 1, 1)),
    3: tuple(RegionBox(i / 3, 0, (i + 1) / 3, 1) for i in range(3)),
}


def parse_box(text: str, line: str) -> RegionBox:
    """Read a region: words of `WORDS`, or `0.1 0.2 0.5 0.9` for left, top, right and bottom.

    line: what is quoted in errors. ValueError, in one sentence, for what is no region of the picture.
    """
    words = text.lower().split()
    if set(words) <= _KNOWN and (box := _of_words(words)) is not None:
        return box
    try:
        numbers = [float(number) for number in re.split(r"[\s,]+", text.strip())]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ValueError(
            f"People has the line '{line}', whose region '{text}' is unknown; choose one of {', '.join(WORDS)}, or "
            "give left, top, right and bottom from 0 to 1, such as '@ 0.1 0.2 0.5 0.9'."
        )
    box = RegionBox(*numbers)
    if min(box) < 0 or max(box) > 1:
        raise ValueError(
            f"People has the line '{line}', whose region reaches outside of the picture; left, top, right and bottom "
            "are from 0 to 1."
        )
    if box.right - box.left < SMALLEST or box.bottom - box.top < SMALLEST:
        raise ValueError(
            f"People has the line '{line}', whose region is empty or too small; right is beyond left and bottom beyond "
            f"top by at least {SMALLEST:g}."
        )
    return box


def _of_words(words: Sequence[str]) -> RegionBox | None:
    """Return what words mean together; None if they mean nothing."""
    if words == ["whole"]:
        return WHOLE
    sides = [word for word in words if word in _SIDES]
    sizes = [word for word in words if word in ("half", "third")]
    centred = any(word in _CENTRE for word in words)
    if "whole" in words or len(sizes) > 1 or len(sides) != len({_SIDES[side] for side in sides}) or len(words) > 3:
        return None
    if centred:
        return RegionBox(1 / 3, 0, 2 / 3, 1) if not sides and sizes != ["half"] else None
    if not sides:
        return None
    share = 1 / 3 if sizes == ["third"] else 1 / 2
    spans = [(0.0, 1.0), (0.0, 1.0)]
    for side in sides:
        spans[_SIDES[side]] = (0.0, share) if side in ("left", "top") else (1 - share, 1.0)
    (left, right), (top, bottom) = spans
    return RegionBox(left, top, right, bottom)


def along(path: Sequence[RegionBox], frame: int, frames: int) -> RegionBox:
    """Return where a region is in a frame of so many, if it moves evenly from box to box over all of them."""
    way = (len(path) - 1) * frame / max(frames - 1, 1)
    begun = min(int(way), len(path) - 1)
    one, other, share = path[begun], path[min(begun + 1, len(path) - 1)], way - begun
    return RegionBox(*((1 - share) * here + share * there for here, there in zip(one, other, strict=True)))


class Regions:
    """Say how much each region counts at each place of the picture: soft boxes, which may move, or masks of the frames.

    Where regions overlap they share; `base` of every place belongs to the text of the whole picture at least, and all
    of what lies outside.
    """

    def __init__(
        self,
        paths: Sequence[Sequence[RegionBox]],
        masks: Tensor | None = None,
        *,
        border: float = BORDER,
        base: float = BASE,
    ):
        """Take the boxes of each region, one after the other, one where it stays; or masks [F, people, h, w] in [0, 1]
        of any size, where they are known.

        border: width of the soft edge as a share of the picture's side. base: from 0 to 1.
        """
        self.paths, self.masks, self.border, self.base = tuple(map(tuple, paths)), masks, border, base

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.paths)

    def shares(self, height: int, width: int, frames: int = 1) -> Tensor:
        """Return float32 [frames, 1 + people, height, width], the base's first; they sum to 1 at each place.

        frames: of the video; 1 come back where all are alike.
        """
        if self.masks is not None:
            weights = F.interpolate(self.masks.float(), (height, width), mode="area").clamp(0, 1)
        else:
            moving = range(frames) if any(len(path) > 1 for path in self.paths) else range(1)
            weights = torch.stack([self.weights(height, width, frame, frames) for frame in moving])
        people = (1 - self.base) * weights / weights.sum(dim=1, keepdim=True).clamp(min=1)
        return torch.cat([1 - people.sum(dim=1, keepdim=True), people], dim=1)

    def weights(self, height: int, width: int, frame: int = 0, frames: int = 1) -> Tensor:
        """Return how much each covers each place of a frame by itself: float32 [people, height, width] in [0, 1]."""
        return torch.stack([self._soft(along(path, frame, frames), height, width) for path in self.paths])

    def _soft(self, box: RegionBox, height: int, width: int) -> Tensor:
        """Return how much a box covers each place, [height, width]."""
        down = _rise(height, box.top, self.border) * (1 - _rise(height, box.bottom, self.border))
        across = _rise(width, box.left, self.border) * (1 - _rise(width, box.right, self.border))
        return torch.outer(down, across)


def _rise(places: int, edge: float, border: float) -> Tensor:
    """Return a raised cosine [places] that goes from 0 to 1 around an edge, at which it is a half.

    An edge of the picture is no border: there it is 0 or 1 at once.
    """
    middles = (torch.arange(places) + 0.5) / places
    if edge <= 0 or edge >= 1:
        return torch.full((places,), float(edge <= 0))
    if not border:
        return (middles >= edge).float()
    return (1 - torch.cos(math.pi * ((middles - edge) / border + 0.5).clamp(0, 1))) / 2
