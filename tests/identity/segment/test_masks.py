"""What happens to each photo of a set for which masks are looked for."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vcd_ext.identity.photos.photo import Photo, Pixels, SubjectMask
from vcd_ext.identity.segment import CentrePrior, fill_masks, segmenters


def covering(share: float) -> NDArray[np.uint8]:
    """Return a mask [100, 100] with that share of white."""
    mask = np.zeros(10_000, np.uint8)
    mask[: round(share * 10_000)] = 255
    return mask.reshape(100, 100)


def photo(name: str = "rex.jpg", **more) -> Photo:
    return Photo(name, np.zeros((100, 100, 3), np.uint8), **more)


class Says:
    """A segmenter with one answer for every picture, or an error."""

    def __init__(self, answer: SubjectMask | Exception, name: str = "fake"):
        self.answer, self.name, self.asked = answer, name, []

    def __call__(self, pixels: Pixels, word: str) -> SubjectMask:
        self.asked.append(word)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_photo_without_a_mask_gets_one_and_its_source():
    segmenter = Says(covering(0.3))
    (filled,), problems = fill_masks([photo()], "dog", segmenter)
    assert np.array_equal(filled.mask, covering(0.3))
    assert filled.mask_source == "fake"
    assert segmenter.asked == ["dog"]
    assert problems == []


def test_a_mask_that_exists_is_kept_whatever_it_is():
    given = photo(mask=covering(0.001), mask_source="file")
    segmenter = Says(covering(0.3))
    (kept,), problems = fill_masks([given], "dog", segmenter)
    assert kept is given
    assert segmenter.asked == problems == []


ERRORS = [
    (ValueError("Grounding DINO sees no dog in it."), "rex.jpg gets no mask: Grounding DINO sees no dog in it."),
    (RuntimeError("CUDA out of memory\nmore"), "rex.jpg gets no mask: CUDA out of memory."),
    (cv2.error("grabcut.cpp:378"), "rex.jpg gets no mask: grabcut.cpp:378."),
]


@pytest.mark.parametrize(("error", "sentence"), ERRORS)
def test_a_photo_that_fails_costs_the_others_nothing(error: Exception, sentence: str):
    failing, working = Says(error), Says(covering(0.3))

    def by_name(pixels: Pixels, word: str) -> SubjectMask:
        return (failing if pixels[0, 0, 0] else working)(pixels, word)

    by_name.name = "both"  # type: ignore[attr-defined]
    bad = Photo("rex.jpg", np.ones((100, 100, 3), np.uint8))
    filled, problems = fill_masks([bad, photo("b.jpg")], "dog", by_name)  # type: ignore[arg-type]
    assert filled[0] is bad
    assert filled[1].mask is not None
    assert problems == [sentence]


def test_a_useless_mask_is_not_kept_and_its_reason_is_said():
    (unchanged,), (problem,) = fill_masks([photo()], "dog", Says(covering(0.99)))
    assert unchanged.mask is None
    assert unchanged.mask_source == ""
    assert "more than 95%" in problem


def test_the_next_segmenter_is_asked_where_one_fails():
    chain = [Says(ValueError("no.")), Says(covering(0), "second"), Says(covering(0.2), "third")]
    (filled,), problems = fill_masks([photo()], "dog", chain)
    assert filled.mask_source == "third"
    assert problems == []


def test_where_all_fail_the_best_ones_reason_is_said():
    _, problems = fill_masks([photo()], "dog", [Says(ValueError("no dog.")), Says(covering(0))])
    assert problems == ["rex.jpg gets no mask: no dog."]


def test_progress_counts_photos_and_what_it_raises_stops():
    seen = []
    fill_masks([photo(), photo()], "dog", Says(covering(0.3)), lambda *counts: seen.append(counts))
    assert seen == [(0, 2), (1, 2), (2, 2)]

    def stop(done: int, _: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    segmenter = Says(covering(0.3))
    with pytest.raises(KeyboardInterrupt):
        fill_masks([photo(), photo()], "dog", segmenter, stop)
    assert len(segmenter.asked) == 1


def test_without_weights_and_host_the_middle_is_all_there_is(tmp_path):
    (only,) = segmenters([tmp_path])
    assert isinstance(only, CentrePrior)
