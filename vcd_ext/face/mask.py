"""How much of what came back counts at each pixel: an ellipse around the face with a soft edge."""

import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.boxes import Values, box_centres, box_sizes
from vcd_ext.face.resample import Area, Square, area
from vcd_ext.hosts.protocols import Mask
from vcd_ext.settings import FaceSettings

Weights = NDArray[np.float32]


def pasted(box: Values, square: Square, settings: FaceSettings, height: int, width: int) -> Area:
    """Return the pixels of the square's `area`, in a picture of height x width, that the face is pasted on."""
    whole = area(square, height, width)
    half = settings.mask * box_sizes(box) / 2
    # What lies `far` pixels outside the ellipse has the radius 1 + far / sqrt(a b) in it.
    half = half * (1 + _feather(box, settings) / np.sqrt(half.prod()))
    (left, top), (right, bottom) = np.floor(box_centres(box) - half), np.ceil(box_centres(box) + half)
    return Area(_between(top, bottom, whole.rows), _between(left, right, whole.columns))


def paste_weights(box: Values, square: Square, place: Area, settings: FaceSettings, height: int, width: int) -> Weights:
    """Compute the weight, float32 in [0, 1], of each pixel of a place in a picture of height x width.

    1 inside the ellipse that is `mask` times as large as the box [4], less over `feather` of the face, 0 beyond it and
    at the crop's edge, unless that is the picture's.
    """
    x, y = _pixels(place)
    feather = _feather(box, settings)
    inside = _fall(outside(box, x, y, settings.mask) / feather)
    edge = np.minimum(_edge(y, square.top, square.side, height)[:, None], _edge(x, square.left, square.side, width))
    # One pixel is kept clear: at the crop's edge the enlargement knows no neighbours.
    return (inside * _fall(1 - (edge - 1) / feather)).astype(np.float32)


def beyond_face(box: Values, place: Area) -> Weights:
    """Mark the pixels of a place that are outside the face itself: float32, 1 outside, 0 inside."""
    return np.clip(outside(box, *_pixels(place), 1.0), 0, 1).astype(np.float32)


def repaint_mask(box: Values, square: Square, settings: FaceSettings) -> Mask:
    """Mark where the enlarged crop may change, [size, size]: the pasted part, and softly a feather's width beyond."""
    places = (np.arange(settings.size) + 0.5) * (square.side / settings.size)
    far = outside(box, square.left + places, square.top + places, settings.mask)
    return _fall(far / _feather(box, settings) - 1).astype(np.float32)


def outside(box: Values, x: Values, y: Values, times: float) -> Values:
    """Compute the pixels, about, by which places x [w], y [h] are outside a box's ellipse, `times` as large: [h, w].

    Below 0 inside.
    """
    centre, half = box_centres(box), times * box_sizes(box) / 2
    radius = np.hypot((x[None] - centre[0]) / half[0], (y[:, None] - centre[1]) / half[1])
    return np.asarray((radius - 1) * np.sqrt(half.prod()))


def _feather(box: Values, settings: FaceSettings) -> float:
    """Return the width of the soft edge in pixels."""
    return max(settings.feather * float(box_sizes(box).max()), 1.0)


def _pixels(place: Area) -> tuple[Values, Values]:
    """Return the middles x [w] and y [h] of its pixels."""
    rows, columns = place
    return np.arange(columns.start, columns.stop) + 0.5, np.arange(rows.start, rows.stop) + 0.5


def _between(first: float, last: float, whole: slice) -> slice:
    start = min(max(int(first), whole.start), whole.stop)
    return slice(start, min(max(int(last), start), whole.stop))


def _edge(places: Values, start: float, side: float, length: int) -> Values:
    """Compute the distance to the crop's two edges, in pixels; the picture's own edges do not count."""
    before = places - start if start > 0.5 else np.full_like(places, np.inf)
    after = start + side - places if start + side < length - 0.5 else np.full_like(places, np.inf)
    return np.minimum(before, after)


def _fall(x: Values) -> Values:
    """Compute a raised cosine: 1 up to x = 0, 0 from x = 1 on."""
    return np.asarray((1 + np.cos(np.pi * np.clip(x, 0, 1))) / 2)
