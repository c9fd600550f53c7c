"""ArcFace (Deng et al., arXiv 1801.07698) by InsightFace's weights, for those who have them: newer papers' FaceSim-Arc.

Those weights (buffalo_l's w600k_r50.onnx) are for non-commercial research only, so nothing brings them. OpenCV runs the
network; dlib finds the face and its 68 points.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vcd_ext.metrics.cosine import mean_cosine
from vcd_ext.metrics.encoder_file import EncoderFile, find_encoder, missing_encoder
from vcd_ext.metrics.face_encoder import INSTALL, FaceFinder, FaceVector, Picture, find_dlib_file
from vcd_ext.metrics.face_likeness import FaceVectors
from vcd_ext.metrics.registry import Compute, Frames, Measure, MeasureContext, register_measure

FILE = EncoderFile(
    "ArcFace",
    "insightface",
    ("w600k_r50.onnx",),
    (Path.home() / ".insightface/models/buffalo_l",),
    (),
    "InsightFace's buffalo_l (its weights are for non-commercial research only)",
)
POINTS = "shape_predictor_68_face_landmarks.dat"
SIDE = 112  # pixels of the square that the network sees
# Where it wants eyes, tip of the nose and corners of the mouth (the left one first, as seen): InsightFace's template.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_EYES, _NOSE, _MOUTH = (slice(36, 42), slice(42, 48)), 30, (48, 54)  # of the 68 points (iBUG 300-W)


class ArcFace:
    """Makes a vector of the largest face of a picture."""

    def __init__(self, network: Path, landmarks: Path):
        """Read the ONNX file and dlib's 68 points; ValueError, in one sentence, if one is damaged."""
        self.finder = FaceFinder(landmarks)
        try:
            self.network = cv2.dnn.readNetFromONNX(str(network))
        except cv2.error as error:
            raise ValueError(f"{network} is damaged, or OpenCV cannot read it; get {FILE.source}.") from error

    def __call__(self, picture: Picture) -> FaceVector | None:
        """Return the vector of the largest face of a picture uint8 [H, W, 3] RGB; None without a face."""
        found = self.finder(picture)
        if found is None:
            return None
        small, shape = found
        points = np.array([(part.x, part.y) for part in shape.parts()], float)
        five = np.stack([*(points[eye].mean(axis=0) for eye in _EYES), points[_NOSE], *points[list(_MOUTH)]])
        face = cv2.warpAffine(small, similarity(five, TEMPLATE), (SIDE, SIDE))
        self.network.setInput(cv2.dnn.blobFromImage(face, 1 / 127.5, (SIDE, SIDE), (127.5, 127.5, 127.5)))
        return np.asarray(self.network.forward()[0], np.float64)


def similarity(points: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the turn, scale and shift [2, 3] that bring points [n, 2] nearest to targets, by least squares."""
    x, y = points.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], axis=1), np.stack([y, x, zero, one], axis=1)])
    a, b, right, down = np.linalg.lstsq(rows, np.concatenate([targets[:, 0], targets[:, 1]]), rcond=None)[0]
    return np.array([[a, -b, right], [b, a, down]])


def arcface_likeness(faces: FaceVectors) -> Compute:
    """Make mean over frames f and photos r with a face of cos(E(f), E(r)); NaN if no frame has one, or no photo."""

    def compute(frames: Frames, context: MeasureContext) -> float:
        known, seen = faces.of_photos(context.photos), [face for face in faces.of_video(frames) if face is not None]
        return mean_cosine(np.array(seen), np.array(known)) if known and seen else np.nan

    return compute


def _missing(folders: Sequence[Path]) -> str:
    if importlib.util.find_spec("dlib") is None or find_dlib_file(POINTS, folders) is None:
        return f"ArcFace needs dlib and its file {POINTS}, which finds faces for it: {INSTALL} brings both."
    return missing_encoder(FILE, folders)


def _load(folders: Sequence[Path], _: torch.device | str) -> Compute:
    network, landmarks = find_encoder(FILE, folders), find_dlib_file(POINTS, folders)
    if network is None or landmarks is None or _missing(folders):
        raise ValueError(_missing(folders))
    return arcface_likeness(FaceVectors(ArcFace(network, landmarks)))


register_measure(Measure("arcface", "ArcFace", _load, missing=_missing, of_photos=True))
