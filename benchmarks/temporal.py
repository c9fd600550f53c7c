"""The temporal transformers of a v2 module of SD1.5's true sizes, by operation and beside another version of them.

    OMP_NUM_THREADS=1 python -m benchmarks.temporal [--frames 8] [--size 128] [--against 59f901c] [--rounds 6]

--against: a commit of this repository, whose `vcd_ext/motion/module.py` runs in turn with today's on the same weights;
the best of the rounds counts, in seconds of the processor. A minute and 3 GiB. Weights are random: they cost the same.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from vcd_ext.motion import module as today

ROOT = Path(__file__).resolve().parents[1]
LEVELS = {320: (8, 5), 640: (16, 5), 1280: (32, 5), 1281: (64, 6)}  # channels: pixels to a place, transformers


def version_of(commit: str) -> ModuleType:
    """Import the temporal transformer of a commit, beside today's."""
    text = subprocess.run(
        ["git", "show", f"{commit}:vcd_ext/motion/module.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "module_before.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location("module_before", path)
        assert spec is not None
        assert spec.loader is not None
        made = sys.modules["module_before"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
    return made


def best_of(rounds: int, *runs: Callable[[], object]) -> list[float]:
    """Seconds of the processor that each takes at best, alternating."""
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            start = time.process_time()
            run()
            best[i] = min(best[i], time.process_time() - start)
    return best


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=128, help="pixels of a side")
    parser.add_argument("--against", default="", help="a commit of this repository")
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    versions = [today, *([version_of(options.against)] if options.against else [])]
    total = [0.0] * len(versions)
    print("| places | channels | seconds | GFLOP/s | before | ratio | apart |\n|---|---|---|---|---|---|---|")
    for name, (pixels, count) in LEVELS.items():
        channels, side = min(name, 1280), options.size // pixels
        hidden = torch.randn(2 * options.frames, channels, side, side)
        made: list[nn.Module] = [v.TemporalTransformer(v.BlockSize(channels, 1, 2, 32)).eval() for v in versions]
        for other in made[1:]:
            other.load_state_dict(made[0].state_dict())
        outputs = [each(hidden, options.frames) for each in made]
        seconds = best_of(options.rounds, *(partial(each, hidden, options.frames) for each in made))
        work = 2 * hidden.numel() // channels * 22 * channels**2
        line = f"| {side}x{side} | {channels} | {seconds[0]:.3f} | {work / seconds[0] / 1e9:.0f} |"
        if options.against:
            apart = (outputs[0] - outputs[1]).norm() / (outputs[1] - hidden).norm()
            line += f" {seconds[1]:.3f} | {seconds[0] / seconds[1]:.2f} | {apart:.1e} |"
        print(line, flush=True)
        total = [whole + count * each for whole, each in zip(total, seconds, strict=True)]
    print("all 21: " + ", ".join(f"{each:.2f} s" for each in total), end="")
    print(f", ratio {total[0] / total[1]:.2f}" if options.against else "")
    for version in versions:
        print(_top_ten(version, options.frames, options.size))


def _top_ten(version: ModuleType, frames: int, size: int) -> str:
    """Profile one transformer of each level."""
    made = []
    for name, (pixels, _) in LEVELS.items():
        block = version.TemporalTransformer(version.BlockSize(min(name, 1280), 1, 2, 32)).eval()
        made.append((block, torch.randn(2 * frames, min(name, 1280), size // pixels, size // pixels)))
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for block, hidden in made:
            block(hidden, frames)
    return str(seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=10, max_name_column_width=44))


if __name__ == "__main__":
    main()
