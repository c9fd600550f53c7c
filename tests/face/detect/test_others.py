"""The other detectors, on stand-ins for what is not shipped: YuNet, Grounding DINO."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vcd_ext.face.detect import BlazeFace, BlazeFaceVideo, Detection, Words, YuNet, detector, registry, yunet
from vcd_ext.identity.segment.boxes import Box
from vcd_ext.settings import FaceSettings, SettingError

FRAME = np.zeros((300, 400, 3), np.uint8)


class Network:
    """OpenCV's detector: it says where it was shown something red, in the size that it was told."""

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802 - OpenCV's name
        self.size = size

    def detect(self, picture: np.ndarray) -> tuple[int, np.ndarray | None]:
        assert picture.shape[1::-1] == self.size
        places = np.argwhere(picture[..., 2] > 128)  # BGR
        if not len(places):
            return 1, None
        (y0, x0), (y1, x1) = places.min(axis=0), places.max(axis=0) + 1
        return 1, np.array([[x0, y0, x1 - x0, y1 - y0, *[0] * 10, 0.8]], np.float32)


@pytest.fixture
def _opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: Network())


@pytest.mark.usefixtures("_opencv")
@pytest.mark.parametrize("scale", [1, 5])
def test_yunets_boxes_are_told_in_pixels_of_the_frame(scale: int) -> None:
    frame = np.zeros((300 * scale, 400 * scale, 3), np.uint8)
    frame[60 * scale : 160 * scale, 100 * scale : 180 * scale, 0] = 255
    [found] = YuNet(Path("face_detection_yunet_2023mar.onnx"))(frame)
    assert found.box == pytest.approx([100 * scale, 60 * scale, 180 * scale, 160 * scale], abs=2 * scale)
    assert found.score == pytest.approx(0.8)
    assert YuNet(Path("any.onnx"))(np.zeros_like(frame)) == []


def test_yunets_file_is_looked_for_and_those_that_opencv_cannot_read_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "yunet").mkdir()
    for name in ("yunet_n_dynamic.onnx", "face_detection_yunet_2023mar_int8.onnx", "other.onnx"):
        (tmp_path / "yunet" / name).touch()
    assert yunet.yunet_file([tmp_path]) is None
    best = tmp_path / "yunet" / "face_detection_yunet_2023mar.onnx"
    best.touch()
    assert yunet.yunet_file([tmp_path / "nothing", tmp_path]) == best
    with pytest.raises(ValueError, match=r"OpenCV cannot read face_detection_yunet_2023mar\.onnx; use"):
        YuNet(best)


def test_words_find_what_they_say() -> None:
    asked = []

    def search(frame: np.ndarray, words: str) -> list[Box]:
        asked.append(words)
        return [Box(10, 10, 60, 60, 0.45), Box(12, 8, 62, 66, 0.4), Box(200, 50, 240, 90, 0.3)]

    found = Words(search, " dog   head ")(FRAME)
    assert asked == ["dog head"]
    assert [one.box for one in found] == [(10, 10, 60, 60), (200, 50, 240, 90)]
    assert found[1].score == pytest.approx(0.6), "its own threshold is what is trusted here"


def test_words_need_grounding_dino_and_a_word(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no words to look for"):
        Words(lambda *_: [], "  ")
    with pytest.raises(ValueError, match=r"'dog head' .* is missing: groundingdino_swint_ogc.pth, vocab.txt"):
        Words.load("dog head", [tmp_path])


@pytest.mark.parametrize(
    "settings", [FaceSettings(), FaceSettings(detector="blazeface", words="dog head"), FaceSettings(min_face=40)]
)
def test_by_default_blazeface_is_taken(settings: FaceSettings, tmp_path: Path) -> None:
    made = detector(settings, [tmp_path])
    assert isinstance(made, BlazeFaceVideo)
    assert (made.detector.smallest, made.detector.thorough) == (settings.min_face, False)


def test_who_wants_small_faces_has_every_frame_looked_at(tmp_path: Path) -> None:
    made = detector(FaceSettings(small_faces=True), [tmp_path])
    assert isinstance(made, BlazeFace)
    assert made.thorough


@pytest.mark.usefixtures("_opencv")
def test_yunet_is_taken_where_its_file_is(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="There is no file of YuNet; put"):
        detector(FaceSettings(detector="yunet"), [tmp_path])
    (tmp_path / "face_detection_yunet_2023mar.onnx").touch()
    assert isinstance(detector(FaceSettings(), [tmp_path]), YuNet)
    assert isinstance(detector(FaceSettings(detector="blazeface"), [tmp_path]), BlazeFaceVideo)


@pytest.mark.parametrize("settings", [FaceSettings(words="dog head"), FaceSettings(detector="words", words="cat")])
def test_words_in_place_of_a_face_are_meant(settings: FaceSettings, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs Grounding DINO"):
        detector(settings, [tmp_path])


def test_a_detector_from_outside_is_made_under_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = []

    def maker(*given: object) -> Callable[..., list[Detection]]:
        made.append(given)
        return lambda frame: []

    monkeypatch.setattr(registry, "_MAKERS", {"blazeface": maker})
    settings = FaceSettings(detector="blazeface")
    assert detector(settings, [tmp_path], "cpu")(FRAME) == []
    assert made == [(settings, [tmp_path], "cpu")]
    with pytest.raises(SettingError, match="There is no detector called drawn here; choose one of auto, blazeface"):
        detector(FaceSettings(detector="drawn"))
