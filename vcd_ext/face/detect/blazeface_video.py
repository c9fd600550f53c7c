"""BlazeFace for the frames of a video, one after the other: it looks where the faces were in the frame before."""

import numpy as np

from vcd_ext.face.boxes import nms
from vcd_ext.face.detect.blazeface import SURE, BlazeFace
from vcd_ext.face.detect.detection import Detection, Frame

EVERY = 3  # frames of which one is looked at as a whole, so that newcomers are seen
_SAME = 0.3  # boxes that overlap by more are one face


class BlazeFaceVideo:
    """Half the work for the same boxes: these come from a look from near anyway.

    Where a face is no longer on its place, as after a cut, the whole frame is looked at.
    """

    def __init__(self, detector: BlazeFace):
        """detector: what looks."""
        self.detector = detector
        self._known: list[Detection] = []
        self._asked = 0

    def __call__(self, frame: Frame) -> list[Detection]:
        """Find the faces of the next frame, uint8 [H, W, 3] RGB, surest first."""
        found = self._again(frame) if self._asked % EVERY else []
        found = found or self.detector(frame)
        self._asked += 1
        self._known = [one for one in found if one.score >= SURE]
        return found

    def _again(self, frame: Frame) -> list[Detection]:
        """Find the faces of the frame before again, surest first; none if one of them is not surely there."""
        near = [self.detector.near(frame, one) for one in self._known]
        found = [one for one in near if one is not None and one.score >= SURE]
        if not found or len(found) < len(near):
            return []
        kept = nms(np.array([one.box for one in found]), np.array([one.score for one in found]), _SAME)
        return [found[i] for i in kept] if len(kept) == len(found) else []
