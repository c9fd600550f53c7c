"""Memory of a long video beside a short one: text-to-video on the drawn world that the project ships.

    python -m benchmarks.long      # writes docs/long_memory.png

About 3 minutes on a free core. Each video is made by a process of its own, whose resident memory is noted every 20 ms
while the UNet denoises and while the VAE decodes; seconds are those of the processor. Expected: with 200 frames the
UNet needs as much as with 16, but for the latents of all frames (4 KiB each, several times), and in the end for their
pixels (48 KiB each).
"""

import argparse
import multiprocessing
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil
import torch
from PIL import Image, ImageDraw

from vcd_ext import toyworld
from vcd_ext.demo import PICTURE
from vcd_ext.hosts.standalone import Standalone
from vcd_ext.settings import VideoSettings

MIB = 2**20
SHORT, LONG = 16, 200
SECONDS_BETWEEN = 0.02
SIDES, LEFT, RIGHT, TOP, BOTTOM = (760, 360), 60, 16, 34, 44
COLOURS = {SHORT: (214, 120, 30), LONG: (40, 90, 170)}


class Shoot(NamedTuple):
    """What one video took; memory in MiB."""

    frames: int
    loaded: float  # before it began, with the models loaded
    denoised: float  # seconds after which the VAE began
    memory: list[tuple[float, float]]  # (seconds, MiB)

    def peak(self, decoding: bool) -> float:
        """The most while the UNet worked, or while the VAE did."""
        return max(mib for seconds, mib in self.memory if (seconds > self.denoised) == decoding)

    def added(self, decoding: bool) -> float:
        """By how much that is more than before the video began."""
        return self.peak(decoding) - self.loaded


def main() -> None:
    """Make both videos, print the figures, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("docs/long_memory.png"))
    options = parser.parse_args()
    # Without this the C library keeps what is freed, and what is resident says little about what is needed.
    os.environ["MALLOC_MMAP_THRESHOLD_"] = str(2**20)
    shoots = []
    for frames in (SHORT, LONG):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            made = pool.apply(shoot, (frames, options.steps))
        shoots.append(made)
        print(
            f"{frames} frames: {made.memory[-1][0]:.0f} s of CPU; {made.loaded:.1f} MiB before, at most "
            f"{made.peak(False):.1f} MiB while denoising and {made.peak(True):.1f} MiB while decoding",
            flush=True,
        )
    short, long = shoots
    print(
        f"{LONG} frames add {long.added(False) - short.added(False):+.1f} MiB more while denoising and "
        f"{long.added(True) - short.added(True):+.1f} MiB more while decoding; their pixels are "
        f"{(LONG - SHORT) * 3 * toyworld.SIZE**2 / MIB:.1f} MiB"
    )
    drawn(shoots).save(options.out, optimize=True)
    print(options.out)


def shoot(frames: int, steps: int) -> Shoot:
    """Make a video and watch the memory meanwhile."""
    torch.set_num_threads(1)
    host = Standalone.load(toyworld.checkpoint())
    picture = replace(PICTURE, prompt="a dog running on the beach", steps=steps, seed=1)
    module = toyworld.motion_module()
    # Libraries allocate what they keep when they are first used: one step of one window is made before.
    host.generate(replace(picture, steps=1), VideoSettings(frames=SHORT), module)
    watch = _Watch()
    host.generate(picture, VideoSettings(frames=frames), module, progress=watch.progress)
    memory = watch.end()
    denoised = next(seconds for seconds, done in watch.done if done == steps * frames)
    return Shoot(frames, watch.loaded, denoised, memory)


class _Watch:
    """Notes the resident memory of this process, and when how much of the video was done."""

    def __init__(self) -> None:
        self.process, self.began = psutil.Process(), time.process_time()
        self.loaded = self._resident()
        self.done: list[tuple[float, int]] = []
        self._memory: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._note, daemon=True)
        self._thread.start()

    def progress(self, done: int, _total: int) -> None:
        self.done.append((time.process_time() - self.began, done))

    def end(self) -> list[tuple[float, float]]:
        """Stop; (seconds, MiB) since the beginning."""
        self._ended.set()
        self._thread.join()
        return self._memory

    def _note(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN):
            self._memory.append((time.process_time() - self.began, self._resident()))

    def _resident(self) -> float:
        now = self.process.memory_info()
        return (now.rss - now.shared) / MIB  # what is mapped from files comes and goes as the system likes


def drawn(shoots: list[Shoot]) -> Image.Image:
    """A plot of the memory over each run, from its beginning to its end."""
    picture = Image.new("RGB", SIDES, "white")
    draw = ImageDraw.Draw(picture)
    width, height = SIDES[0] - LEFT - RIGHT, SIDES[1] - TOP - BOTTOM
    top = max(mib for made in shoots for _, mib in made.memory) * 1.1
    for line in range(5):
        y = TOP + height * (1 - line / 4)
        draw.line([(LEFT, y), (LEFT + width, y)], fill=(225, 225, 225))
        draw.text((6, y - 6), f"{top * line / 4:.0f} MiB", fill=(90, 90, 90))
    for number, made in enumerate(shoots):
        colour, whole = COLOURS[made.frames], made.memory[-1][0]
        points = [(LEFT + width * seconds / whole, TOP + height * (1 - mib / top)) for seconds, mib in made.memory]
        draw.line(points, fill=colour, width=2)
        x = LEFT + width * made.denoised / whole
        draw.line([(x, TOP), (x, TOP + height)], fill=colour)
        label = f"{made.frames} frames: {whole:.0f} s of CPU; from the line on it decodes"
        draw.text((LEFT + 320 * number, 10), label, fill=colour)
    caption = "resident memory from the beginning to the end of each run, models and libraries included"
    draw.text((LEFT, SIDES[1] - 26), caption, fill=(90, 90, 90))
    return picture


if __name__ == "__main__":
    main()
