"""Whether one sees where a picture was put together from tiles: two-sided, as a blurred band is a seam as well."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.denoising.partition import Tile

_STEP = 1  # pixels on both sides of a border where a step shows
_EDGE = 8  # pixels on both sides of a border where detail may differ
_SIDE = 16  # pixels on both sides of a border whose mean light is compared
_NOTHING = 1.0  # mean square, in levels, below which it does not matter how many times it has become
_FINE = 2.0  # sigma of the Gaussian below which is detail


class Seams(NamedTuple):
    """The first three: at the tiles' borders over where a tile is alone, as root mean squares; 1 shows no seam."""

    gradient: float  # difference of neighbours across the borders
    edges: float  # spread of the detail near the borders
    bands: float  # spread of the detail where tiles overlap; that near the borders where they do not
    # By how many levels, 0 to 255, the change of the source differs on both sides of a border, above what it differs on
    # both sides of a line through the middle of a tile; 0 is none, and below 0 the borders are the calmer places.
    step: float


def seams(frames: NDArray[np.uint8], source: NDArray[np.uint8], tiles: Sequence[Tile]) -> Seams:
    """Measure the seams of a video that was made in tiles from a source of the same size.

    frames, source: [F, H, W, 3]. What is compared is how many times the source's has become: its content may lie
    unevenly. ValueError if there is no border or no place where a tile is alone.
    """
    places = _Places(frames.shape[1], frames.shape[2], tiles)
    made, before = (np.mean([_sums(picture, places) for picture in video], axis=0) for video in (frames, source))
    times = (made + _NOTHING) / (before + _NOTHING)
    gradient, edges, bands = np.sqrt(times[[0, 2, 3]] / times[[1, 4, 4]])
    changes = [one.astype(np.float32) - other for one, other in zip(frames, source, strict=True)]
    step = np.mean([_step(change, places.rows, places.columns) for change in changes])
    usual = np.mean([_step(change, places.middle_rows, places.middle_columns) for change in changes])
    return Seams(float(gradient), float(edges), float(bands), float(step - usual))


class _Places:
    """Borders, and masks of a canvas [H, W]."""

    def __init__(self, height: int, width: int, tiles: Sequence[Tile]):
        number = np.zeros((height, width), int)
        for tile in tiles:
            number[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1
        self.rows = ({tile.top for tile in tiles} | {tile.top + tile.height for tile in tiles}) - {0, height}
        self.columns = ({tile.left for tile in tiles} | {tile.left + tile.width for tile in tiles}) - {0, width}
        self.middle_rows = _middles(height, self.rows)
        self.middle_columns = _middles(width, self.columns)
        self.step_y = np.broadcast_to(_near(height, self.rows, _STEP)[:, None], (height, width))
        self.step_x = np.broadcast_to(_near(width, self.columns, _STEP), (height, width))
        self.edges = _near(height, self.rows, _EDGE)[:, None] | _near(width, self.columns, _EDGE)
        self.bands = number > 1 if (number > 1).any() else self.edges
        self.alone = (number == 1) & ~self.edges
        if not self.edges.any() or not self.alone.any():
            raise ValueError(f"{len(tiles)} tiles on {width}x{height} leave nothing to compare; use fewer or more.")


def _sums(picture: NDArray[np.uint8], at: _Places) -> NDArray[np.float64]:
    """Compute mean squares: neighbours' differences at borders, elsewhere; detail at edges, in bands, elsewhere."""
    values = picture.astype(np.float32)
    down = (np.diff(values, axis=0, prepend=values[:1]) ** 2).mean(2)
    across = (np.diff(values, axis=1, prepend=values[:, :1]) ** 2).mean(2)
    fine = ((values - cv2.GaussianBlur(values, (0, 0), _FINE)) ** 2).mean(2)
    steps = np.concatenate([down[at.step_y], across[at.step_x]]).mean()
    alone = np.concatenate([down[at.alone], across[at.alone]]).mean()
    return np.array([steps, alone, *(fine[place].mean() for place in (at.edges, at.bands, at.alone))], np.float64)


def _step(change: NDArray[np.float32], rows: set[int], columns: set[int]) -> float:
    """Compute the mean over lines of the difference of the mean change on both sides; 0 without any line."""
    lines = [change.mean(1)[_around(row)] for row in rows] + [change.mean(0)[_around(column)] for column in columns]
    return float(np.mean([np.abs(line[_SIDE:].mean(0) - line[:_SIDE].mean(0)).mean() for line in lines] or [0]))


def _middles(length: int, borders: set[int]) -> set[int]:
    """Return lines of which neither side is near a border or the canvas' own."""
    lines = range(_SIDE, length - _SIDE + 1, _SIDE // 2)
    return {line for line in lines if all(abs(line - border) > _SIDE for border in borders)}


def _around(border: int) -> slice:
    return slice(border - _SIDE, border + _SIDE)


def _near(length: int, borders: set[int], distance: int) -> NDArray[np.bool_]:
    """Mark places [length] at most `distance` from a border, which lies before the place of its number."""
    near = np.zeros(length, bool)
    for border in borders:
        near[max(border - distance, 0) : border + distance] = True
    return near
