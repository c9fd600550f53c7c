"""A sheet to draw anti-aliased flat shapes on, at twice the size of the final picture.

The world is measured in units: a picture is 128 units wide and high, whatever its size in pixels.

Points are complex numbers `x + 1j * y`, y down. What is drawn is opaque, and the sheet is transparent: OpenCV's
anti-aliasing blends towards (colour, 255), which on a sheet of zeros gives exactly premultiplied RGBA.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Outline = NDArray[np.complex128]
Points = Sequence[complex] | Outline

UNITS = 128  # of a picture's side
DETAIL = 2.0  # sheet pixels per unit, for pictures of 128 pixels
_SHIFT = 4  # OpenCV's fixed point: 1/16 of a sheet pixel
_GROWTH = 0.6  # sheet pixels by which OpenCV's anti-aliased fill exceeds the true outline, measured
_SPLINE_STEPS = 6

cv2.setNumThreads(1)


def _circle(points: int) -> tuple[Outline, Outline]:
    """Return the unit circle and its mirror image."""
    circle = np.exp(2j * np.pi * np.arange(points) / points)
    return circle, np.conj(circle)


_CIRCLES = {points: _circle(points) for points in (12, 24, 48)}
_HALF = 1j * np.exp(1j * np.pi * np.arange(11) / 10)  # from straight left of "along" round the back to its right


def _spline_basis(steps: int) -> NDArray[np.float64]:
    """Catmull-Rom weights [4, steps] of the points before, at, after and two after."""
    t = np.arange(steps) / steps
    return np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3]) / 2


_BASIS = _spline_basis(_SPLINE_STEPS)


@lru_cache(maxsize=64)
def _neighbours(count: int) -> NDArray[np.intp]:
    """Return indices [count, 4] of each point's four, around a closed curve."""
    return (np.arange(count)[:, None] + np.arange(-1, 3)) % count


def smooth(points: Points) -> Outline:
    """Draw a closed curve through `points` (Catmull-Rom), six samples a segment."""
    p = np.asarray(points, dtype=np.complex128)
    curve: Outline = (p[_neighbours(len(p))] @ _BASIS).reshape(-1)
    return curve


def smooth_open(points: Sequence[complex]) -> Outline:
    """Draw an open curve through `points`, both ends included."""
    before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    p = np.array([before, *points, after, before], dtype=np.complex128)
    curve = (p[_neighbours(len(p))[1 : len(points)]] @ _BASIS).reshape(-1)
    return np.append(curve, points[-1])


@dataclass(frozen=True)
class Placement:
    """A similarity: mirror x if `flip` is -1, then turn and scale by `gain`, then move by `origin`."""

    gain: complex = 1
    origin: complex = 0
    flip: int = 1

    def __call__(self, point: complex) -> complex:
        """Map one point."""
        return self.gain * (point if self.flip == 1 else -point.conjugate()) + self.origin

    def of_many(self, points: Outline) -> Outline:
        """Map an array of points."""
        mapped: Outline = self.gain * (points if self.flip == 1 else -np.conj(points)) + self.origin
        return mapped

    def then_inside(self, child: Placement) -> Placement:
        """Return the placement that applies `child` first and this one after."""
        gain = child.gain if self.flip == 1 else child.gain.conjugate()
        origin = child.origin if self.flip == 1 else -child.origin.conjugate()
        return Placement(self.gain * gain, self.gain * origin + self.origin, self.flip * child.flip)


class Canvas:
    """`pixels` uint8 [H, W, 4], premultiplied RGBA; coordinates are those of the current placement."""

    def __init__(self, width: int = UNITS, left: float = 0.0, detail: float = DETAIL) -> None:
        """Make an empty sheet, `width` units wide from x = `left`, with `detail` sheet pixels a unit."""
        self.detail = detail
        self.pixels = np.zeros((round(UNITS * detail), round(width * detail), 4), np.uint8)
        self.placement = Placement(detail, -detail * complex(left, 0) - complex(0.5, 0.5))

    @contextmanager
    def at(self, origin: complex, angle: float = 0.0, scale: float = 1.0, flip: int = 1) -> Iterator[None]:
        """Within, (0, 0) is `origin`, turned clockwise by `angle` radians and enlarged by `scale`."""
        before = self.placement
        turn = scale * complex(cos(angle), sin(angle))
        self.placement = before.then_inside(Placement(turn, complex(origin), flip))
        try:
            yield
        finally:
            self.placement = before

    def _fill(self, outline: Outline, colour: Colour, convex: bool) -> Outline:
        fixed = _fixed(outline)
        if convex:
            cv2.fillConvexPoly(self.pixels, fixed, (*colour, 255), cv2.LINE_AA, _SHIFT)
        else:
            cv2.fillPoly(self.pixels, [fixed], (*colour, 255), cv2.LINE_AA, _SHIFT)
        return outline

    def polygon(self, points: Points, colour: Colour, convex: bool = False) -> Outline:
        """Fill a polygon; returns its outline on the sheet, for `inside`."""
        return self._fill(self.placement.of_many(np.asarray(points, np.complex128)), colour, convex)

    def blob(self, points: Points, colour: Colour) -> Outline:
        """Fill the smooth closed curve through `points`."""
        return self._fill(self.placement.of_many(smooth(points)), colour, convex=False)

    def ellipse(self, centre: complex, rx: float, ry: float, colour: Colour, angle: float = 0.0) -> Outline:
        """Fill an ellipse with half axes `rx` and `ry`, turned clockwise by `angle` radians."""
        gain = self.placement.gain
        size = abs(gain)
        a, b = max(rx * size - _GROWTH, 0.05), max(ry * size - _GROWTH, 0.05)
        turn = gain / size
        if angle:
            turn *= complex(cos(angle), self.placement.flip * sin(angle))
        circle, mirrored = _CIRCLES[12 if max(a, b) < 5 else 24 if max(a, b) < 40 else 48]
        outline = circle * (turn * (a + b) / 2) + mirrored * (turn * (a - b) / 2) + self.placement(centre)
        return self._fill(outline, colour, convex=True)

    def limb(self, start: complex, end: complex, r0: float, r1: float, colour: Colour) -> Outline:
        """Fill a rounded, tapered stroke from `start` (radius `r0`) to `end` (radius `r1`)."""
        size = abs(self.placement.gain)
        p, q = self.placement(start), self.placement(end)
        r0, r1 = max(r0 * size - _GROWTH, 0.05), max(r1 * size - _GROWTH, 0.05)
        along = (q - p) / abs(q - p) if abs(q - p) > 1e-9 else 1 + 0j
        outline = np.concatenate([p + _HALF * (r0 * along), q - _HALF * (r1 * along)])
        return self._fill(outline, colour, convex=True)

    def stroke(self, points: Sequence[complex], r0: float, r1: float, colour: Colour) -> None:
        """Draw a smooth line through `points`, radius `r0` at its start and `r1` at its end."""
        if len(points) == 2:
            self.limb(points[0], points[1], r0, r1, colour)
            return
        size = abs(self.placement.gain)
        r0, r1 = max(r0 * size - _GROWTH, 0.1), max(r1 * size - _GROWTH, 0.1)
        middle = self.placement.of_many(smooth_open(points))
        along = np.empty_like(middle)
        along[1:-1], along[0], along[-1] = middle[2:] - middle[:-2], middle[1] - middle[0], middle[-1] - middle[-2]
        along /= np.maximum(np.abs(along), 1e-9)
        across = 1j * along[1:-1] * np.linspace(r0, r1, len(middle))[1:-1]
        start, end = middle[0] + _HALF * (r0 * along[0]), middle[-1] - _HALF * (r1 * along[-1])
        self._fill(
            np.concatenate([start, middle[1:-1] - across, end, (middle[1:-1] + across)[::-1]]), colour, convex=False
        )

    @contextmanager
    def inside(self, outline: Outline) -> Iterator[None]:
        """Let what is drawn within this context appear only inside `outline` (as returned by a shape)."""
        sheet, placement = self.pixels, self.placement
        height, width = sheet.shape[:2]
        x0, y0 = max(int(outline.real.min()) - 1, 0), max(int(outline.imag.min()) - 1, 0)
        x1, y1 = min(int(outline.real.max()) + 3, width), min(int(outline.imag.max()) + 3, height)
        x1, y1 = max(x1, x0), max(y1, y0)
        part = sheet[y0:y1, x0:x1]
        self.pixels = part.copy() if part.size else np.zeros((1, 1, 4), np.uint8)
        self.placement = Placement(placement.gain, placement.origin - complex(x0, y0), placement.flip)
        try:
            yield
            if part.size:
                mask = np.zeros(part.shape[:2], np.uint8)
                cv2.fillPoly(mask, [_fixed(outline - complex(x0, y0))], 255, cv2.LINE_AA, _SHIFT)
                weight = mask.astype(np.float32) / 255
                part[:] = cv2.blendLinear(self.pixels, part.copy(), weight, 1 - weight)
        finally:
            self.pixels, self.placement = sheet, placement


def _fixed(outline: Outline) -> NDArray[np.int32]:
    """Complex points as OpenCV's int32 [N, 2] with `_SHIFT` fractional bits."""
    return np.rint(outline.view(np.float64).reshape(-1, 2) * (1 << _SHIFT)).astype(np.int32)
