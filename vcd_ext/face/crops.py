"""The squares around a track's face: what the denoiser is given of each frame."""

from dataclasses import replace

import numpy as np

from vcd_ext.face.boxes import Values, box_centres, box_sizes
from vcd_ext.face.resample import Square
from vcd_ext.face.track.track import Track
from vcd_ext.settings import FaceSettings


def squares(track: Track, settings: FaceSettings, height: int, width: int) -> list[Square]:
    """Return a square for each of a track's frames, pushed inside the picture where it would not be."""
    sides = _sides(track, settings, height, width)[:, None]
    corners = np.clip(box_centres(track.boxes) - sides / 2, 0, np.array([width, height]) - sides)
    return [Square(*values) for values in np.concatenate([corners, sides], axis=1).tolist()]


def zoom(track: Track, settings: FaceSettings, height: int, width: int) -> float:
    """Return how many times the crops of a track are enlarged: the median of the frames in which it was seen."""
    return float(np.median(settings.size / _sides(track, settings, height, width)[track.seen]))


def without_large(track: Track, settings: FaceSettings, height: int, width: int) -> Track:
    """Repair a track less where its crops are enlarged less than `least_zoom`, and not where they would shrink."""
    zooms = settings.size / _sides(track, settings, height, width)
    share = np.clip((zooms - 1) / max(settings.least_zoom - 1, 1e-6), 0, 1)
    return replace(track, presence=track.presence * share)


def _sides(track: Track, settings: FaceSettings, height: int, width: int) -> Values:
    sides = settings.crop * box_sizes(track.boxes).max(axis=1)
    return np.asarray(np.minimum(sides, min(height, width)))
