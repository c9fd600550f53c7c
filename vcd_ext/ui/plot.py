"""The loss, and the likeness of a video's frames, as drawings: SVG, which takes the page's colours."""

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 28  # room for the axes' numbers
MOST_POINTS = 300  # of a line; more are averaged
SMOOTHED = 0.9  # decay of the average

Points = Sequence[tuple[int, float]]


def loss_plot(losses: Points, validation: Points, total: int) -> str:
    """Plot the loss of each step, its average, and the validations over steps 0 to `total`, as SVG.

    Points are (step, loss); those that are not a number are left out.
    """
    losses, validation = _finite(losses), _finite(validation)
    average = _thinned(_smoothed(losses))
    losses = _thinned(losses)
    values = [value for _, value in (*losses, *validation)]
    axes = _Axes(total, min(values, default=0.0), max(values, default=1.0))
    lines = [
        _line(axes, losses, "vcd-each"),
        _line(axes, average, "vcd-average"),
        _line(axes, validation, "vcd-validation"),
        *(f'<circle class="vcd-validation" cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="3"/>' for x, y in validation),
    ]
    return (
        f'<svg class="vcd-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Loss">{axes.drawn()}'
        f"{''.join(lines)}</svg>"
        '<div class="vcd-legend"><span class="vcd-each">loss of each step</span>'
        '<span class="vcd-average">its average</span>'
        '<span class="vcd-validation">validation (always the same noise)</span></div>'
    )


def likeness_plot(points: Points, total: int, label: str) -> str:
    """Plot a measure of each frame over frames 0 to `total`, as SVG; the label says what it is."""
    points = _finite(points)
    values = [value for _, value in points]
    axes = _Axes(total, min(values, default=0.0), max(values, default=1.0))
    return (
        f'<svg class="vcd-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{axes.drawn()}'
        f'{_line(axes, points, "vcd-average")}</svg>'
        f'<div class="vcd-legend"><span class="vcd-average">{escape(label)}</span></div>'
    )


class _Axes:
    """Where a step, or frame, and a value are in the drawing."""

    def __init__(self, total: int, low: float, high: float):
        margin = max((high - low) * 0.08, 1e-4)
        self.total, self.low, self.high = max(total, 1), max(low - margin, 0.0), high + margin

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / self.total

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low)

    def drawn(self) -> str:
        parts = []
        for value in _ticks(self.low, self.high, 4):
            y = self.y(value)
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
        for step in _ticks(0, self.total, 5):
            parts.append(f'<text x="{self.x(step):.1f}" y="{HEIGHT - 10}" text-anchor="middle">{step:g}</text>')
        return f"<g>{''.join(parts)}</g>"


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round numbers from low to high."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(i * step, 10) for i in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def _finite(points: Points) -> list[tuple[int, float]]:
    return [(step, value) for step, value in points if math.isfinite(value)]


def _smoothed(points: Points) -> list[tuple[int, float]]:
    """Compute the running average, without a bias towards the first value."""
    result, total, weight = [], 0.0, 0.0
    for step, value in points:
        total, weight = SMOOTHED * total + value, SMOOTHED * weight + 1
        result.append((step, total / weight))
    return result


def _thinned(points: Points) -> list[tuple[int, float]]:
    """Average neighbours, so that at most `MOST_POINTS` are left."""
    size = math.ceil(len(points) / MOST_POINTS)
    groups = [points[i : i + size] for i in range(0, len(points), size)] if points else []
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def _line(axes: _Axes, points: Points, kind: str) -> str:
    path = " ".join(f"{axes.x(step):.1f},{axes.y(value):.1f}" for step, value in points)
    return f'<polyline class="{kind}" points="{path}"/>'
