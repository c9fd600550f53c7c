"""Tracklets: the detections of one face through a shot, before they are smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vcd_ext.face.boxes import Values, box_centres, box_sizes
from vcd_ext.face.track.colour_histogram import Histogram, blend

_RECENT = 6  # detections that tell the speed


@dataclass(frozen=True)
class Observation:
    """A face in a frame."""

    frame: int
    box: Values  # [4], float64
    score: float
    histogram: Histogram | None


class Tracklet:
    """One face through a shot, as far as it is known."""

    def __init__(self, seen: Sequence[Observation]):
        """seen: at least one, in order."""
        self.seen = list(seen)
        self.histogram: Histogram | None = None
        for one in seen:
            self.histogram = blend(self.histogram, one.histogram, 0.2)

    def add(self, one: Observation) -> None:
        """Go on with this detection."""
        self.seen.append(one)
        self.histogram = blend(self.histogram, one.histogram, 0.2)

    @property
    def first(self) -> int:
        return self.seen[0].frame

    @property
    def last(self) -> int:
        return self.seen[-1].frame

    def box_at(self, frame: int) -> Values:
        """Predict the face's box in a frame after the last or before the first, at its speed."""
        known = self.seen[:_RECENT] if frame < self.first else self.seen[-_RECENT:]
        near = known[0] if frame < self.first else known[-1]
        size = np.median([box_sizes(one.box) for one in known], axis=0)
        away = frame - near.frame
        # Nobody goes straight on for long.
        gone = np.sign(away) * (1 - 0.9 ** abs(away)) / (1 - 0.9)
        centre = box_centres(near.box) + _speed(known) * gone
        return np.concatenate([centre - size / 2, centre + size / 2])


def _speed(known: Sequence[Observation]) -> Values:
    """Fit pixels a frame, by the line nearest to the middles; calmed where there are few."""
    if len(known) < 2:
        return np.zeros(2)
    times = np.array([one.frame for one in known], float)
    places = np.array([box_centres(one.box) for one in known])
    times -= times.mean()
    slope = times @ (places - places.mean(axis=0)) / (times @ times)
    return np.asarray(slope * (len(known) - 1) / len(known))
