"""Effects of the method, measured on the drawn world that the project ships, with 95% intervals.

    python -m benchmarks.effects --part 0/2 & python -m benchmarks.effects --part 1/2 & wait
    python -m benchmarks.effects --report      # writes docs/effects/*.md and *.svg

Every video is measured once and remembered in OUT/videos.jsonl, so an interrupted run goes on where it was. Prompts
name combinations of kind, scene and action that no training read together; seeds are the same in every cell. DPM++ 2M,
10 steps, CFG 4.5, 16 frames of 128x128. About 6 seconds a video on one core; 32 videos in each of 9 cells.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.log import Log
from benchmarks.options import report_options
from benchmarks.pages import of_world, share
from tools.toyworld import captions
from tools.toyworld.identity import KINDS
from tools.toyworld.motion import ACTIONS
from tools.toyworld.world import render, sample
from vcd_ext import toyworld
from vcd_ext.cli.demo import FRAMES, PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.metrics import motion as measures
from vcd_ext.metrics.cosine import neighbour_cosine
from vcd_ext.metrics.intervals import Interval, interval, interval_table, plot
from vcd_ext.settings import VideoSettings
from vcd_ext.toyworld import judging
from vcd_ext.toyworld.judging import Judges, load_judges

GAMMAS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
SEEDS, FIRST_SEED = 32, 7_000
FILE = "videos.jsonl"
ON, OFF, DRAWN = "gamma 0.15", "module off", "drawn"
CELLS = (*(f"gamma {gamma:g}" for gamma in GAMMAS), OFF, DRAWN)


@dataclass(frozen=True)
class Wish:
    """What a video should show, and the seed that it starts from."""

    kind: str
    scene: str
    action: str
    seed: int

    @property
    def facing(self) -> int:
        """Where the subject faces: by turns 1, to the right, and -1."""
        return 1 if self.seed // 100 % 2 == 0 else -1

    @property
    def prompt(self) -> str:
        """The prompt, with the class word alone."""
        return self.of(f"a {self.kind}")

    def of(self, subject: str, distance: str = "plain") -> str:
        """Return the prompt for this phrase in the class word's place."""
        return captions.caption([subject], self.scene, self.action, distance, "day", self.facing)


@dataclass(frozen=True)
class Measured:
    """What one video does."""

    kind_right: float
    scene_right: float
    action_right: float
    identity_drift: float  # 1 - cosine of neighbours' identity vectors
    consistency: float  # correlation of neighbouring frames' pixels
    flow: float  # pixels a frame
    flicker: float  # 0 to 255


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, or write the report."""
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.report:
        report(options.out)
        return
    torch.set_num_threads(1)
    part, parts = options.part
    host, judges = Standalone.load(toyworld.checkpoint()), load_judges(toyworld.judges())
    log = Log(options.out / FILE)
    done = {(row["cell"], row["seed"]) for row in log.rows()}
    for wish in wishes(options.seeds)[part::parts]:
        for cell in options.cells:
            if (cell, wish.seed) not in done:
                found = measured(frames_of(host, cell, wish), wish, judges)
                row = {"cell": cell, "seed": wish.seed, "prompt": wish.prompt, **asdict(found)}
                log.note(row)
        print(f"{wish.prompt}: {len(options.cells)} videos are measured", flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = report_options(
        "Measure the effects of gamma and of the motion module.", "write tables and plots of what was measured"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="videos a cell")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL", help="to measure")
    parser.add_argument("--part", type=share, default=(0, 1), help="K/N: process K, from 0, of N, each with one core")
    return parser.parse_args(arguments)


def wishes(count: int) -> list[Wish]:
    """Each held-out combination in turn, each time with another seed."""
    unread = [(k, s, a) for k in KINDS for s in captions.PLACES for a in ACTIONS if captions.held_out(k, s, a)]
    return [Wish(*unread[i % len(unread)], seed=FIRST_SEED + 100 * i) for i in range(count)]


def frames_of(host: Standalone, cell: str, wish: Wish) -> NDArray[np.uint8]:
    """Return the video [16, 128, 128, 3] of a cell, or the clip that is drawn for the same words."""
    if cell == DRAWN:
        fixed: dict[str, str | int] = {
            "kind": wish.kind,
            "scene": wish.scene,
            "action": wish.action,
            "distance": "plain",
        }
        return render(sample(wish.seed, "test", light="day", facing=wish.facing, subjects=1, **fixed)).frames
    picture = replace(PICTURE, prompt=wish.prompt, seed=wish.seed)
    gamma = 0.15 if cell == OFF else float(cell.removeprefix("gamma "))
    module = None if cell == OFF else toyworld.motion_module()
    return host.generate(picture, VideoSettings(frames=FRAMES, gamma=gamma), module).frames


def measured(frames: NDArray[np.uint8], wish: Wish, judges: Judges) -> Measured:
    """All measures of one video."""
    vectors = judges.identity(frames)
    return Measured(
        kind_right=float(judging.KINDS[int(judges.kinds(frames).mean(0).argmax())] == wish.kind),
        scene_right=float(judging.SCENES[int(judges.scenes(frames).mean(0).argmax())] == wish.scene),
        action_right=float(judging.ACTIONS[int(judges.actions(frames).argmax())] == wish.action),
        identity_drift=1 - neighbour_cosine(vectors),
        consistency=measures.neighbour_correlation(frames),
        flow=measures.flow_magnitude(frames),
        flicker=measures.flicker(frames),
    )


def report(out: Path) -> None:
    """Write tables and plots of what was measured."""
    found = Log(out / FILE).rows()
    cells = [cell for cell in CELLS if any(row["cell"] == cell for row in found)]
    names = {
        "kind_right": "class right", "scene_right": "scene right", "action_right": "action right",
        "identity_drift": "identity drift", "consistency": "neighbour correlation", "flow": "flow, px/frame",
        "flicker": "flicker",
    }  # fmt: skip
    values = {(c, n): interval([float(r[n]) for r in found if r["cell"] == c]) for c in cells for n in names}
    text = interval_table(["", *names.values()], {cell: [values[cell, name] for name in names] for cell in cells})
    videos = " or ".join(sorted({f"{sum(row['cell'] == cell for row in found)}" for cell in cells}))
    first = of_world(f"{videos} videos in each row: means with 95% intervals (bootstrap)")
    (out / "gamma.md").write_text(f"{first}\n\n{text}\n", encoding="utf-8")
    print(text)
    gammas = [gamma for gamma in GAMMAS if f"gamma {gamma:g}" in cells]
    for name, label in names.items():
        line: Sequence[Interval] = [values[f"gamma {gamma:g}", name] for gamma in gammas]
        plot(out / f"gamma_{name}.svg", label, gammas, "gamma", line)
    for sentence in _compared(found):
        print(sentence)


def _compared(found: list[dict[str, float | str]]) -> Iterator[str]:
    """Differences between cells, seed by seed, so that the prompt's own share drops out."""
    by_cell = {cell: {r["seed"]: r for r in found if r["cell"] == cell} for cell in {str(r["cell"]) for r in found}}
    for one, other, name in (
        ("gamma 0.15", "gamma 0", "identity_drift"), ("gamma 0.15", "gamma 0", "flow"),
        ("gamma 0.15", "gamma 0", "flicker"), ("gamma 0.15", OFF, "identity_drift"),
    ):  # fmt: skip
        common = sorted(by_cell.get(one, {}).keys() & by_cell.get(other, {}).keys())
        if common:
            gaps = [float(by_cell[one][seed][name]) - float(by_cell[other][seed][name]) for seed in common]
            yield f"{name}: {one} minus {other}: {interval(gaps)}"


if __name__ == "__main__":
    main()
