"""Faces of the drawn world, found by its own judges. Importing this registers the detector 'drawn'."""

from typing import Protocol

from vcd_ext import toyworld
from vcd_ext.face.detect.detection import Detection, Frame
from vcd_ext.face.detect.registry import register_detector
from vcd_ext.toyworld.judging import SURE, Box, load_judges

_TRUSTED = 0.6  # what `Detection.score` is where the judges begin to be sure


class Judge(Protocol):
    """Says where faces are in a drawn picture: `vcd_ext.toyworld.judging.Judges`."""

    def faces(self, frame: Frame) -> list[tuple[Box, float]]:
        """Find the faces in a picture uint8 [H, W, 3], with their scores."""


class ToyworldDetector:
    """Finds the faces of the subjects that a drawn picture has."""

    def __init__(self, judge: Judge | None = None):
        """Take a judge, by default the shipped ones; ValueError, in one sentence, if their file cannot be used."""
        self.judge = judge or load_judges(toyworld.judges())

    def __call__(self, frame: Frame) -> list[Detection]:
        """Find the faces in a frame uint8 [H, W, 3] RGB."""
        return [Detection(box, min(1.0, score * _TRUSTED / SURE)) for box, score in self.judge.faces(frame)]


register_detector("drawn", lambda *_: ToyworldDetector())
