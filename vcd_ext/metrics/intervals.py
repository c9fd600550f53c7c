"""Means with 95% intervals (Efron's percentile bootstrap), as tables and plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RESAMPLED, SEED = 4000, 0
TOGETHER = 1_000_000  # values
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 240, 58, 14, 34, 40


@dataclass(frozen=True)
class Interval:
    """A mean and the bootstrap's 95% interval of it."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """As it stands in a table."""
        digits = 3 if abs(self.mean) < 1 else 2
        return f"{self.mean:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def interval(values: Sequence[float], groups: Sequence[object] | None = None) -> Interval:
    """Resamples whole seeds, so that it holds for any distribution (Efron's percentile bootstrap).

    groups: whom each value is of. Then individuals are resampled, and the values of each: what differs between
    individuals counts as chance as well, so the interval is about individuals that were not measured.
    """
    sample, rng = np.asarray(values, float), np.random.default_rng(SEED)
    if groups is None:
        means = sample[rng.integers(len(sample), size=(RESAMPLED, len(sample)))].mean(axis=1)
    else:
        apart = [sample[[g == group for g in groups]] for group in dict.fromkeys(groups)]
        means = np.asarray([_mean_of_some(apart, rng) for _ in range(RESAMPLED)])
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(sample.mean()), float(low), float(high))


def nested_interval(values: NDArray[np.float64]) -> Interval:
    """Return the mean of values [subjects, prompts, seeds] and its interval; NaN is no video, or no figure of one.

    Whole subjects are resampled first, then the prompts of each, then the seeds of each of these: what differs between
    subjects, prompts and seeds counts as chance, so the interval is about those that were not measured.
    """
    if not np.isfinite(values).any():
        return Interval(np.nan, np.nan, np.nan)
    subjects, prompts, seeds = values.shape
    rng, means = np.random.default_rng(SEED), list[NDArray[np.float64]]()
    for count in _portions(values.size):
        who = rng.integers(subjects, size=(count, subjects, 1, 1))
        what = rng.integers(prompts, size=(count, subjects, prompts, 1))
        drawn = values[who, what, rng.integers(seeds, size=(count, *values.shape))]
        there = np.isfinite(drawn)
        counted = there.sum((1, 2, 3))
        sums = np.where(there, drawn, 0.0).sum((1, 2, 3))
        means.append(np.divide(sums, counted, out=np.full(count, np.nan), where=counted > 0))
    low, high = np.nanpercentile(np.concatenate(means), [2.5, 97.5])
    return Interval(float(values[np.isfinite(values)].mean()), float(low), float(high))


def _portions(size: int) -> list[int]:
    """Divide the resamples into portions that are drawn at once, each of some ten megabytes."""
    most = max(TOGETHER // max(size, 1), 1)
    whole, rest = divmod(RESAMPLED, most)
    return [most] * whole + [rest] * (rest > 0)


def _mean_of_some(apart: Sequence[NDArray[np.float64]], rng: np.random.Generator) -> float:
    chosen = [apart[k] for k in rng.integers(len(apart), size=len(apart))]
    return float(np.concatenate([rng.choice(values, len(values)) for values in chosen]).mean())


def interval_table(heads: Sequence[str], rows: Mapping[str, Sequence[object]]) -> str:
    """Return a Markdown table whose first column is the rows' names."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join([name, *map(str, cells)])} |" for name, cells in rows.items()]
    return "\n".join(lines)


def plot(path: Path, title: str, x: Sequence[float], x_label: str, points: Sequence[Interval]) -> Path:
    """Write a line with error bars as SVG; its path."""
    low, high = min(p.low for p in points), max(p.high for p in points)
    margin = 0.08 * (high - low or 1)
    low, high = low - margin, high + margin

    def across(value: float) -> float:
        return LEFT + (value - min(x)) / ((max(x) - min(x)) or 1) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    marks = [
        f'<line x1="{across(v):.1f}" x2="{across(v):.1f}" y1="{down(p.low):.1f}" y2="{down(p.high):.1f}" '
        f'stroke="#2a6f97"/><circle cx="{across(v):.1f}" cy="{down(p.mean):.1f}" r="3" fill="#2a6f97"/>'
        for v, p in zip(x, points, strict=True)
    ]
    line = " ".join(f"{across(v):.1f},{down(p.mean):.1f}" for v, p in zip(x, points, strict=True))
    ticks = [f'<text x="{across(v):.1f}" y="{HEIGHT - 22}" text-anchor="middle">{v:g}</text>' for v in x]
    for value in np.linspace(low + margin, high - margin, 4):
        ticks.append(
            f'<text x="{LEFT - 6}" y="{down(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>'
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(value):.1f}" y2="{down(value):.1f}" stroke="#ddd"/>'
        )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        f'font-size="11" fill="#333"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{LEFT}" y="20" font-size="13">{title}</text>{"".join(ticks)}'
        f'<polyline points="{line}" fill="none" stroke="#2a6f97" stroke-width="1.5"/>{"".join(marks)}'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{x_label}</text></svg>\n',
        encoding="utf-8",
    )
    return path
