"""Faces of the drawn world, found by its own judges. Importing this registers the detector 'drawn'."""

from typing import Protocol

from vcd_ext import toyworld
from vcd_ext.face.detect.detection import Detection, Frame
from vcd_ext.face.detect.registry import register_detector
from vcd_ext.toyworld.judging import SURE, SubjectDetection, load_judges

_TRUSTED = 0.6  # what `Detection.score` is where the judges begin to be sure


class Judge(Protocol):
    """Says where the subject of a drawn picture is: `vcd_ext.toyworld.judging.Judges`."""

    def detect(self, frame: Frame) -> SubjectDetection:
        """Find the subject and its face in a picture uint8 [H, W, 3]."""


class ToyworldDetector:
    """Finds the face of the one subject that a drawn picture has."""

    def __init__(self, judge: Judge | None = None):
        """Take a judge, by default the shipped ones; ValueError, in one sentence, if their file cannot be used."""
        self.judge = judge or load_judges(toyworld.judges())

    def __call__(self, frame: Frame) -> list[Detection]:
        """Find the face in a frame uint8 [H, W, 3] RGB, if there is one."""
        found = self.judge.detect(frame)
        return [Detection(found.face, min(1.0, found.score * _TRUSTED / SURE))] if found.face else []


register_detector("drawn", lambda *_: ToyworldDetector())
