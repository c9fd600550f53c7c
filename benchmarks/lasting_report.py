"""Write what was measured of long videos: a table for each length, curves over the frames, and the bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows as bars
from benchmarks.lasting_measures import BLOCK, ratio_interval
from benchmarks.pages import of_world
from vcd_ext.metrics.intervals import Interval, interval, interval_table

Row = Mapping[str, Any]  # what one video measured
HEADS = {
    "likeness, first 16": lambda row: row["likeness"][0],
    "likeness, last quarter": lambda row: last(row, "likeness"),
    "place right, last quarter": lambda row: last(row, "place"),
    "looks as in the first 16, last quarter": lambda row: last(row, "looks"),
    "step at borders / within": lambda row: row["jump"],
    "its largest border": lambda row: row["worst"],
    "repetition": lambda row: row["repetition"],
    "flow, px/frame": lambda row: row["flow"],
    "processor, s": lambda row: row["seconds"],
}
CURVES = {"likeness": "likeness to the photos", "place": "place right", "looks": "looks as in the first 16 frames"}
# The bars: the likeness that must be kept, the highest jump, the share by which motion may differ.
KEEPS, JUMP, MOTION = 0.95, 1.2, 0.2
COLOURS = ("#2a6f97", "#c1440e", "#3a7d44", "#7b4b94", "#b8860b", "#555", "#d05c8c", "#00838f")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 300, 48, 210, 34, 40


def page(out: Path, found: Sequence[Row], cells: Sequence[str], drawn: str, short: str) -> str:
    """Write OUT/lasting.md and its plots; return the text.

    found: the measured videos. cells: their names, in order. drawn: that of the drawn clips; short: whose video of 16
    frames says how much a short one moves. Of each length and cell the videos are counted that all cells of it have.
    """
    first = of_world(
        "`python -m benchmarks.lasting`: means with 95% intervals (bootstrap over videos), which are wide where the "
        "videos are few"
    )
    parts = [first]
    for frames in sorted({row["frames"] for row in found}):
        of_length = by_cell([row for row in found if row["frames"] == frames], cells)
        count = len(next(iter(of_length.values())))
        lines = {
            cell: [_mean([value(row) for row in rows]) for value in HEADS.values()] for cell, rows in of_length.items()
        }
        parts.append(f"## {frames} frames, {count} videos in each row\n\n{interval_table(['', *HEADS], lines)}")
        if frames > 2 * BLOCK:
            for name, title in CURVES.items():
                file = f"lasting_{name}_{frames}.svg"
                curves(out / file, title, {c: _curve(r, name) for c, r in of_length.items()})
                parts.append(f"![{title}, {frames} frames]({file})")
            parts.append(_bars(of_length, [row for row in found if row["frames"] == BLOCK], drawn, short))
    text = "\n\n".join(parts) + "\n"
    (out / "lasting.md").write_text(text, encoding="utf-8")
    return text


def by_cell(found: Sequence[Row], cells: Sequence[str]) -> dict[str, list[Row]]:
    """Return the rows of each cell that was measured, those of the videos alone that all such cells have."""
    have = {cell: {row["number"]: row for row in found if row["cell"] == cell} for cell in cells}
    have = {cell: rows for cell, rows in have.items() if rows}
    common = sorted(set.intersection(*(set(rows) for rows in have.values())))
    return {cell: [rows[number] for number in common] for cell, rows in have.items()}


def last(row: Row, name: str) -> float:
    """Return the mean of the last quarter's blocks."""
    blocks = row[name]
    return float(np.mean(blocks[-max(len(blocks) // 4, 1) :]))


def _mean(values: Sequence[float]) -> Interval | str:
    there = [value for value in values if np.isfinite(value)]
    return interval(there) if there else "-"


def _curve(rows: Sequence[Row], name: str) -> list[Interval]:
    """Return the mean of each block of frames; empty where it cannot be told."""
    blocks = np.array([row[name] for row in rows], float).T
    return [interval(values) for values in blocks] if np.isfinite(blocks).all() else []


def _bars(of_length: Mapping[str, Sequence[Row]], shorts: Sequence[Row], drawn: str, short: str) -> str:
    """Return the issue's bars for each cell, with the intervals of what is measured."""
    moving = {row["number"]: row["flow"] for row in shorts if row["cell"] == short}
    lines = list[bars.Row]()
    for cell, rows in of_length.items():
        if cell == drawn:
            continue
        if np.isfinite(rows[0]["likeness"][0]):
            kept = ratio_interval([last(row, "likeness") for row in rows], [row["likeness"][0] for row in rows])
            lines.append(
                bars.Row(f"{cell}: likeness of the last quarter over the first 16", kept.mean, KEEPS, note=f"{kept}")
            )
        jump = interval([row["jump"] for row in rows])
        lines.append(bars.Row(f"{cell}: step at borders over the usual", jump.mean, high=JUMP, note=f"{jump}"))
        both = [row for row in rows if row["number"] in moving]
        if both:
            moves = ratio_interval([row["flow"] for row in both], [moving[row["number"]] for row in both])
            what = f"{cell}: motion over a short video's"
            lines.append(bars.Row(what, moves.mean, 1 - MOTION, 1 + MOTION, note=f"{moves}"))
        if drawn in of_length:
            gaps = [row["repetition"] - one["repetition"] for row, one in zip(rows, of_length[drawn], strict=True)]
            more = interval(gaps)
            lines.append(bars.Row(f"{cell}: repetition minus drawn clips'", more.mean, high=0.0, note=f"{more}"))
    return bars.table(lines)


def curves(path: Path, title: str, lines: Mapping[str, Sequence[Interval]]) -> None:
    """Draw a line with a band of its intervals for each cell over the blocks of frames, as SVG.

    Cells without points are left out.
    """
    drawn = {cell: points for cell, points in lines.items() if points}
    low = min(point.low for points in drawn.values() for point in points)
    high = max(point.high for points in drawn.values() for point in points)
    blocks = max(map(len, drawn.values()))

    def place(block: int, value: float) -> str:
        x = LEFT + block / max(blocks - 1, 1) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (value - low) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    marks = []
    for value in np.linspace(low, high, 4):
        x, y = place(0, value).split(",")
        marks.append(
            f'<text x="{LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{value:.2f}</text>'
            f'<line x1="{x}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#ddd"/>'
        )
    for number, (cell, points) in enumerate(drawn.items()):
        colour = COLOURS[number % len(COLOURS)]
        band = [place(i, p.high) for i, p in enumerate(points)]
        band += [place(i, p.low) for i, p in reversed(list(enumerate(points)))]
        middle = [place(i, p.mean) for i, p in enumerate(points)]
        marks.append(
            f'<polygon points="{" ".join(band)}" fill="{colour}" opacity="0.08"/>'
            f'<polyline points="{" ".join(middle)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
            f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 8 + 18 * number}" fill="{colour}">{cell}</text>'
        )
    path.write_text(_svg(title, "".join(marks), f"block of {BLOCK} frames, 1 to {blocks}"), encoding="utf-8")


def _svg(title: str, marks: str, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        f'font-size="11" fill="#333"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{LEFT}" y="20" font-size="13">{title}</text>{marks}'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{label}</text></svg>\n'
    )
