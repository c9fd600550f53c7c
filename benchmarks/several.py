"""Two identities in one video, on the drawn world that the project ships: by regions, and by what people do otherwise.

    python -m benchmarks.several               # measures what is missing, at most --seeds of each pair and cell
    python -m benchmarks.several --report      # writes docs/effects/several.md
    python -m benchmarks.several --time        # what the UNet needs with two regions against without

Every video is measured once and remembered in OUT/several.jsonl, so an interrupted run goes on where it was. A video
is one of two individuals that were learned (docs/effects/individuals), 8 frames, 10 steps of DPM++ 2M, CFG 4.5;
places, actions and seeds are those of all cells. The judges were trained on pictures of one subject: each half of a
video is judged by the part of the subject's mask that lies in it. About 5 seconds of a free core a video. Hard regions
without the prompt are the attention mode of Regional Prompter.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.identities import INDIVIDUALS, album
from benchmarks.log import Log
from benchmarks.options import report_options
from benchmarks.several_cells import ALONE, CELLS, DRAWN, PAIRS, Wish, alone, made
from benchmarks.several_report import FILE, report
from benchmarks.several_time import unet_time
from vcd_ext import toyworld
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.metrics import motion as measures
from vcd_ext.metrics.nearest import nearest_rate
from vcd_ext.toyworld.judging import KINDS, SCENES, Judges, load_judges
from vcd_ext.toyworld.likeness import appearance
from vcd_ext.toyworld.measures import Others, read_others


class Seen(NamedTuple):
    """What the judges say of one half of a video."""

    vectors: NDArray[np.float32]  # [F, 64] unit vectors
    kind: str


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, or write the table."""
    options = _options(arguments)
    torch.set_num_threads(1)
    if options.report:
        print(report(options.out))
        return
    host = Standalone.load(toyworld.checkpoint())
    if options.time:
        print(unet_time(host))
        return
    judges = load_judges(toyworld.judges())
    others = read_others(toyworld.individuals(), toyworld.judges())
    looks = {name: appearance(judges, read_photos(album(name)).photos) for name in INDIVIDUALS}
    log = Log(options.out / FILE)
    done = {(row["cell"], row["pair"], row["seed"]) for row in log.rows()}
    for number in range(options.seeds):
        for pair in PAIRS:
            for cell in options.cells:
                key = (cell, "-".join(pair), Wish(pair, number).seed)
                if key not in done:
                    found = measured(host, judges, others, looks, cell, Wish(pair, number))
                    log.note({"cell": cell, "pair": key[1], "seed": key[2], **found})
        print(f"{number + 1} of {options.seeds} seeds", flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = report_options("Measure two identities in one video.")
    parser.add_argument("--seeds", type=int, default=16, help="videos of each pair in each cell")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL")
    parser.add_argument("--time", action="store_true", help="time the UNet with two regions against without")
    return parser.parse_args(arguments)


def measured(
    host: Standalone, judges: Judges, others: Others, looks: dict[str, NDArray[np.float32]], cell: str, wish: Wish
) -> dict[str, float]:
    """Make one video, of ALONE two, and return its measures. Without regions either may stand on either side."""
    pair = wish.pair
    if cell == ALONE:
        clips = alone(host, wish)
        halves = [seen(judges, frames, None) for frames in clips]
        frames = clips[0]
    else:
        frames = made(host, cell, wish)
        halves = [seen(judges, frames, half) for half in (0, 1)]
    if CELLS[cell].regions is None and cell not in (ALONE, DRAWN):
        halves = max([halves, halves[::-1]], key=lambda sides: _own(sides, pair, looks))
    likeness = np.array([[float((half.vectors @ looks[name]).mean()) for name in pair] for half in halves])
    near = [nearest_rate(half.vectors, looks[name], others[INDIVIDUALS[name][0]]) > 0.5
            for half, name in zip(halves, pair, strict=True)]  # fmt: skip
    places = judges.scenes(frames).mean(axis=0)
    return {
        "own": float(likeness.trace() / 2),
        "other": float((likeness[0, 1] + likeness[1, 0]) / 2) if cell != ALONE else float("nan"),
        "right": float(all(near)),
        "swapped": float(likeness[0, 1] > likeness[0, 0] and likeness[1, 0] > likeness[1, 1]),
        "kind": float(all(half.kind == INDIVIDUALS[name][0] for half, name in zip(halves, pair, strict=True))),
        "scene": float(SCENES[int(places.argmax())] == wish.scene),
        "flow": measures.flow_magnitude(frames),
    }


def _own(halves: list[Seen], pair: tuple[str, str], looks: dict[str, NDArray[np.float32]]) -> float:
    return sum(float((half.vectors @ looks[name]).mean()) for half, name in zip(halves, pair, strict=True))


def seen(judges: Judges, frames: NDArray[np.uint8], half: int | None) -> Seen:
    """Return what the judges say of the subject, of one half of the picture or, None, of all of it."""
    masks = np.stack([judges.detect(frame).mask for frame in frames])
    if half is not None:
        middle = frames.shape[2] // 2
        masks[:, :, middle:] *= half == 1
        masks[:, :, :middle] *= half == 0
    kinds = judges.kinds(frames, masks).mean(axis=0)
    return Seen(judges.identity(frames, masks), KINDS[int(kinds.argmax())])


if __name__ == "__main__":
    main()
