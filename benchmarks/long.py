"""Memory of a long video beside a short one: text-to-video on the drawn world that the project ships.

    python -m benchmarks.long      # writes docs/long_memory.png

About 3 minutes on a free core. Each video is made by a process of its own, whose resident memory is noted every 20 ms
while the UNet denoises and while the VAE decodes; seconds are those of the processor. Expected: with 200 frames the
UNet needs as much as with 16, but for the latents of all frames (4 KiB each, several times), and in the end for their
pixels (48 KiB each).
"""

import argparse
import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from benchmarks.watched import MIB, Memory, Run, Watch, giving_back_at_once, plot
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.settings import VideoSettings

SHORT, LONG = 16, 200


class Shoot(NamedTuple):
    """What one video took; memory in MiB."""

    frames: int
    loaded: float  # before it began, with the models loaded
    denoised: float  # seconds after which the VAE began
    memory: Memory

    def peak(self, decoding: bool) -> float:
        """Return the most memory while the UNet worked, or while the VAE did."""
        return max(mib for seconds, mib in self.memory if (seconds > self.denoised) == decoding)

    def added(self, decoding: bool) -> float:
        """By how much that is more than before the video began."""
        return self.peak(decoding) - self.loaded

    def line(self) -> Run:
        """Return the run's line in the plot."""
        label = f"{self.frames} frames: {self.memory[-1][0]:.0f} s of CPU; from the line on it decodes"
        return Run(label, self.memory, self.denoised)


def main() -> None:
    """Make both videos, print the figures, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("docs/long_memory.png"))
    options = parser.parse_args()
    shoots = []
    for frames in (SHORT, LONG):
        with giving_back_at_once(), multiprocessing.get_context("spawn").Pool(1) as pool:
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
    plot([made.line() for made in shoots]).save(options.out, optimize=True)
    print(options.out)


def shoot(frames: int, steps: int) -> Shoot:
    """Make a video and watch the memory meanwhile."""
    torch.set_num_threads(1)
    host = Standalone.load(toyworld.checkpoint())
    picture = replace(PICTURE, prompt="photo of a dog on the beach, running, facing right", steps=steps, seed=1)
    module = toyworld.motion_module()
    # Libraries allocate what they keep when they are first used: one step of one window is made before.
    host.generate(replace(picture, steps=1), VideoSettings(frames=SHORT), module)
    ends: dict[int, float] = {}  # seconds by how much was done
    watch = Watch()

    def progress(done: int, _total: int) -> None:
        ends.setdefault(done, watch.seconds())

    host.generate(picture, VideoSettings(frames=frames), module, progress=progress)
    return Shoot(frames, watch.before, ends[steps * frames], watch.end())


if __name__ == "__main__":
    main()
