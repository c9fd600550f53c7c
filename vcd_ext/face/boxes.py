"""Boxes as arrays [n, 4] of x0, y0, x1, y1 in pixels: how much they overlap, where their middles are."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def box_centres(boxes: Values) -> Values:
    """Return the middles [..., 2] of boxes [..., 4], x and y."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def box_sizes(boxes: Values) -> Values:
    """Return width and height [..., 2] of boxes [..., 4]."""
    return boxes[..., 2:] - boxes[..., :2]


def boxes_around(centres: Values, sizes: Values) -> Values:
    """Return the boxes [..., 4] with these middles [..., 2] and widths and heights [..., 2]."""
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=-1)


def visible_share(boxes: Values, width: int, height: int) -> Values:
    """Return the share of each box [n, 4] that lies in a picture of width x height: [n]."""
    shown = box_sizes(np.clip(boxes, 0, [width, height, width, height]))
    return np.asarray(shown.prod(axis=1) / np.maximum(box_sizes(boxes).prod(axis=1), 1e-9))


def iou(one: Values, two: Values) -> Values:
    """Compute the IoU of boxes [n, 4] and [m, 4], the shared part of the area that both cover: [n, m]."""
    return _shares(one, two)[0]


def giou(one: Values, two: Values) -> Values:
    """Compute the generalised IoU [n, m], -1 to 1: the lower below 0 the further boxes are apart (arXiv 1902.09630)."""
    return _shares(one, two)[1]


def coverage(box: Values, others: Values) -> Values:
    """Return the share of a box [4] that each of the others [n, 4] covers: [n]."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=1) / max(float(box_sizes(box).prod()), 1e-9))


def nms(boxes: Values, scores: Values, most: float) -> list[int]:
    """Return the indices, surest first, of boxes [n, 4] that overlap no surer one by an IoU above `most`."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if not kept or iou(boxes[i : i + 1], boxes[kept]).max() <= most:
            kept.append(i)
    return kept


def _shares(one: Values, two: Values) -> tuple[Values, Values]:
    a, b = one[:, None], two[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    common = np.clip(high - low, 0, None).prod(axis=-1)
    union = box_sizes(a).prod(axis=-1) + box_sizes(b).prod(axis=-1) - common
    hull = (np.maximum(a[..., 2:], b[..., 2:]) - np.minimum(a[..., :2], b[..., :2])).prod(axis=-1)
    union, hull = np.maximum(union, 1e-9), np.maximum(hull, 1e-9)
    return common / union, common / union - (hull - union) / hull
