"""The page of `benchmarks.several`: the table, what differs between its rows, and what is missed with its cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.log import Log
from benchmarks.pages import means_page
from benchmarks.several_cells import ALONE, CELLS, DRAWN, PLAIN
from vcd_ext.metrics.intervals import Interval, interval

FILE = "several.jsonl"
HEADS = {
    "own": "likeness to own photos",
    "other": "to the other's",
    "right": "both right",
    "swapped": "swapped",
    "kind": "both classes right",
    "scene": "place right",
    "flow": "flow, px/frame",
}
SOFT, LESS = "soft regions, 0.4 of the prompt", "soft regions, 0.2 of the prompt"
FACED, FOLLOWED = "soft regions, 0.4, then Face VCD", "followed regions, 0.4 of the prompt"
COMPARED = [
    *((SOFT, PLAIN, name) for name in ("own", "other", "kind")),
    *((SOFT, LESS, name) for name in ("own", "kind")),
    *((FACED, SOFT, name) for name in ("own", "kind")),
    (FOLLOWED, SOFT, "own"),
    (SOFT, ALONE, "own"),
]
RIGHT, SWAPPED, LOST = 0.7, 0.05, 0.05  # what is asked of both right, swapped, and of likeness lost by being two

Row = dict[str, float | str]
Cells = Mapping[str, Mapping[tuple[str, float], Row]]  # by pair and seed


def report(out: Path) -> str:
    """Write the page of what was measured, of the pairs and seeds that all cells have, and return it."""
    cells: dict[str, dict[tuple[str, float], Row]] = {cell: {} for cell in CELLS}
    for row in Log(out / FILE).rows():
        if row["cell"] in cells:
            cells[str(row["cell"])][str(row["pair"]), float(row["seed"])] = row
    common = set.intersection(*(set(each) for each in cells.values()))
    if not common:
        raise SystemExit("No pair and seed is measured in all cells yet; run python -m benchmarks.several first.")
    shared = {cell: {key: found[key] for key in sorted(common)} for cell, found in cells.items()}
    rows = {
        cell: ["" if cell == ALONE and name in ("other", "swapped") else mean(found, name) for name in HEADS]
        for cell, found in shared.items()
    }
    videos = f"{len(common)} videos of {len({pair for pair, _ in common})} pairs"
    after = "\n".join([*_compared(shared), "", *_asked(shared)])
    return means_page(out / "several.md", videos, list(HEADS.values()), rows, " over pairs", after)


def mean(found: Mapping[tuple[str, float], Row], name: str) -> Interval:
    """Return the mean of a measure with its interval."""
    return interval([float(row[name]) for row in found.values()], [pair for pair, _ in found])


def gap(cells: Cells, one: str, other: str, name: str) -> Interval:
    """Return the mean difference of two cells, video by video, with its interval."""
    keys = list(cells[one])
    apart = [float(cells[one][key][name]) - float(cells[other][key][name]) for key in keys]
    return interval(apart, [pair for pair, _ in keys])


def _compared(cells: Cells) -> Iterator[str]:
    for one, other, name in COMPARED:
        yield f"- {HEADS[name]}: {one} minus {other}: {gap(cells, one, other, name)}"


def _asked(cells: Cells) -> Iterator[str]:
    """Yield what is asked of two identities, whether it is kept, and why not."""
    right, swapped, lost = mean(cells[SOFT], "right"), mean(cells[SOFT], "swapped"), gap(cells, SOFT, ALONE, "own")
    yield f"Asked of {SOFT}:"
    yield ""
    yield f"- both right in at least {RIGHT:g} of the videos: {right}, {_verdict(right.mean >= RIGHT)}"
    yield f"- swapped in at most {SWAPPED:g}: {swapped}, {_verdict(swapped.mean <= SWAPPED)}"
    yield f"- likeness at most {LOST:g} below that of each alone: {lost}, {_verdict(lost.mean >= -LOST)}"
    yield ""
    yield (
        f"'Right' is the nearest of 200 individuals in more than half of the frames. Of one identity that has the "
        f"picture for itself it is {mean(cells[ALONE], 'right')} for both here, and of clips that are drawn, not "
        f"denoised, {mean(cells[DRAWN], 'right')}: the judges, who see each half of the picture, do not allow what is "
        "asked, and this world's denoiser does not give it to one identity either ([quality](quality.md)). Drawn pairs "
        f"have a likeness of {mean(cells[DRAWN], 'own')} by the same judges, so what is lost beside another is lost in "
        "the denoiser; of the clips that it saw one in seven had two subjects, which is likely why."
    )


def _verdict(kept: bool) -> str:
    return "kept" if kept else "**missed**"
