"""Faces by YuNet (Wu et al., Machine Intelligence Research 2023), where one of its ONNX files lies; OpenCV runs it.

The files are in ShiqiYu/libfacedetection.train and in OpenCV's model zoo, under Apache 2.0 and MIT.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vcd_ext.face.detect.detection import Detection, Frame

FOLDER = "yunet"  # within the WebUI's `models`
LONGEST = 960  # pixels: larger frames are looked at in this size
UNSURE = 0.25  # scores below this are noise
_OVERLAP = 0.3  # boxes that overlap a surer one by more are the same face
_MOST = 200  # faces before overlaps are removed
# OpenCV 4.11 cannot read the files of dynamic shape, and those of 8 bits are less exact.
_UNFIT = ("dynamic", "int8")


def yunet_file(folders: Sequence[Path]) -> Path | None:
    """Find a file of YuNet in one of the folders, or in `yunet` within one; None without."""
    for folder in folders:
        for place in (folder, folder / FOLDER):
            for path in sorted(place.glob("*.onnx")):
                name = path.name.lower()
                if "yunet" in name and not any(word in name for word in _UNFIT):
                    return path
    return None


class YuNet:
    """Finds faces from about 10 pixels on."""

    def __init__(self, path: Path):
        """Read the file; ValueError, in one sentence, if it is no YuNet that OpenCV can read."""
        try:
            self.network = cv2.FaceDetectorYN.create(str(path), "", (64, 64), UNSURE, _OVERLAP, _MOST)
        except cv2.error as error:
            raise ValueError(
                f"OpenCV cannot read {path.name}; use face_detection_yunet_2023mar.onnx or yunet_n_320_320.onnx."
            ) from error

    def __call__(self, frame: Frame) -> list[Detection]:
        """Find the faces of a frame uint8 [H, W, 3] RGB, surest first."""
        height, width = frame.shape[:2]
        scale = min(1.0, LONGEST / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = frame if scale == 1 else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        self.network.setInputSize(size)
        found = self.network.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
        rows = np.zeros((0, 15)) if found is None else np.asarray(found, float)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) / scale
        faces = [Detection(tuple(box), score) for box, score in zip(boxes.tolist(), rows[:, 14].tolist(), strict=True)]
        return sorted(faces, key=lambda face: -face.score)
