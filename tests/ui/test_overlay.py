"""How a mask is shown over its photo."""

from dataclasses import replace

import numpy as np
import pytest

from tests.identity.drawn import picture
from tests.identity.toy_host import PHOTOS
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.ui.overlay import DIMMED, FRAME, OUTLINE, overlay, with_border

PHOTO = replace(PHOTOS[0], pixels=np.full((64, 64, 3), 200, np.uint8))  # the subject: [0:32, 0:32]


def test_the_subject_stays_as_it_is_and_the_rest_is_dimmed() -> None:
    shown = overlay(PHOTO, 64)
    assert (shown[5:25, 5:25] == 200).all()
    assert (shown[40:, 40:] == round(200 * DIMMED)).all()
    assert (shown[31, 10] == OUTLINE).all()


def test_a_photo_without_a_mask_is_shown_as_it_is() -> None:
    assert (overlay(replace(PHOTO, mask=None), 64) == 200).all()


def test_a_photo_that_is_left_out_is_grey_and_dim() -> None:
    shown = overlay(Photo("a", picture(3)), 128, used=False)
    assert (shown[..., 0] == shown[..., 1]).all()
    assert shown.max() <= 255 * DIMMED


@pytest.mark.parametrize(("longest", "size"), [(64, (48, 64)), (256, (192, 256)), (1, (1, 1))])
def test_it_is_shown_at_the_size_that_is_asked_for(longest: int, size: tuple[int, int]) -> None:
    mask = np.zeros((96, 128), np.uint8)
    mask[10:50] = 255
    assert overlay(Photo("a", picture(3), mask), longest).shape[:2] == size


def test_the_photo_itself_is_not_changed() -> None:
    before = PHOTO.pixels.copy()
    with_border(overlay(PHOTO, 64), True)[:] = 0
    assert np.array_equal(PHOTO.pixels, before)


def test_the_selected_one_has_a_frame() -> None:
    plain = overlay(PHOTO, 64)
    assert (with_border(plain, True)[0, :] == FRAME).all()
    assert np.array_equal(with_border(plain, False), plain)
