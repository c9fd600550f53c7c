"""The noise prior, FreeNoise and FreeInit, each alone and together, on the drawn world that the project ships.

    python -m benchmarks.noise_priors               # measures what is missing, at most --videos of each cell
    python -m benchmarks.noise_priors --report      # writes docs/effects/noise_priors.md

Every video is measured once and remembered in OUT/noise_priors.jsonl, so an interrupted run goes on where it was. A
video is one of an individual that was learned (docs/effects/individuals), 24 frames of 128x128 in two windows of 16, so
that FreeNoise has something to do; DPM++ 2M, 10 steps, CFG 4.5; FreeInit samples once more. Prompts and seeds are those
of all cells. The processor's own time counts, of one thread. On a free core about 12 seconds a video, and twice that
with FreeInit: two and a half minutes for one of each cell.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from benchmarks.identities import INDIVIDUALS, LEARNED, album, embedding, wish_of
from benchmarks.log import Log
from benchmarks.options import report_options
from benchmarks.pages import means_page
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.metrics import motion as measures
from vcd_ext.metrics.intervals import interval
from vcd_ext.settings import VideoSettings
from vcd_ext.toyworld.judging import Judges, load_judges
from vcd_ext.toyworld.likeness import appearance, likeness

FRAMES, CONTEXT, OVERLAP, GAMMA, AGAIN = 24, 16, 8, 0.15, 1
NAMES: dict[str, dict[str, object]] = {
    "gamma": {"gamma": GAMMA},
    "FreeNoise": {"freenoise": True},
    "FreeInit": {"freeinit": AGAIN},
}
FILE = "noise_priors.jsonl"
HEADS = {
    "consistency": "neighbours' correlation",
    "ends": "first frame like last",
    "flow": "flow, px/frame",
    "flicker": "flicker, of 255",
    "likeness": "likeness",
    "seconds": "processor, s",
}


def cells() -> dict[str, dict[str, object]]:
    """Return the settings of each cell: every combination, by its name."""
    found = {}
    for chosen in product((False, True), repeat=len(NAMES)):
        names = [name for name, on in zip(NAMES, chosen, strict=True) if on]
        settings: dict[str, object] = {"gamma": 0.0, "freenoise": False}
        for name in names:
            settings |= NAMES[name]
        found[" + ".join(names) or "white noise"] = settings
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, or write the table."""
    options = _options(arguments)
    if options.report:
        print(report(options.out))
        return
    torch.set_num_threads(1)
    host, judges = Standalone.load(toyworld.checkpoint()), load_judges(toyworld.judges())
    log = Log(options.out / FILE)
    done = {(row["cell"], row["number"]) for row in log.rows()}
    for number in range(options.videos):
        for label, settings in cells().items():
            if (label, number) not in done:
                row = {"cell": label, "number": number, **measured(host, judges, number, settings)}
                log.note(row)
        print(f"{number + 1} of {options.videos} videos of each", flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = report_options("Measure noise prior, FreeNoise and FreeInit, alone and together.")
    parser.add_argument("--videos", type=int, default=8, help="videos in each cell")
    return parser.parse_args(arguments)


def measured(host: Standalone, judges: Judges, number: int, settings: dict[str, object]) -> dict[str, float | str]:
    """Make one video and return its measures."""
    name = list(INDIVIDUALS)[number % len(INDIVIDUALS)]
    wish, learned = wish_of(name, number), embedding(host, name, LEARNED)
    prompt = wish.of(f"{name} {wish.kind}")
    video = VideoSettings(frames=FRAMES, context=CONTEXT, overlap=OVERLAP, **settings)  # type: ignore[arg-type]
    picture, begun = replace(PICTURE, prompt=prompt, seed=wish.seed), time.process_time()
    frames = host.generate(picture, video, toyworld.motion_module(), [learned]).frames
    seconds = time.process_time() - begun
    looks = appearance(judges, read_photos(album(name)).photos)
    return {
        "who": name,
        "consistency": measures.neighbour_correlation(frames),
        "ends": measures.neighbour_correlation(np.stack([frames[0], frames[-1]])),
        "flow": measures.flow_magnitude(frames),
        "flicker": measures.flicker(frames),
        "likeness": likeness(judges, frames, looks),
        "seconds": seconds,
    }


def report(out: Path) -> str:
    """Write the table of what was measured of all cells, and return it."""
    found = Log(out / FILE).rows()
    by_cell: dict[str, Sequence[dict[str, float | str]]] = {
        label: [row for row in found if row["cell"] == label] for label in cells()
    }
    count = min(map(len, by_cell.values()))
    rows = {
        label: [interval([float(row[name]) for row in rows[:count]]) for name in HEADS]
        for label, rows in by_cell.items()
    }
    return means_page(out / "noise_priors.md", f"{count} videos", list(HEADS.values()), rows)


if __name__ == "__main__":
    main()
