"""Training an identity beside the WebUI's own trainer, on SD1.5's true sizes, in one process of the real WebUI.

    python -m benchmarks.training [--size 256] [--batch 2] [--steps 4] [--rounds 1] [--keep FOLDER]

Ours, theirs with its default attention (the plain one: it takes the optimised off), and theirs with the optimised that
suits it best (training_xattention_optimizations and sdp); same model, batch, resolution and number of vectors. Needs
the WebUI that tests/webui uses and 12 GiB of memory; on one CPU core the defaults take half an hour. Weights are
random: they cost the same time. With --keep the models and what was measured stay in FOLDER, and the same command goes
on from there.

Expected: at least 1.8 times as many steps a second as their default and 1.5 times as many as their optimised one, less
peak memory, and at most 16 MB more memory than before once it is done.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from benchmarks.webui_video import GIB, data_folder
from tests.webui.server import Server
from vcd_ext.storage.atomic import atomically

KINDS = ("ours", "theirs", "theirs, optimised")
PHOTOS = 4
PATIENCE = 7200.0  # seconds for one training
MIB = 2**20

Run = dict[str, Any]


def draw_photos(folder: Path, size: int) -> Path:
    """Pictures with a subject that is cut out, as both trainers read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(PHOTOS):
        coarse = np.random.default_rng(i).integers(0, 256, (8, 8, 3), np.uint8)
        pixels = np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))
        alpha = np.zeros((size, size, 1), np.uint8)
        alpha[size // 4 : -size // 4, size // 4 : -size // 4] = 255
        Image.fromarray(np.concatenate([pixels, alpha], axis=2)).save(folder / f"{i}.png")
    return folder


class Bench:
    """The WebUI's process, and what was measured in it and before it."""

    def __init__(self, server: Server, results: Path, photos: Path, **sizes: int):
        self.server, self.results, self.photos, self.sizes = server, results, photos, sizes
        self.runs: dict[str, list[Run]] = json.loads(results.read_text()) if results.exists() else {}

    def run(self, kind: str, **sizes: int) -> Run:
        """One training."""
        body = {"kind": kind, "photos": str(self.photos), **self.sizes, **sizes}
        answer = requests.post(f"{self.server.url}/probe/trainer", json=body, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def measure(self, rounds: int) -> None:
        """All kinds in turn, `rounds` times; what is in the file of results is not measured again."""
        for number in range(rounds):
            for kind in KINDS:
                runs = self.runs.setdefault(kind, [])
                if len(runs) > number:
                    continue
                if not runs:
                    self.run(kind, steps=1)  # libraries take memory when they are first used, which is not given back
                runs.append(self.run(kind))
                print(f"{kind}: {runs[-1]}", flush=True)
                with atomically(self.results) as part:
                    part.write_text(json.dumps(self.runs))


def report(runs: dict[str, list[Run]]) -> None:
    """Print the tables."""
    figures = {kind: summary(runs[kind]) for kind in KINDS}
    ours = figures["ours"]
    print("| | ours | theirs | ratio | theirs, optimised | ratio |\n|---|---|---|---|---|---|")
    for name, less_is_better in (("steps a minute", False), ("processor seconds a step", True), ("peak (GiB)", True)):
        line = f"| {name} | {ours[name]:.2f} |"
        for kind in KINDS[1:]:
            other = figures[kind][name]
            line += f" {other:.2f} | {other / ours[name] if less_is_better else ours[name] / other:.2f} |"
        print(line)
    for name in ("at the peak more than before (GiB)", "allocated after it, more than before (MiB)"):
        print(f"| {name} | {ours[name]:.2f} |" + "".join(f" {figures[kind][name]:.2f} | |" for kind in KINDS[1:]))
    first = runs["ours"][0]
    print(f"\nOurs was expected to take {first['estimated']:.0f} s before it began; it took {first['seconds']:.0f} s.")


def summary(runs: list[Run]) -> dict[str, float]:
    """Return the median step of all runs, and the memory of the first."""
    steps = [step for run in runs for step in run["steps"]]
    first = runs[0]
    before, after = first["before"], first["after"]
    return {
        "steps a minute": 60 / statistics.median(wall for wall, _ in steps),
        "processor seconds a step": statistics.median(processor for _, processor in steps),
        "peak (GiB)": first["peak"] / GIB,
        "at the peak more than before (GiB)": (first["peak"] - before["resident"]) / GIB,
        "allocated after it, more than before (MiB)": (after["allocated"] - before["allocated"]) / MIB,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="side of the training pictures (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=2, help="pictures a step (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=4, help="of each training; the first is not timed (default: 4)")
    parser.add_argument("--rounds", type=int, default=1, help="trainings of each kind (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="folder to make the models in and keep, with what was measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = data_folder(options.keep or Path(temporary), None)
        sizes = {name: getattr(options, name) for name in ("steps", "size", "batch")}
        results = folder / f"training {options.size} {options.batch} {options.steps}.json"
        server = Server(folder)
        try:
            bench = Bench(server, results, draw_photos(folder / "photos", options.size), **sizes)
            bench.measure(options.rounds)
        finally:
            server.stop()
    report(bench.runs)


if __name__ == "__main__":
    main()
