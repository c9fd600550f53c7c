"""Enlarging a square of a picture from and to places between pixels, and its exact inverse.

A picture is enlarged by cubic interpolation (Keys 1981). The way back takes the picture whose enlargement is nearest to
what came back, by least squares: what the denoiser did not change returns as it was, what is finer than the picture's
pixels is averaged and does not flicker as it would if single points of it were taken. Both directions are matrices,
as enlarging across and down are independent.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from vcd_ext.hosts.protocols import Picture

Matrix = NDArray[np.float32]

_RIDGE = 1e-5  # of the mean diagonal: what the enlargement hardly shows is not guessed


class Square(NamedTuple):
    """A square of a picture, in pixels; 0, 0 is the upper left corner of the first pixel."""

    left: float
    top: float
    side: float


class Area(NamedTuple):
    """Whole pixels of a picture."""

    rows: slice
    columns: slice


def area(square: Square, height: int, width: int) -> Area:
    """Return the pixels of a picture that touch the square."""
    (top, bottom), (left, right) = _span(square.top, square.side, height), _span(square.left, square.side, width)
    return Area(slice(top, bottom), slice(left, right))


def enlarge(frame: NDArray[np.uint8], square: Square, size: int) -> Picture:
    """Enlarge the square of a frame uint8 [H, W, 3] to float32 [size, size, 3] in [0, 1]."""
    place = area(square, *frame.shape[:2])
    pixels = frame[place].astype(np.float32) / 255
    down = _weights(square.top, square.side, frame.shape[0], size)
    across = _weights(square.left, square.side, frame.shape[1], size)
    return np.clip(_apply(down, across, pixels), 0, 1)


def reduce(picture: Picture, square: Square, place: Area, height: int, width: int) -> Picture:
    """Reduce an enlarged square, float32 [size, size, 3], to a place in its `area` of a picture of height x width.

    Returns float32 [h, w, 3]. Pixels that lie only partly in the square are not reliable.
    """
    size, whole = len(picture), area(square, height, width)
    down = _inverse(_weights(square.top, square.side, height, size))
    across = _inverse(_weights(square.left, square.side, width, size))
    return _apply(_rows(down, place.rows, whole.rows), _rows(across, place.columns, whole.columns), picture)


def _rows(matrix: Matrix, wanted: slice, whole: slice) -> Matrix:
    return matrix[wanted.start - whole.start : wanted.stop - whole.start]


def _span(start: float, side: float, length: int) -> tuple[int, int]:
    return max(0, int(np.floor(start))), min(length, int(np.ceil(start + side)))


def _weights(start: float, side: float, length: int, size: int) -> Matrix:
    """Compute each pixel's weight for each of the enlarged row: [size, n], rows that sum to 1."""
    first, last = _span(start, side, length)
    places = start + (np.arange(size) + 0.5) * (side / size) - 0.5
    base = np.floor(places).astype(int)
    offsets = np.arange(-1, 3)
    taps = _cubic(np.abs(places[:, None] - (base[:, None] + offsets)))
    columns = np.clip(base[:, None] + offsets, first, last - 1) - first
    matrix = np.zeros((size, last - first))
    np.add.at(matrix, (np.arange(size)[:, None], columns), taps)
    return matrix.astype(np.float32)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute Keys' kernel with a = -1/2 at distances x from 0 to 2."""
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _inverse(matrix: Matrix) -> Matrix:
    """Compute the least-squares inverse [n, size] of weights [size, n]."""
    exact = matrix.astype(np.float64)
    gram = exact.T @ exact
    # Each enlarged pixel is made of four, so nothing lies further from the diagonal than three places.
    bands = np.zeros((min(4, len(gram)), len(gram)))
    for k in range(len(bands)):
        bands[k, : len(gram) - k] = np.diagonal(gram, -k)
    bands[0] += _RIDGE * bands[0].mean()
    return np.asarray(solveh_banded(bands, exact.T, lower=True), np.float32)


def _apply(down: Matrix, across: Matrix, picture: Picture) -> Picture:
    """Map rows and columns of a picture [h, w, 3] by matrices [H, h] and [W, w]: [H, W, 3]."""
    height, width = picture.shape[:2]
    rows = (down @ picture.reshape(height, width * 3)).reshape(len(down), width, 3)
    mapped = rows.transpose(0, 2, 1).reshape(-1, width) @ across.T
    return np.ascontiguousarray(mapped.reshape(len(down), 3, len(across)).transpose(0, 2, 1))
