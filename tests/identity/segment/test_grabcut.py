"""Masks from colours alone."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.toyworld.world import render, sample
from vcd_ext.identity.segment import CentrePrior
from vcd_ext.identity.segment.grabcut import grabcut


def iou(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    a, b = mask > 127, truth > 127
    return float((a & b).sum() / (a | b).sum())


def picture(height: int = 240, width: int = 320) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw a speckled red disc, with a speckled hole of the background's colour, on speckled green; and its mask."""
    rng = np.random.default_rng(0)
    truth = np.zeros((height, width), np.uint8)
    cv2.circle(truth, (width // 2, height // 2), height // 3, 255, -1)
    pixels = np.where(truth[..., None] > 0, (200, 60, 50), (40, 160, 60)) + rng.normal(0, 12, (height, width, 3))
    return pixels.clip(0, 255).astype(np.uint8), truth


def test_what_stands_out_in_the_middle_is_found():
    pixels, truth = picture()
    mask = CentrePrior()(pixels, "ball")
    assert mask.shape == truth.shape
    assert set(np.unique(mask)) == {0, 255}
    assert iou(mask, truth) > 0.97


@pytest.mark.parametrize("size", [(900, 1200), (37, 51), (400, 90)])
def test_pictures_of_any_size_get_masks_of_their_size(size: tuple[int, int]):
    pixels, _ = picture(*size)
    assert CentrePrior()(pixels, "ball").shape == size


def test_the_same_picture_gets_the_same_mask():
    pixels = render(sample(3, kind="dog", distance="plain", subjects=1), [0]).frames[0]
    masks = [CentrePrior()(pixels, "dog") for _ in range(2)]
    assert np.array_equal(*masks)


def test_holes_are_filled_and_specks_removed():
    pixels, truth = picture()
    pixels[115:125, 155:165] = (40, 160, 60)
    pixels[20:26, 20:26] = (200, 60, 50)
    assert iou(CentrePrior()(pixels, "ball"), truth) > 0.97


@pytest.mark.parametrize("mark", [cv2.GC_FGD, cv2.GC_BGD])
def test_marks_that_leave_nothing_to_tell_apart_are_refused(mark: int):
    pixels, _ = picture()
    with pytest.raises(ValueError, match="nothing in it stands out"):
        grabcut(pixels, np.full(pixels.shape[:2], mark, np.uint8))


def test_on_drawn_scenes_it_is_far_better_than_no_mask():
    """On the average alone: where fur and floor are alike it takes the floor."""
    clips = [
        render(sample(seed, "test", kind=kind, distance="plain", subjects=1), [0])
        for seed in range(2)
        for kind in ("man", "woman", "dog", "cat")
    ]
    found = np.mean([iou(CentrePrior()(clip.frames[0], clip.spec.who.kind), clip.masks[0, 0]) for clip in clips])
    whole = np.mean([iou(np.full_like(clip.masks[0, 0], 255), clip.masks[0, 0]) for clip in clips])
    assert found > 0.5 > 2 * whole
