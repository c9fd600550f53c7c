"""What a Ray cluster costs and brings: overhead of a unit, one and two workers, and 1,600 videos on many GPUs.

    python -m benchmarks.cluster                          # a few minutes on 2 cores
    python -m benchmarks.cluster --log OUT/batch.jsonl    # the simulation alone, with the times of a plan that was run

The simulation takes units in the order of the real queue, each with its measured time, and one driver that hands them
out one after the other; it has no network and no shared drive.
"""

from __future__ import annotations

import argparse
import heapq
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from tests import tiny
from tests.batch.fake_lender import FakeLender, plan_text
from vcd_ext.batch.cluster import Request, in_cluster
from vcd_ext.batch.estimate import read_log
from vcd_ext.batch.plan import read_plan
from vcd_ext.batch.run import in_process, run_units
from vcd_ext.batch.unit import TRAINING, VIDEO, ModelFiles, TrainingWork, Unit, UnitResult, VideoWork
from vcd_ext.batch.waiting import Waiting
from vcd_ext.cli.batch import make_lender
from vcd_ext.progress import Callbacks
from vcd_ext.settings import GenerateSettings, TrainSettings, VideoSettings

SUBJECTS, VIDEOS = 16, 100  # of the paper: 25 prompts x 4 seeds for each
GPUS = (1, 8, 64, 512)
CASES: tuple[tuple[str, Callable[[], Any], int, int | None], ...] = (
    ("40 units that cost nothing, here", FakeLender, 40, None),
    ("the same on a cluster of 1 worker", FakeLender, 40, 1),
    ("12 videos, 1 worker", make_lender, 12, 1),
    ("12 videos, 2 workers", make_lender, 12, 2),
)
QUIET = Callbacks(lambda _: None, lambda _: None, lambda: False)


@dataclass(frozen=True)
class Times:
    """Seconds: of a unit by its kind, of a worker's start with its checkpoint, of the driver for each unit."""

    unit: dict[str, float]
    start: float
    overhead: float


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, help="batch.jsonl of a plan that was run")
    parser.add_argument("--start", type=float, default=30.0, help="seconds until a worker has its checkpoint")
    parser.add_argument("--overhead", type=float, default=0.01, help="seconds of the driver for each unit")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.log is None:
        measure(options.repeats)
        return
    lines = read_log(options.log.parent)
    seconds = {kind: median(line["seconds"] for line in lines if line["kind"] == kind) for kind in (TRAINING, VIDEO)}
    print(f"a training {seconds[TRAINING]:.1f} s, a video {seconds[VIDEO]:.1f} s, a start {options.start:.0f} s")
    report(Times(seconds, options.start, options.overhead))


def measure(repeats: int) -> None:
    """Print what was measured on this machine; in turn, for its load changes."""
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, lender, videos, workers in CASES:
            seconds = run(lender, videos, workers)
            found.setdefault(name, []).append(seconds)
            print(f"{name}: {seconds:.2f} s", flush=True)
    for name, values in found.items():
        print(f"{name}: median {median(values):.2f} s of {', '.join(f'{value:.2f}' for value in values)}")


def run(lender: Callable[[], Any], videos: int, workers: int | None) -> float:
    """Time a plan from its first result to its last, without the start of cluster and models."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny.checkpoint(folder)
        (folder / "photos").mkdir()
        Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(folder / "photos/1.png")
        text = plan_text(folder, str(list(range(videos)))).read_text()
        (folder / "plan.toml").write_text(text.replace("frames = 2\nsteps = 1", "frames = 8\nsteps = 4"))
        plan = read_plan(folder / "plan.toml")
        execute = in_process(lender()) if workers is None else in_cluster(Request("auto", plan.out, lender, workers))
        times: list[float] = []

        def timed(*arguments: Any) -> Any:
            for result in execute(*arguments):
                times.append(time.monotonic())
                yield result

        assert not run_units(plan.units, plan.out, timed, QUIET).failed
        return times[-1] - times[0]


def papers_units() -> list[Unit]:
    """Return the units of one method in the paper's comparison: 16 trainings, 1,600 videos."""
    models, units = ModelFiles(Path("sd15.safetensors")), list[Unit]()
    for i in range(SUBJECTS):
        units.append(Unit(f"identity {i}", (), "", TrainingWork(models, TrainSettings(), Path())))
    for i in range(SUBJECTS):
        work = VideoWork(models, GenerateSettings(), VideoSettings())
        units += [Unit(f"video {i} {j}", (), "", work, (f"identity {i}",)) for j in range(VIDEOS)]
    return units


def simulate(units: Sequence[Unit], gpus: int, times: Times) -> float:
    """Return the seconds until all units are done."""
    waiting, driver, events = Waiting(units, lambda _: 0.0), 0.0, list[tuple[float, int, str]]()
    idle, last = [(times.start, k) for k in range(gpus)], 0.0
    heapq.heapify(idle)
    loaded = ModelFiles(Path("sd15.safetensors")).checkpoint
    while waiting or events:
        while idle and (not events or idle[0][0] <= events[0][0]) and (unit := waiting.take(loaded)):
            free, worker = heapq.heappop(idle)
            driver = max(driver, free, last) + times.overhead
            heapq.heappush(events, (driver + times.unit[unit.kind], worker, unit.name))
        last, worker, name = heapq.heappop(events)
        heapq.heappush(idle, (last, worker))
        waiting.finished(UnitResult(name, 0.0))
    return last


def report(times: Times) -> None:
    """Print how the paper's 1,600 videos of one method scale."""
    one = simulate(papers_units(), 1, times)
    for gpus in GPUS:
        seconds = simulate(papers_units(), gpus, times)
        print(f"{gpus:4} GPUs: {seconds / 3600:8.2f} h, {one / seconds:6.1f} times one, {one / seconds / gpus:5.0%}")


if __name__ == "__main__":
    main()
