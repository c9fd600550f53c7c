"""What issue 5 asks of Tiled VCD, measured.

    python -m benchmarks.tiled                      # all parts
    python -m benchmarks.tiled --only drawn         # clips with known truth, 2 minutes on one core
    python -m benchmarks.tiled --only speed --width 320 --frames 16 --device cuda --dtype float16

Prints tables and writes them to docs/tiled.md; parts that are not run keep what stands there.
drawn: textured clips with known motion, painted by a denoiser with known faults (`benchmarks.painter`). world: the
shipped drawn world. memory: by the length of the video. speed: four tiles of 576 against nine of 512.
"""

import argparse
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import torch

from benchmarks import tiled_drawn, tiled_memory, tiled_speed, tiled_world
from benchmarks.rows import Row, table

TITLES = {
    "drawn": "Clips with known truth",
    "world": "The shipped drawn world",
    "memory": "Memory",
    "speed": "Speed",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    options = _options(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    size = tiled_speed.Size(options.width, options.frames, options.device, options.dtype, options.rounds)
    parts: dict[str, Callable[[], list[Row]]] = {
        "drawn": tiled_drawn.rows,
        "world": lambda: tiled_world.rows(options.videos),
        "memory": lambda: tiled_memory.rows(options.lengths),
        "speed": lambda: tiled_speed.rows(size),
    }
    for part in options.only:
        start = time.monotonic()
        found = table(parts[part]())
        print(f"## {TITLES[part]}\n\n{found}\n\n{time.monotonic() - start:.0f} s", flush=True)
        _write(options.out, TITLES[part], found)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tiled", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=TITLES, default=list(TITLES), help="parts to run")
    parser.add_argument("--out", type=Path, default=Path("docs/tiled.md"))
    parser.add_argument("--videos", type=int, default=8, help="of the drawn world")
    parser.add_argument("--lengths", type=int, nargs="+", default=[16, 64, 200], help="frames whose memory is measured")
    parser.add_argument("--width", type=int, default=32, help="channels of the UNet whose speed is measured")
    parser.add_argument("--frames", type=int, default=4, help="frames of its video")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args(arguments)


def _write(path: Path, title: str, found: str) -> None:
    """Put a part into the file, in the place of what it held before."""
    text = path.read_text() if path.exists() else "# Tiled VCD, measured\n\n`python -m benchmarks.tiled`\n"
    section = f"## {title}\n\n{found}\n"
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    if old.search(text):
        text = old.sub(lambda match: section + ("\n" if match.end() < len(match.string) else ""), text)
    else:
        text = f"{text.rstrip()}\n\n{section}"
    path.write_text(text)


if __name__ == "__main__":
    main()
