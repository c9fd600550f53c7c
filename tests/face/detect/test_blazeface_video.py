"""Where a face was it is looked for again; the whole picture now and then, and when it is gone."""

import numpy as np
import pytest

from tests.face.detect.test_blazeface import placed
from vcd_ext.face.boxes import iou
from vcd_ext.face.detect import BlazeFace, BlazeFaceVideo
from vcd_ext.face.detect.blazeface_video import EVERY


class Counting(BlazeFace):
    """Counts how often it looks."""

    looks = 0

    def _look(self, part):  # type: ignore[no-untyped-def]
        self.looks += 1
        return super()._look(part)


@pytest.fixture
def counting() -> Counting:
    return Counting()


def test_a_face_that_moves_is_followed_with_half_the_looks(counting: Counting) -> None:
    following = BlazeFaceVideo(counting)
    for i in range(2 * EVERY):
        frame, truth = placed(300, 20 + 5 * i, 60 + 2 * i)
        [found] = following(frame)
        assert iou(np.array([found.box]), truth)[0, 0] > 0.85
        assert found.score >= 0.6
    assert counting.looks <= 2 * (EVERY + 1)


def test_after_a_cut_the_whole_picture_is_looked_at(counting: Counting) -> None:
    following = BlazeFaceVideo(counting)
    following(placed(300, 0, 0)[0])
    frame, truth = placed(280, 230, 230)
    [found] = [one for one in following(frame) if one.score >= 0.6]
    assert iou(np.array([found.box]), truth)[0, 0] > 0.85


def test_a_newcomer_is_seen_within_a_few_frames() -> None:
    following = BlazeFaceVideo(BlazeFace())
    alone, _ = placed(250, 0, 0)
    both = alone.copy()
    both[262:, 262:] = placed(250, 262, 262)[0][262:, 262:]
    following(alone)
    counts = [len([one for one in following(both) if one.score >= 0.6]) for _ in range(EVERY)]
    assert counts[-1] == 2


def test_frames_of_another_size_or_without_faces_are_no_trouble() -> None:
    following = BlazeFaceVideo(BlazeFace())
    following(placed(200, 300, 300)[0])
    assert [one for one in following(np.zeros((100, 80, 3), np.uint8)) if one.score >= 0.6] == []
    assert len([one for one in following(placed(300, 30, 30)[0]) if one.score >= 0.6]) == 1
