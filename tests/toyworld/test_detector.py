"""The drawn world's detector is one of those that settings can ask for."""

from collections.abc import Callable

import numpy as np
import pytest

from vcd_ext.face.detect import detector
from vcd_ext.settings import FaceSettings
from vcd_ext.toyworld import judging
from vcd_ext.toyworld.detector import ToyworldDetector

FRAME = np.zeros((300, 400, 3), np.uint8)


class Judge:
    def __init__(self, found: judging.SubjectDetection):
        self.found = found

    def detect(self, frame: np.ndarray) -> judging.SubjectDetection:
        assert frame is FRAME
        return self.found


def test_the_drawn_worlds_judges_find_its_faces() -> None:
    mask = np.zeros((300, 400), np.uint8)
    [found] = ToyworldDetector(Judge(judging.SubjectDetection(mask, (1.0, 2.0, 30.0, 40.0), 0.4)))(FRAME)
    assert found == ((1.0, 2.0, 30.0, 40.0), pytest.approx(0.8))
    assert ToyworldDetector(Judge(judging.SubjectDetection(mask, None, 0.1)))(FRAME) == []


def test_the_drawn_world_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Callable[..., object]] = []
    monkeypatch.setattr("vcd_ext.toyworld.detector.toyworld.judges", lambda: "the file")
    monkeypatch.setattr("vcd_ext.toyworld.detector.load_judges", lambda path: made.append(path) or object())
    assert isinstance(detector(FaceSettings(detector="drawn")), ToyworldDetector)
    assert made == ["the file"]
