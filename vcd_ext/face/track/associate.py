"""Data association: which detections in the frames of one shot are the same face, by overlap, movement and colours.

Frame by frame the Hungarian method gives each tracklet its detection, first of the sure ones, then of the unsure (the
second chance of ByteTrack, arXiv 2110.06864). Afterwards tracklets that ended are joined with those that begin
where they led.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from vcd_ext.face.boxes import Values, box_centres, box_sizes, giou
from vcd_ext.face.track.colour_histogram import hellinger_distance
from vcd_ext.face.track.tracklet import Observation, Tracklet

COLOUR_WEIGHT = 1.0  # how much colours weigh beside the overlap
MAX_COST = 1.9  # of a match; overlap alone costs 0 (the same box) to 2 (far away)
MAX_SIZE_RATIO = 1.7  # sizes further apart are two faces
MAX_AGE = 12  # frames for which a tracklet waits for its face
MAX_JOIN_GAP = 45  # frames at most between tracklets that are joined
_REACH = 0.12  # how much further a face may be for each frame that it was not seen, in faces
_IMPOSSIBLE = 1e6


def associate(frames: Iterable[Sequence[Observation]], sure: float) -> list[Tracklet]:
    """Link the faces of one shot, given frame by frame, to tracklets; one begins with a face of at least `sure`."""
    active: list[Tracklet] = []
    ended: list[Tracklet] = []
    for found in frames:
        if not found:
            continue
        now = found[0].frame
        ended += [tracklet for tracklet in active if now - tracklet.last > MAX_AGE]
        active = [tracklet for tracklet in active if now - tracklet.last <= MAX_AGE]
        certain = [one for one in found if one.score >= sure]
        left, new = _assign(active, certain)
        _assign(left, [one for one in found if one.score < sure])
        active += [Tracklet([one]) for one in new]
    return _joined(ended + active)


def _assign(active: Sequence[Tracklet], found: Sequence[Observation]) -> tuple[list[Tracklet], list[Observation]]:
    """Give tracklets their detections; what is left over of both."""
    if not active or not found:
        return list(active), list(found)
    now = found[0].frame
    expected = np.array([tracklet.box_at(now) for tracklet in active])
    boxes = np.array([one.box for one in found])
    costs = 1 - giou(expected, boxes)
    for i, tracklet in enumerate(active):
        max_cost = MAX_COST + _REACH * (now - tracklet.last - 1)
        for j, one in enumerate(found):
            costs[i, j] += COLOUR_WEIGHT * hellinger_distance(tracklet.histogram, one.histogram)
            if costs[i, j] > max_cost or _ratio(expected[i], boxes[j]) > MAX_SIZE_RATIO:
                costs[i, j] = _IMPOSSIBLE
    pairs = [(i, j) for i, j in zip(*linear_sum_assignment(costs), strict=True) if costs[i, j] < _IMPOSSIBLE]
    for i, j in pairs:
        active[i].add(found[j])
    matched, used = {i for i, _ in pairs}, {j for _, j in pairs}
    return (
        [tracklet for i, tracklet in enumerate(active) if i not in matched],
        [one for j, one in enumerate(found) if j not in used],
    )


def _joined(parts: Sequence[Tracklet]) -> list[Tracklet]:
    """Join each tracklet with the one that goes on where it ended, if there is any."""
    parts = sorted(parts, key=lambda tracklet: (tracklet.first, tracklet.last))
    costs = np.full((len(parts), len(parts)), _IMPOSSIBLE)
    for i, one in enumerate(parts):
        for j, two in enumerate(parts):
            if 0 < two.first - one.last <= MAX_JOIN_GAP:
                costs[i, j] = _distance(one, two)
    next_of = {i: j for i, j in zip(*linear_sum_assignment(costs), strict=True) if costs[i, j] < _IMPOSSIBLE}
    whole = []
    for start in set(range(len(parts))) - set(next_of.values()):
        seen = list(parts[start].seen)
        while start in next_of:
            start = next_of[start]
            seen += parts[start].seen
        whole.append(Tracklet(seen))
    return whole


def _distance(one: Tracklet, two: Tracklet) -> float:
    """Return how unlikely it is that the second tracklet goes on with the first's face."""
    gap = two.first - one.last
    ahead, back = one.box_at(two.first), two.box_at(one.last)
    size = float(np.sqrt(box_sizes(ahead).prod()))
    # Each tracklet leads to the other: the better of both is what counts, as one of them may just have turned.
    apart = min(
        float(np.linalg.norm(box_centres(ahead) - box_centres(two.seen[0].box))),
        float(np.linalg.norm(box_centres(back) - box_centres(one.seen[-1].box))),
    )
    cost = apart / size / (1 + _REACH * gap) + 2 * hellinger_distance(one.histogram, two.histogram)
    return cost if cost <= MAX_COST and _ratio(ahead, two.seen[0].box) <= MAX_SIZE_RATIO else _IMPOSSIBLE


def _ratio(one: Values, two: Values) -> float:
    a, b = (float(np.sqrt(max(box_sizes(box).prod(), 1e-9))) for box in (one, two))
    return max(a, b) / min(a, b)
