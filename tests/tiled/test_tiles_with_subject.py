"""Which tiles show the subject, and the prompt of those that do not."""

import numpy as np
import pytest

from vcd_ext.denoising.partition import tiles
from vcd_ext.prompt.names import without_name
from vcd_ext.tiled.video_pass import tiles_with_subject

FOUR = tiles(1024, 1024, 576, 128)  # from 0 to 576 and from 448 to 1024, row by row
NOTHING = [np.nan] * 4


def present(*boxes: list[float]) -> list[bool]:
    return tiles_with_subject(np.array([boxes]), FOUR)[0].tolist()


def test_a_tile_has_the_subject_where_boxes_cover_a_tenth_of_it() -> None:
    side = 576 * 0.1**0.5
    assert present([0, 0, 1.01 * side, side]) == [True, False, False, False]
    # Much larger than a tile, so that no tile holds half of it; 49 rows of the lower tiles are less than a tenth.
    assert present([0, 0, 1024, 448 + 49]) == [True, True, False, False]
    assert present([0, 0, 1024, 448 + 60]) == [True, True, True, True]


def test_a_small_subject_is_where_half_of_it_lies() -> None:
    assert present([100, 100, 110, 110]) == [True, False, False, False]
    assert present([571, 100, 581, 110]) == [True, True, False, False]  # half of it in each
    assert present([572, 100, 582, 110]) == [False, True, False, False]
    assert present([500, 500, 510, 510]) == [True] * 4


def test_boxes_of_which_each_is_too_little_count_together() -> None:
    whole = tiles(300, 300, 300, 0)
    one, other = [-900, 0, 300, 20.0], [-900, 30, 300, 50.0]  # a fifteenth of the tile each, and mostly outside
    assert tiles_with_subject(np.array([[one]]), whole).tolist() == [[False]]
    assert tiles_with_subject(np.array([[one, other]]), whole).tolist() == [[True]]


def test_frames_are_apart_and_empty_ones_have_it_nowhere() -> None:
    boxes = np.array([[[0, 0, 10, 10.0], NOTHING], [NOTHING, NOTHING], [[900, 900, 910, 910.0], [0, 0, 10, 10]]])
    assert tiles_with_subject(boxes, FOUR).astype(int).tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]]


@pytest.mark.parametrize("box", [[5, 5, 5, 5.0], [9, 9, 2, 2.0], [-50, -50, -10, -10.0]], ids=str)
def test_boxes_without_an_area_or_outside_are_nowhere(box: list[float]) -> None:
    assert present(box) == [False] * 4


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("photo of a dog in a wood, rexy", "photo of a dog in a wood"),
        ("rexy, a dog, in a wood", "a dog, in a wood"),
        ("a (rexy:1.3) dog", "a dog"),
        ("a ((rexy)) dog, [Rexy], lake", "a dog, lake"),
        ("(rexy dog:1.2) in the rain", "( dog:1.2) in the rain"),
        ("rexyland", "rexyland"),
        ("a lake, 4k", "a lake, 4k"),
        ("rexy", ""),
    ],
)
def test_the_name_is_taken_out_with_what_it_leaves_empty(prompt: str, expected: str) -> None:
    assert without_name(prompt, "rexy") == expected
