"""What *Speed* saves and costs on the drawn world that the project ships, beside the exact run and beside fewer steps.

    python -m benchmarks.speed --videos 24        # measures what is missing, about a minute of a free core for each
    python -m benchmarks.speed --report           # writes docs/effects/speed.md

Every video is measured once and remembered in OUT/speed.jsonl, so an interrupted run goes on where it was. 16 frames of
128x128, DPM++ 2M, CFG 4.5, prompts and seeds those of all rows. Seconds are the processor's own, of one thread, inside
the UNet with what hangs on it, and each video's ratio is to its own exact run right before it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.effects import Wish, measured, wishes
from benchmarks.log import Log
from benchmarks.pages import means_page
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.metrics.intervals import interval
from vcd_ext.settings import EXACT, FAST, FASTEST, VideoSettings
from vcd_ext.toyworld.judging import Judges, load_judges

FRAMES = 16
CELLS = {
    "exact, 20 steps": (EXACT, 20),
    "fast, 20 steps": (FAST, 20),
    "fastest, 20 steps": (FASTEST, 20),
    "exact, 11 steps": (EXACT, 11),  # about as long as fast
    "exact, 8 steps": (EXACT, 8),  # about as long as fastest
    "fast, 8 steps": (FAST, 8),  # few steps, as of distilled modules
    "fastest, 8 steps": (FASTEST, 8),
}
FIRST = next(iter(CELLS))
HEADS = {
    "times": "times as fast in the UNet",
    "apart": "apart from exact, of 255",
    "kind_right": "class right",
    "scene_right": "scene right",
    "action_right": "action right",
    "identity_drift": "identity drift",
    "consistency": "neighbours' correlation",
    "flow": "flow, px/frame",
    "flicker": "flicker, of 255",
}
FILE = "speed.jsonl"


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/effects"))
    parser.add_argument("--videos", type=int, default=24, help="videos in each row")
    parser.add_argument("--report", action="store_true", help="write the table of what was measured")
    options = parser.parse_args(arguments)
    if options.report:
        print(report(options.out))
        return
    torch.set_num_threads(1)
    host, judges = Standalone.load(toyworld.checkpoint()), load_judges(toyworld.judges())
    log = Log(options.out / FILE)
    done = {row["seed"] for row in log.rows()}
    for number, wish in enumerate(wishes(options.videos)):
        if wish.seed not in done:
            log.note(*_rows(host, judges, wish))
        print(f"{number + 1} of {options.videos} videos of each", flush=True)


def _rows(host: Standalone, judges: Judges, wish: Wish) -> Iterator[dict[str, Any]]:
    """Make one video in each way, and measure each beside the exact one."""
    exact: NDArray[np.uint8] | None = None
    seconds = 1.0
    for cell, (speed, steps) in CELLS.items():
        picture = replace(PICTURE, prompt=wish.prompt, seed=wish.seed, steps=steps)
        with _timed(host.unet) as spent:
            frames = host.generate(picture, VideoSettings(frames=FRAMES, speed=speed), toyworld.motion_module()).frames
        if exact is None:
            exact, seconds = frames, spent[0]
        yield {
            "cell": cell,
            "seed": wish.seed,
            "seconds": spent[0],
            "times": seconds / spent[0],
            "apart": float(np.abs(frames.astype(float) - exact).mean()),
            **asdict(measured(frames, wish, judges)),
        }


@contextmanager
def _timed(unet: nn.Module) -> Iterator[list[float]]:
    """Give the seconds of the processor that are spent in the UNet within this context, in a list of one."""
    spent, begun = [0.0], [0.0]

    def begin(*_: Any) -> None:
        begun[0] = time.process_time()

    def end(*_: Any) -> None:
        spent[0] += time.process_time() - begun[0]

    handles = [unet.register_forward_pre_hook(begin), unet.register_forward_hook(end)]
    try:
        yield spent
    finally:
        for handle in handles:
            handle.remove()


def report(out: Path) -> str:
    """Write the table of what was measured in all ways, and return it."""
    found = Log(out / FILE).rows()
    by_cell = {cell: [row for row in found if row["cell"] == cell] for cell in CELLS}
    rows = {cell: [interval([float(row[n]) for row in rows]) for n in HEADS] for cell, rows in by_cell.items()}
    return means_page(out / "speed.md", f"{len(by_cell[FIRST])} videos", list(HEADS.values()), rows)


if __name__ == "__main__":
    main()
