"""Long videos on the drawn world that the project ships: do they stay what they are, and which windows hold them best?

    python -m benchmarks.lasting                                    # measures what is missing, at most --videos of each
    python -m benchmarks.lasting --frames 64 --cells windows --part 0/2      # some of it, in one of two processes
    python -m benchmarks.lasting --report                           # writes docs/effects/lasting.md and its plots

Every video is measured once and remembered in OUT/lasting.jsonl, so an interrupted run goes on where it was. A video is
one of an individual that was learned (OUT/individuals), or of its class word alone, of 16, 64 and 256 frames of
128x128; windows of 16 frames that share 4, DPM++ 2M, 10 steps, CFG 4.5, gamma 0.15. Prompts and seeds are those of all
cells, so that a long video begins with the noise of the short one. "drawn" is the clip drawn for the same words.
The processor's own time counts, of one thread: about 0.9 seconds a frame, so 4 minutes for one of 256.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.identities import INDIVIDUALS, album, embedding, wish_of
from benchmarks.lasting_measures import lasting
from benchmarks.lasting_report import page
from benchmarks.log import Log
from benchmarks.options import report_options
from benchmarks.pages import share
from tools.toyworld.world import render, sample
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.settings import VideoSettings
from vcd_ext.toyworld.judging import load_judges
from vcd_ext.toyworld.likeness import appearance

LENGTHS, CONTEXT, OVERLAP = (16, 64, 256), 16, 4
FILE, VIDEOS = "lasting.jsonl", 6
DRAWN, WINDOWS = "drawn", "windows"


class Cell(NamedTuple):
    """How the windows of a row are laid; learned: of an individual, else of the class word."""

    settings: dict[str, Any]
    learned: bool = True


CELLS: dict[str, Cell | None] = {
    DRAWN: None,
    WINDOWS: Cell({"freenoise": False}),
    "FreeNoise": Cell({"freenoise": True}),
    "class word, windows": Cell({"freenoise": False}, learned=False),
    "class word, FreeNoise": Cell({"freenoise": True}, learned=False),
}


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, or write the page."""
    options = _options(arguments)
    if options.report:
        print(page(options.out, Log(options.out / FILE).rows(), list(CELLS), DRAWN, WINDOWS))
        return
    torch.set_num_threads(1)
    host, judges = Standalone.load(toyworld.checkpoint()), load_judges(toyworld.judges())
    log = Log(options.out / FILE)
    done = {(row["cell"], row["frames"], row["number"]) for row in log.rows()}
    part, parts = options.part
    for number in range(part, options.videos, parts):
        name = list(INDIVIDUALS)[number % len(INDIVIDUALS)]
        looks = appearance(judges, read_photos(album(name)).photos)
        for count in options.frames:
            for label in options.cells:
                if (label, count, number) in done:
                    continue
                cell, begun = CELLS[label], time.process_time()
                frames = video(host, cell, name, number, count, options.out)
                seconds = time.process_time() - begun
                own = looks if cell is None or cell.learned else None
                found = lasting(frames, judges, wish_of(name, number).scene, own, CONTEXT, OVERLAP)
                row = {"cell": label, "frames": count, "number": number, "who": name, **found, "seconds": seconds}
                log.note(row)
            print(f"{name}, video {number + 1} of {options.videos}: {count} frames are measured", flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = report_options("Measure long videos.", "write the table and plots of what was measured")
    parser.add_argument("--frames", type=int, nargs="+", default=list(LENGTHS), help="lengths of the videos")
    parser.add_argument("--videos", type=int, default=VIDEOS, help="videos in each cell")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL", help="to measure")
    parser.add_argument("--part", type=share, default=(0, 1), help="K/N: process K, from 0, of N, each with one core")
    return parser.parse_args(arguments)


def video(host: Standalone, cell: Cell | None, name: str, number: int, count: int, out: Path) -> NDArray[np.uint8]:
    """Return the video [count, 128, 128, 3] of a cell, or the clip that is drawn for the same words."""
    wish = wish_of(name, number)
    if cell is None:
        who: dict[str, str | int] = {"kind": wish.kind, "number": INDIVIDUALS[name][1], "subjects": 1}
        shown: dict[str, str | int] = {"scene": wish.scene, "action": wish.action, "distance": "plain", "light": "day"}
        # A camera that follows who runs and stands still otherwise: others would leave in so many frames.
        spec = sample(wish.seed, "eval", camera="follow", facing=wish.facing, **who, **shown)
        return render(spec, range(count)).frames
    learned = [embedding(host, name, out)] if cell.learned else []
    prompt = wish.of(f"{name} {wish.kind}") if cell.learned else wish.prompt
    settings = VideoSettings(frames=count, context=CONTEXT, overlap=OVERLAP, **cell.settings)
    picture = replace(PICTURE, prompt=prompt, seed=wish.seed)
    return host.generate(picture, settings, toyworld.motion_module(), learned).frames


if __name__ == "__main__":
    main()
