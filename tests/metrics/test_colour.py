"""CIEDE2000 against published values, and colour shifts of videos."""

import numpy as np
import pytest

from vcd_ext.metrics.colour import colour_shift, delta_e_2000

# Some of the pairs with which Sharma, Wu and Dalal (2005) catch wrong implementations: hues across 0, greys, blues.
PUBLISHED = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "expected"), PUBLISHED)
def test_it_gives_the_published_values_both_ways(one: tuple, other: tuple, expected: float) -> None:
    assert delta_e_2000(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)
    assert delta_e_2000(np.array(other), np.array(one)) == pytest.approx(expected, abs=1e-4)


def test_a_shift_shows_frame_by_frame_and_detail_does_not() -> None:
    grey = np.full((3, 64, 96, 3), 119, np.uint8)  # L about 50, where a step of L counts 1
    shifted = grey.copy()
    shifted[1] += 5
    shifted[2, ::2] += 9
    shifted[2, 1::2] -= 9
    found = colour_shift(shifted, grey)
    assert found[0] == 0
    assert found[1] == pytest.approx(2.0, abs=0.1)
    assert found[2] < 0.1


def test_videos_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="of one size"):
        colour_shift(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 8, 16, 3), np.uint8))
