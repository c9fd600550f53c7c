"""The rows of the quality table, from what `benchmarks.quality` has measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.effects import DRAWN, OFF, ON
from vcd_ext.metrics.intervals import Interval, interval

Rows = Sequence[dict[str, Any]]
RESAMPLED = 4000
# Wanted of a training on a CPU; the least, or between which two.
PSNR, LIKE, LIKE_FAR, CLASS, PLACE, ACTION, CLIPS = 25.0, 0.96, 0.88, 0.92, 0.97, 0.65, 0.60
FLOW, DRIFT, KNOWN, NEAREST, LOST, GAINED, BOTH = (0.67, 1.5), (0.0, 0.33), 0.60, 0.40, (-1.0, 0.05), 0.20, 0.60


def lines(videos: Rows, individuals: Rows, others: Rows) -> dict[str, list[object]]:
    """Return {what: [measured, wanted, kept or missed]}; what is not measured has no row."""
    return _reconstruction(others) | _single(videos) | _identity(individuals) | _rest(others)


def _reconstruction(rows: Rows) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for row in rows:
        if row["what"] == "autoencoder, plain":
            count = len(row["psnr"])
            found[f"figure through the autoencoder ({count}): PSNR in its mask, dB"] = least(row["psnr"], PSNR)
            found["likeness to itself after it, plain"] = least(row["likeness"], LIKE)
        if row["what"] == "autoencoder, far":
            found["likeness to itself after it, far"] = least(row["likeness"], LIKE_FAR)
    return found


def _single(rows: Rows) -> dict[str, list[object]]:
    cells = {cell: [row for row in rows if row["cell"] == cell] for cell in (ON, OFF, DRAWN)}
    if not all(cells.values()):
        return {}

    def of(cell: str, name: str) -> list[float]:
        return [float(row[name]) for row in cells[cell]]

    note = f" ({len(cells[ON])} videos)"
    return {
        f"class right{note}": least(of(ON, "kind_right"), CLASS),
        "place right": least(of(ON, "scene_right"), PLACE),
        "action right, pictures (module off)": least(of(OFF, "action_right"), ACTION),
        "action right, clips": least(of(ON, "action_right"), CLIPS),
        "class, place, action right, drawn clips": [
            ", ".join(f"{np.mean(of(DRAWN, name)):.2f}" for name in ("kind_right", "scene_right", "action_right")),
            "what the judges allow", "",
        ],
        "flow over drawn clips'": between(quotient(of(ON, "flow"), of(DRAWN, "flow")), FLOW),
        "identity drift, module on over off": between(
            quotient(of(ON, "identity_drift"), of(OFF, "identity_drift")), DRIFT
        ),
    }  # fmt: skip


def _identity(rows: Rows) -> dict[str, list[object]]:
    cells = {
        cell: {(r["who"], r["seed"]): r for r in rows if r["cell"] == cell} for cell in ("class word", "ID module")
    }
    plain, known = cells.values()
    common = sorted(plain.keys() & known.keys())
    if not common:
        return {}
    who = [name for name, _ in common]

    def of(cell: str, name: str) -> list[float]:
        return [float(cells[cell][key][name]) for key in common]

    def lost(name: str) -> Interval:
        pairs = zip(of("class word", name), of("ID module", name), strict=True)
        return interval([one - other for one, other in pairs], who)

    return {
        f"likeness with the ID module ({len(common)} videos of {len(set(who))})": least(
            of("ID module", "similarity"), KNOWN, who
        ),
        "likeness with the class word": [interval(of("class word", "similarity"), who), "", ""],
        "nearest of 200, ID module": least(of("ID module", "nearest"), NEAREST, who),
        "nearest of 200, class word": [interval(of("class word", "nearest"), who), "", ""],
        "class lost by the identity": between(lost("kind_right"), LOST),
        "place lost by the identity": between(lost("scene_right"), LOST),
    }


def _rest(rows: Rows) -> dict[str, list[object]]:
    faces = [row for row in rows if row["what"].startswith("far ")]
    seen = [row for row in faces if row["gained"] is not None]
    found: dict[str, list[object]] = {}
    if seen:
        found[f"Face VCD on far figures: likeness gained ({len(seen)} of {len(faces)} had a face)"] = least(
            [row["gained"] for row in seen], GAINED, [row["who"] for row in seen]
        )
    elif faces:
        found["Face VCD on far figures: likeness gained"] = [
            f"no face was found in {len(faces)} videos",
            GAINED,
            "MISSED",
        ]
    pairs = {what: [row for row in rows if row["what"] == what] for what in ("pair", "drawn pair")}
    if pairs["pair"]:
        drawn = float(np.mean([row["both"] for row in pairs["drawn pair"]]))
        found[f"two subjects asked for, two there ({len(pairs['pair'])} videos)"] = [
            interval([row["two"] for row in pairs["pair"]]), "", "",
        ]  # fmt: skip
        both = least([row["both"] for row in pairs["pair"]], BOTH)
        found["two there, both classes right"] = [f"{both[0]}; drawn clips: {drawn:.2f}", *both[1:]]
    seeds = [row["apart"] for row in rows if row["what"] == "seeds"]
    if seeds:
        found["two seeds, same prompt: mean difference, 0 to 255"] = [interval(seeds), "", ""]
    return found


def quotient(ones: Sequence[float], others: Sequence[float]) -> Interval:
    """Return the quotient of two means with its interval; values at one place are of one seed, and go together."""
    one, other = np.asarray(ones), np.asarray(others)
    chosen = np.random.default_rng(0).integers(len(one), size=(RESAMPLED, len(one)))
    low, high = np.percentile(one[chosen].mean(axis=1) / other[chosen].mean(axis=1), [2.5, 97.5])
    return Interval(float(one.mean() / other.mean()), float(low), float(high))


def least(values: Sequence[float], bar: float, groups: Sequence[object] | None = None) -> list[object]:
    """Return the cells of a row whose mean is to be `bar` at least."""
    found = interval(values, groups)
    return [found, f"{bar:g}", "kept" if found.mean >= bar else "MISSED"]


def between(found: Interval, bounds: tuple[float, float]) -> list[object]:
    """Return the cells of a row that is to lie between two bounds; a lower one of 0 or less is none."""
    low, high = bounds
    wanted = f"{low:g} to {high:g}" if low > 0 else f"at most {high:g}"
    return [found, wanted, "kept" if low <= found.mean <= high else "MISSED"]
