"""Boxes: overlaps, and of several on one place the surest."""

import numpy as np
import pytest

from vcd_ext.face.boxes import box_centres, box_sizes, boxes_around, coverage, giou, iou, nms

ONE = np.array([[0.0, 0, 10, 10]])


def test_middle_and_size_make_the_box() -> None:
    boxes = np.array([[1.0, 2, 5, 12], [-3, 0, 4, 1]])
    assert box_centres(boxes).tolist() == [[3, 7], [0.5, 0.5]]
    np.testing.assert_allclose(boxes_around(box_centres(boxes), box_sizes(boxes)), boxes)


@pytest.mark.parametrize(
    ("other", "share"), [((0, 0, 10, 10), 1), ((5, 0, 15, 10), 1 / 3), ((0, 0, 5, 5), 0.25), ((10, 0, 20, 10), 0)]
)
def test_iou_is_the_share_in_common(other: tuple[float, ...], share: float) -> None:
    assert iou(ONE, np.array([other], float))[0, 0] == pytest.approx(share)


def test_giou_falls_with_the_distance_where_iou_is_0() -> None:
    away = np.array([[10.0 + d, 0, 20 + d, 10] for d in (0, 5, 50)])
    assert iou(ONE, away).tolist() == [[0, 0, 0]]
    near, further, far = giou(ONE, away)[0]
    assert 0 >= near > further > far > -1
    assert giou(ONE, ONE)[0, 0] == pytest.approx(1)


def test_covered_is_the_share_of_the_box_itself() -> None:
    others = np.array([[0.0, 0, 5, 10], [-50, -50, 50, 50], [10, 10, 20, 20]])
    assert coverage(ONE[0], others).tolist() == [0.5, 1, 0]


def test_of_boxes_on_one_place_the_surest_stays() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40]])
    assert nms(boxes, np.array([0.5, 0.9, 0.2]), 0.3) == [1, 2]
    assert nms(np.zeros((0, 4)), np.zeros(0), 0.3) == []
