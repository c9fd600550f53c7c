"""How much counts of what is pasted."""

from dataclasses import replace

import numpy as np
import pytest

from tests.face.conftest import SETTINGS
from vcd_ext.face.mask import beyond_face, outside, paste_weights, pasted, repaint_mask
from vcd_ext.face.resample import Area, Square, area

BOX, SQUARE = np.array([60.0, 50, 90, 90]), Square(31.0, 26, 88)
WHOLE = Area(slice(0, 160), slice(0, 192))
SIZE = (160, 192)


def weights(box: np.ndarray = BOX, square: Square = SQUARE) -> np.ndarray:
    canvas = np.zeros(SIZE, np.float32)
    place = area(square, *SIZE)
    canvas[place] = paste_weights(box, square, place, SETTINGS, *SIZE)
    return canvas


def test_the_face_counts_fully_its_edge_softly_and_nothing_beyond() -> None:
    found = weights()
    assert found[55:85, 70:80].min() == 1
    far = outside(BOX, np.arange(192) + 0.5, np.arange(160) + 0.5, SETTINGS.mask)
    assert (found[far <= 0] == 1).all()
    assert (found[far >= SETTINGS.feather * 40] == 0).all()
    between = found[(far > 0.5) & (far < SETTINGS.feather * 40 - 0.5)]
    assert ((between > 0) & (between < 1)).all()
    assert np.abs(np.diff(found, axis=0)).max() < 0.3


def test_the_ellipse_is_as_many_times_as_large_as_the_face() -> None:
    found = weights()
    across, down = (found >= 0.5).any(axis=0).sum(), (found >= 0.5).any(axis=1).sum()
    feather = SETTINGS.feather * 40
    assert across == pytest.approx(SETTINGS.mask * 30 + feather, abs=2)
    assert down == pytest.approx(SETTINGS.mask * 40 + feather, abs=2.5)


def test_nothing_counts_at_the_crops_edge_unless_the_picture_ends_there() -> None:
    tight = Square(55, 45, 44)
    found = weights(square=tight)
    rows, columns = area(tight, *SIZE)
    assert found[rows.start, columns].max() == found[rows, columns.start].max() == 0
    at_the_border = weights(np.array([-5.0, 50, 25, 90]), Square(0, 26, 88))
    assert at_the_border[60:80, 0].min() == 1


def test_the_place_holds_all_that_counts_and_little_more() -> None:
    for shift in (0, 0.3, 40, 100, -60):
        box = BOX + np.array([shift, 0, shift, 0])
        square = Square(float(np.clip(31 + shift, 0, 192 - 88)), 26, 88)
        place = pasted(box, square, SETTINGS, *SIZE)
        found = weights(box, square)
        there = found[place].copy()
        found[place] = 0
        assert found.max() == 0
        assert there.shape[0] <= 0.8 * 88
        np.testing.assert_array_equal(there, paste_weights(box, square, place, SETTINGS, *SIZE))


def test_the_ring_is_what_is_pasted_around_the_face() -> None:
    place = pasted(BOX, SQUARE, SETTINGS, *SIZE)
    ring = np.zeros(SIZE)
    ring[place] = beyond_face(BOX, place)
    assert ring[70, 75] == 0
    assert ring[70, 62] == 0
    assert ring[70, 57] == 1


def test_all_that_is_pasted_may_change() -> None:
    mask = repaint_mask(BOX, SQUARE, replace(SETTINGS, size=88))
    rows, columns = area(SQUARE, *SIZE)
    assert mask.shape == (88, 88)
    assert mask.dtype == np.float32
    assert mask[weights()[rows, columns] > 0].min() > 0.99
    assert mask[0].max() == mask[:, 0].max() == 0
