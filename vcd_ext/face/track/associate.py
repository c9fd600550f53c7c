"""Which detections in the frames of one shot are the same face: by overlap, movement and colours.

Frame by frame the Hungarian method gives each path its detection, first of the sure ones, then of the unsure (the
second chance of ByteTrack, arXiv 2110.06864). Afterwards paths that ended are joined with those that begin where they
led.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from vcd_ext.face.boxes import Values, extents, giou, middles
from vcd_ext.face.look import Look, blend, unlike

COLOURS = 1.0  # how much colours weigh beside the overlap
DEAREST = 1.9  # of a match; overlap alone costs 0 (the same box) to 2 (far away)
RATIO = 1.7  # sizes further apart are two faces
PATIENCE = 12  # frames for which a path waits for its face
JOINED = 45  # frames at most between paths that are joined
_REACH = 0.12  # how much further a face may be for each frame that it was not seen, in faces
_RECENT = 6  # detections that tell the speed
_IMPOSSIBLE = 1e6


@dataclass(frozen=True)
class Seen:
    """A face in a frame."""

    frame: int
    box: Values  # [4], float64
    score: float
    look: Look | None


class Path:
    """One face through a shot, as far as it is known."""

    def __init__(self, seen: Sequence[Seen]):
        """seen: at least one, in order."""
        self.seen = list(seen)
        self.look: Look | None = None
        for one in seen:
            self.look = blend(self.look, one.look, 0.2)

    def add(self, one: Seen) -> None:
        """Go on with this detection."""
        self.seen.append(one)
        self.look = blend(self.look, one.look, 0.2)

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
        size = np.median([extents(one.box) for one in known], axis=0)
        away = frame - near.frame
        # Nobody goes straight on for long.
        gone = np.sign(away) * (1 - 0.9 ** abs(away)) / (1 - 0.9)
        centre = middles(near.box) + _speed(known) * gone
        return np.concatenate([centre - size / 2, centre + size / 2])


def _speed(known: Sequence[Seen]) -> Values:
    """Fit pixels a frame, by the line nearest to the middles; calmed where there are few."""
    if len(known) < 2:
        return np.zeros(2)
    times = np.array([one.frame for one in known], float)
    places = np.array([middles(one.box) for one in known])
    times -= times.mean()
    slope = times @ (places - places.mean(axis=0)) / (times @ times)
    return np.asarray(slope * (len(known) - 1) / len(known))


def paths(frames: Iterable[Sequence[Seen]], sure: float) -> list[Path]:
    """Associate the faces of one shot's frames, in order, with paths; a path begins with a face of at least `sure`."""
    waiting: list[Path] = []
    done: list[Path] = []
    for found in frames:
        if not found:
            continue
        now = found[0].frame
        done += [path for path in waiting if now - path.last > PATIENCE]
        waiting = [path for path in waiting if now - path.last <= PATIENCE]
        certain = [one for one in found if one.score >= sure]
        left, new = _assign(waiting, certain)
        _assign(left, [one for one in found if one.score < sure])
        waiting += [Path([one]) for one in new]
    return _joined(done + waiting)


def _assign(waiting: Sequence[Path], found: Sequence[Seen]) -> tuple[list[Path], list[Seen]]:
    """Give paths their detections; what is left over of both."""
    if not waiting or not found:
        return list(waiting), list(found)
    now = found[0].frame
    expected = np.array([path.box_at(now) for path in waiting])
    boxes = np.array([one.box for one in found])
    costs = 1 - giou(expected, boxes)
    for i, path in enumerate(waiting):
        dearest = DEAREST + _REACH * (now - path.last - 1)
        for j, one in enumerate(found):
            costs[i, j] += COLOURS * unlike(path.look, one.look)
            if costs[i, j] > dearest or _ratio(expected[i], boxes[j]) > RATIO:
                costs[i, j] = _IMPOSSIBLE
    pairs = [(i, j) for i, j in zip(*linear_sum_assignment(costs), strict=True) if costs[i, j] < _IMPOSSIBLE]
    for i, j in pairs:
        waiting[i].add(found[j])
    matched, used = {i for i, _ in pairs}, {j for _, j in pairs}
    return (
        [path for i, path in enumerate(waiting) if i not in matched],
        [one for j, one in enumerate(found) if j not in used],
    )


def _joined(parts: Sequence[Path]) -> list[Path]:
    """Join each path with the one that goes on where it ended, if there is any."""
    parts = sorted(parts, key=lambda path: (path.first, path.last))
    costs = np.full((len(parts), len(parts)), _IMPOSSIBLE)
    for i, one in enumerate(parts):
        for j, two in enumerate(parts):
            if 0 < two.first - one.last <= JOINED:
                costs[i, j] = _distance(one, two)
    next_of = {i: j for i, j in zip(*linear_sum_assignment(costs), strict=True) if costs[i, j] < _IMPOSSIBLE}
    whole = []
    for start in set(range(len(parts))) - set(next_of.values()):
        seen = list(parts[start].seen)
        while start in next_of:
            start = next_of[start]
            seen += parts[start].seen
        whole.append(Path(seen))
    return whole


def _distance(one: Path, two: Path) -> float:
    """Return how unlikely it is that the second path goes on with the first's face."""
    gap = two.first - one.last
    ahead, back = one.box_at(two.first), two.box_at(one.last)
    size = float(np.sqrt(extents(ahead).prod()))
    # Each path leads to the other: the better of both is what counts, as one of them may just have turned.
    apart = min(
        float(np.linalg.norm(middles(ahead) - middles(two.seen[0].box))),
        float(np.linalg.norm(middles(back) - middles(one.seen[-1].box))),
    )
    cost = apart / size / (1 + _REACH * gap) + 2 * unlike(one.look, two.look)
    return cost if cost <= DEAREST and _ratio(ahead, two.seen[0].box) <= RATIO else _IMPOSSIBLE


def _ratio(one: Values, two: Values) -> float:
    a, b = (float(np.sqrt(max(extents(box).prod(), 1e-9))) for box in (one, two))
    return max(a, b) / min(a, b)
