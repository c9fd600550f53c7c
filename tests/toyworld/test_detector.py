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
    def __init__(self, *found: tuple[judging.Box, float]):
        self.found = list(found)

    def faces(self, frame: np.ndarray) -> list[tuple[judging.Box, float]]:
        assert frame is FRAME
        return self.found


def test_the_drawn_worlds_judges_find_its_faces() -> None:
    one, other = ((1.0, 2.0, 30.0, 40.0), 0.4), ((101.0, 2.0, 130.0, 40.0), 0.9)
    first, second = ToyworldDetector(Judge(one, other))(FRAME)
    assert first == ((1.0, 2.0, 30.0, 40.0), pytest.approx(0.8))
    assert second == ((101.0, 2.0, 130.0, 40.0), 1.0)
    assert ToyworldDetector(Judge())(FRAME) == []


def test_the_drawn_world_has_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Callable[..., object]] = []
    monkeypatch.setattr("vcd_ext.toyworld.detector.toyworld.judges", lambda: "the file")
    monkeypatch.setattr("vcd_ext.toyworld.detector.load_judges", lambda path: made.append(path) or object())
    assert isinstance(detector(FaceSettings(detector="drawn")), ToyworldDetector)
    assert made == ["the file"]
