"""Which masks are of use."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vcd_ext.identity.photos.mask_check import check_mask


def covering(share: float) -> NDArray[np.uint8]:
    """Return a mask [100, 100] with that share of white."""
    mask = np.zeros(10_000, np.uint8)
    mask[: round(share * 10_000)] = 255
    return mask.reshape(100, 100)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.95])
def test_a_mask_of_useful_size_is_accepted(share: float):
    assert check_mask(covering(share), "rex.jpg") is None


@pytest.mark.parametrize(
    ("share", "reason"),
    [(0, "is empty"), (0.0099, "0.99% of the picture, less than 1%"), (0.9501, "more than 95%"), (1, "100%")],
)
def test_a_mask_of_another_size_is_refused_in_one_sentence_with_the_photos_name(share: float, reason: str):
    sentence = check_mask(covering(share), "rex.jpg")
    assert sentence is not None
    assert reason in sentence
    assert "rex.jpg" in sentence
    assert sentence.endswith(".")
    assert ". " not in sentence


def test_faint_grey_does_not_count_as_subject():
    assert "is empty" in str(check_mask(np.full((10, 10), 127, np.uint8), "rex.jpg"))
