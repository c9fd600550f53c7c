"""One pass over the frames of a video: the faces in each, and where it cuts."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.detect import Detector
from vcd_ext.face.track.colour_histogram import colour_histogram
from vcd_ext.face.track.cuts import Thumbnail, change, shots, thumbnail
from vcd_ext.face.track.tracklet import Observation

SECOND_CHANCE = 0.5  # of the confidence: enough for a face that is expected where it is seen


class Scan:
    """What was seen so far; it keeps a few numbers of each frame."""

    def __init__(self, detector: Detector, confidence: float):
        """confidence: from half of it on, faces are kept."""
        self.detector, self.least = detector, confidence * SECOND_CHANCE
        self.seen: list[list[Observation]] = []
        self._changes: list[float] = []
        self._over_one: list[float] = []
        self._last: deque[Thumbnail] = deque(maxlen=2)

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Look at the next frame, uint8 [H, W, 3]."""
        small = thumbnail(frame)
        for before, kept in zip(reversed(self._last), (self._changes, self._over_one), strict=False):
            kept.append(change(before, small))
        self._last.append(small)
        self.seen.append(self._faces(frame))

    def shots(self) -> list[range]:
        """Return the frames of each shot."""
        return shots(self._changes, self._over_one)

    def _faces(self, frame: NDArray[np.uint8]) -> list[Observation]:
        height, width = frame.shape[:2]
        faces = []
        for found in self.detector(frame):
            box = np.array(found.box, float)
            inside = np.minimum(box[2:], (width, height)) - np.maximum(box[:2], 0)
            if found.score >= self.least and np.isfinite(box).all() and (inside >= 1).all():
                faces.append(Observation(len(self.seen), box, float(found.score), colour_histogram(frame, box)))
        return faces
