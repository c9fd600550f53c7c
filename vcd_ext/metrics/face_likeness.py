"""How near the faces of a video are to those of the photos: a measure for people, whatever the rest of the frame shows.

Distances are dlib's, between vectors of length about 1: photos of one person are usually nearer than 0.6 (King,
dlib.net), the border that is used here too. A frame without a face has no distance; how many have one is a measure of
its own, so that a method that hides faces does not look good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from vcd_ext.identity.photos.photo import Photo
from vcd_ext.metrics.face_encoder import FaceEncoder, FaceVector, Picture, find_face_weights, missing_face_weights
from vcd_ext.metrics.registry import Compute, Frames, Measure, MeasureContext, register_measure

SAME = 0.6  # distance below which two faces are taken for one person's
Distances = NDArray[np.float64]


class FaceVectors:
    """Vectors of the faces of the last video and of each subject's photos, each made once."""

    def __init__(self, encode: Callable[[Picture], FaceVector | None]):
        """Remember what `encode` makes of a picture's face: a vector, or None where there is no face."""
        self.encode = encode
        self._video: tuple[Frames, list[FaceVector | None]] | None = None
        self._photos: dict[int, tuple[tuple[Photo, ...], list[FaceVector]]] = {}

    def of_video(self, frames: Frames) -> list[FaceVector | None]:
        """Return the vector of each frame's face, None where there is none."""
        if self._video is None or self._video[0] is not frames:
            self._video = frames, [self.encode(frame) for frame in frames]
        return self._video[1]

    def of_photos(self, photos: tuple[Photo, ...]) -> list[FaceVector]:
        """Return the vectors of those photos that show a face."""
        known = self._photos.get(id(photos))
        if known is None or known[0] is not photos:
            vectors = [vector for vector in (self.encode(photo.pixels) for photo in photos) if vector is not None]
            known = self._photos[id(photos)] = photos, vectors
        return known[1]


def face_distances(faces: FaceVectors, frames: Frames, photos: tuple[Photo, ...]) -> Distances:
    """Compute mean over photos r with a face of |f - r|: [F], NaN for frames without one, and for all without r."""
    known = np.array(faces.of_photos(photos))
    if not len(known):
        return np.full(len(frames), np.nan)
    seen = faces.of_video(frames)
    return np.array([np.nan if face is None else np.linalg.norm(known - face, axis=1).mean() for face in seen])


def face_distance(faces: FaceVectors) -> Compute:
    """Make the mean distance over the frames that show a face; NaN if none does, or no photo."""

    def compute(frames: Frames, context: MeasureContext) -> float:
        found = face_distances(faces, frames, context.photos)
        return float(np.nanmean(found)) if np.isfinite(found).any() else np.nan

    return compute


def face_same(faces: FaceVectors) -> Compute:
    """Make the share of all frames whose face is nearer than 0.6; one without a face is not. NaN without a photo's."""

    def compute(frames: Frames, context: MeasureContext) -> float:
        return (
            float((face_distances(faces, frames, context.photos) < SAME).mean())
            if faces.of_photos(context.photos)
            else np.nan
        )

    return compute


def face_found(faces: FaceVectors) -> Compute:
    """Make the share of frames that show a face."""
    return lambda frames, _: float(np.mean([face is not None for face in faces.of_video(frames)]))


_SHARED: WeakValueDictionary[tuple[Path, Path], FaceVectors] = WeakValueDictionary()


def _shared(folders: Sequence[Path]) -> FaceVectors:
    """Return what compares faces by the weights that are there, read once as long as somebody holds it."""
    paths = find_face_weights(folders)
    if paths is None or missing_face_weights(folders):
        raise ValueError(missing_face_weights(folders))
    found = _SHARED.get(paths)
    if found is None:
        found = _SHARED[paths] = FaceVectors(FaceEncoder(*paths))
    return found


def register_faces(name: str, label: str, make: Callable[[FaceVectors], Compute], better: int, photos: bool) -> None:
    """Register a measure of faces."""

    def load(folders: Sequence[Path], _: torch.device | str) -> Compute:
        return make(_shared(folders))

    register_measure(Measure(name, label, load, better, missing_face_weights, photos))


register_faces("face_distance", "Face distance", face_distance, -1, True)
register_faces("face_same", "Face is the same", face_same, 1, True)
register_faces("face_found", "Face found", face_found, 1, False)
