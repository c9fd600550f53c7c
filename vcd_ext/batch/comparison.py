"""Compare the methods of a protocol: means with intervals, and differences on the same subjects, prompts and seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vcd_ext.batch.protocol import Protocol
from vcd_ext.batch.results import Row
from vcd_ext.metrics.intervals import Interval, nested_interval

Key = tuple[str, str, int]  # subject, prompt, seed


@dataclass(frozen=True)
class Figure:
    """One cell of a table. without: videos that are missing or in which there was nothing to measure (NaN)."""

    interval: Interval
    videos: int  # that were measured
    without: int

    def __str__(self) -> str:
        """As it stands in a table."""
        if not self.videos:
            return "none"
        return f"{self.interval}, {self.videos}" + (f" (and {self.without} NaN)" if self.without else "")


Figures = Mapping[tuple[str, str], Figure]  # by method and measure


def figures(protocol: Protocol, rows: Sequence[Row]) -> Figures:
    """Return the mean of each measure of each method: bootstrap over subjects first, then prompts and seeds."""
    found = _values(protocol, rows)
    return {
        (method, measure): _figure(found[method, measure])
        for method in protocol.methods
        for measure in protocol.measures
    }


def paired_differences(protocol: Protocol, rows: Sequence[Row]) -> Figures:
    """Return each method's mean difference from the reference, video by video, so that prompt and seed drop out."""
    found = _values(protocol, rows)
    differences = {}
    for measure in protocol.measures:
        base = found[protocol.reference, measure]
        for method in protocol.methods:
            if method != protocol.reference:
                own = found[method, measure]
                gaps = {key: value - base.get(key, math.nan) for key, value in own.items()}
                differences[method, measure] = _figure(gaps)
    return differences


def _values(protocol: Protocol, rows: Sequence[Row]) -> dict[tuple[str, str], dict[Key, float]]:
    found: dict[tuple[str, str], dict[Key, float]] = {
        (method, measure): {} for method in protocol.methods for measure in protocol.measures
    }
    for row in rows:
        cell = row.cell
        for measure in protocol.measures:
            found[cell.method, measure][cell.subject, cell.prompt, cell.seed] = row.values.get(measure, math.nan)
    return found


def _figure(values: Mapping[Key, float]) -> Figure:
    grid = _grid(values)
    videos = int(np.isfinite(grid).sum())
    return Figure(nested_interval(grid), videos, len(values) - videos)


def _grid(values: Mapping[Key, float]) -> NDArray[np.float64]:
    """Return values [subjects, prompts, seeds]; subjects with fewer prompts than others have NaN there."""
    subjects = list(dict.fromkeys(key[0] for key in values))
    prompts = {who: list(dict.fromkeys(key[1] for key in values if key[0] == who)) for who in subjects}
    seeds = list(dict.fromkeys(key[2] for key in values))
    most = max(map(len, prompts.values()), default=0)
    grid = np.full((len(subjects), most, len(seeds)), np.nan)
    for (who, prompt, seed), value in values.items():
        grid[subjects.index(who), prompts[who].index(prompt), seeds.index(seed)] = value
    return grid
