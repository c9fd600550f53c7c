"""The squares that the denoiser is given."""

from dataclasses import replace

import numpy as np
import pytest

from tests.face.conftest import SETTINGS
from vcd_ext.face import Track
from vcd_ext.face.crops import squares, without_large, zoom


def track(boxes: list[list[float]]) -> Track:
    count = len(boxes)
    return Track(1, range(5, 5 + count), np.array(boxes, float), np.ones(count, bool), np.ones(count))


def test_the_face_is_in_the_middle_of_a_square_of_a_multiple_of_it() -> None:
    [square] = squares(track([[60.25, 50, 80.25, 80]]), SETTINGS, 160, 192)
    assert square.side == pytest.approx(2.2 * 30)
    assert square.left + square.side / 2 == pytest.approx(70.25)
    assert square.top + square.side / 2 == pytest.approx(65)


def test_a_square_that_would_leave_the_picture_is_pushed_inside() -> None:
    found = squares(track([[-5, 2, 15, 30], [180, 140, 192, 165]]), SETTINGS, 160, 192)
    for square in found:
        assert 0 <= square.left <= 192 - square.side
        assert 0 <= square.top <= 160 - square.side
    assert found[0].left == 0
    assert found[1].left + found[1].side == pytest.approx(192)


@pytest.mark.parametrize(("height", "width"), [(50, 300), (300, 41)])
def test_it_is_never_larger_than_the_picture(height: int, width: int) -> None:
    [square] = squares(track([[10, 5, 38, 45]]), SETTINGS, height, width)
    assert square.side == min(height, width)


def test_how_many_times_a_crop_is_enlarged() -> None:
    face = track([[60, 50, 80, 80]])
    assert zoom(face, SETTINGS, 160, 192) == pytest.approx(128 / 66)
    assert zoom(face, replace(SETTINGS, size=512), 160, 192) == pytest.approx(512 / 66)


def test_where_a_face_grows_too_large_the_repair_fades() -> None:
    """A crop of 128 from 128 pixels is no longer enlarged; from 107 pixels it is, 1.2 times."""
    sides = np.array([30.0, 40, 48.0, 51.0, 54.0, 58.2, 60.0])
    nearing = track([[90 - s / 2, 80 - s / 2, 90 + s / 2, 80 + s / 2] for s in sides])
    shares = without_large(nearing, SETTINGS, 160, 192).presence
    assert shares[:3].tolist() == [1, 1, 1]
    assert 1 > shares[3] > shares[4] > 0
    assert shares[5:].tolist() == [0, 0]
