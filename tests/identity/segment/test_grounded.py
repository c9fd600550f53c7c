"""Class word -> boxes -> the subject's box -> its mask."""

import numpy as np
import pytest

from vcd_ext.identity.segment import GroundedSam
from vcd_ext.identity.segment.boxes import Box, choose

WIDTH, HEIGHT = 640, 480
PICTURE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

LARGE_MIDDLE = Box(160, 60, 480, 420, 0.7)
SMALL_SURE = Box(10, 10, 60, 90, 0.9)  # somebody in the background
LARGE_ASIDE = Box(320, 120, 640, 480, 0.7)
WHOLE_UNSURE = Box(0, 0, 640, 480, 0.31)


@pytest.mark.parametrize("other", [SMALL_SURE, LARGE_ASIDE, WHOLE_UNSURE])
def test_the_subject_is_sure_large_and_in_the_middle(other: Box):
    assert choose([other, LARGE_MIDDLE], WIDTH, HEIGHT) == LARGE_MIDDLE
    assert choose([LARGE_MIDDLE, other], WIDTH, HEIGHT) == LARGE_MIDDLE


def test_of_two_alike_the_surer_is_chosen():
    surer = LARGE_MIDDLE._replace(score=0.8)
    assert choose([LARGE_MIDDLE, surer], WIDTH, HEIGHT) == surer


def test_the_mask_of_the_chosen_box_is_returned():
    asked = []

    def find(pixels, word):
        assert pixels is PICTURE
        asked.append(word)
        return [SMALL_SURE, LARGE_MIDDLE]

    def cut(pixels, box):
        mask = np.zeros(pixels.shape[:2], np.uint8)
        mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 255
        return mask

    mask = GroundedSam(find, cut)(PICTURE, "dog")
    assert asked == ["dog"]
    assert mask.shape == (HEIGHT, WIDTH)
    assert mask.sum() == 255 * 320 * 360


def test_a_picture_without_the_word_is_refused():
    with pytest.raises(ValueError, match=r"sees no unicorn in it with a score above 0\.3; try another word"):
        GroundedSam(lambda *_: [], lambda *_: PICTURE[..., 0])(PICTURE, "unicorn")
