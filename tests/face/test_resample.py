"""Enlarging squares from between pixels, and back."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vcd_ext.face.resample import Area, Square, area, enlarge, reduce

# Not as far as black and white: beyond them an enlargement is cut off, and the way back cannot know what was there.
FRAME = cv2.resize(np.random.default_rng(0).integers(40, 216, (14, 18, 3), np.uint8), (90, 70))
SQUARES = [Square(20, 10, 32), Square(20.3, 10.77, 31.4), Square(0, 0, 40), Square(49.6, 29.6, 40.4)]


def inner(square: Square) -> Area:
    """Return the pixels that lie in the square as a whole."""
    rows, columns = area(square, *FRAME.shape[:2])
    return Area(slice(rows.start + 1, rows.stop - 1), slice(columns.start + 1, columns.stop - 1))


@pytest.mark.parametrize("square", SQUARES)
@pytest.mark.parametrize("size", [64, 128])
def test_what_was_not_changed_returns_as_it_was(square: Square, size: int) -> None:
    place = inner(square)
    back = reduce(enlarge(FRAME, square, size), square, place, *FRAME.shape[:2])
    assert np.abs(255 * back - FRAME[place]).max() < 0.5


def test_a_square_of_whole_pixels_at_the_same_size_is_cut_out() -> None:
    cut = enlarge(FRAME, Square(8, 4, 64), 64)
    np.testing.assert_allclose(255 * cut, FRAME[4:68, 8:72], atol=0.01)


def test_enlarged_pixels_lie_where_they_belong() -> None:
    """A picture whose red tells the column and whose green tells the row, in the middles of pixels."""
    rows, columns = np.mgrid[0:60, 0:60]
    ramp = np.stack([4 * columns + 2, 4 * rows + 2, 0 * rows], axis=2).astype(np.uint8)
    square = Square(20.25, 11.5, 20)
    seen = 255 * enlarge(ramp, square, 80)
    places = (np.arange(80) + 0.5) / 4
    inside = slice(6, -6)  # beyond the square the enlargement knows no pixels
    np.testing.assert_allclose(seen[40, inside, 0] / 4, square.left + places[inside], atol=0.01)
    np.testing.assert_allclose(seen[inside, 40, 1] / 4, square.top + places[inside], atol=0.01)


def test_moving_by_a_part_of_a_pixel_moves_the_crop_by_that() -> None:
    one, two = (enlarge(FRAME, Square(20 + d, 12, 32), 128) for d in (0.0, 0.5))
    # Half a pixel is two of the enlarged ones.
    assert np.abs(one[:, 8:-6] - two[:, 6:-8]).max() < 0.02


def test_what_is_finer_than_pixels_is_averaged() -> None:
    """Single points would show a pattern that changes from frame to frame."""
    square = Square(20.3, 10.77, 32)
    stripes = np.zeros((128, 128, 3), np.float32)
    stripes[:, ::2] = 1
    back = reduce(stripes, square, inner(square), *FRAME.shape[:2])[4:-4, 4:-4]
    assert np.abs(back - 0.5).max() < 0.02


def test_only_the_place_that_is_asked_for_is_made() -> None:
    square = SQUARES[1]
    picture: NDArray[np.float32] = np.random.default_rng(1).random((64, 64, 3)).astype(np.float32)
    whole = area(square, *FRAME.shape[:2])
    place = Area(slice(whole.rows.start + 5, whole.rows.start + 9), slice(whole.columns.start + 2, whole.columns.stop))
    part = reduce(picture, square, place, *FRAME.shape[:2])
    expected = reduce(picture, square, whole, *FRAME.shape[:2])[5:9, 2:]
    # Not the same bits on every processor: products of matrices of other sizes are added up in another order.
    np.testing.assert_allclose(part, expected, rtol=0, atol=1e-6)
