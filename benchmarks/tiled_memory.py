"""Memory of Tiled VCD by the length of the video, with a plot of the shortest and the longest."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import tiled_world
from benchmarks.rows import Row
from benchmarks.watched import MIB, Memory, Run, Watch, giving_back_at_once, plot
from vcd_ext.hosts.protocols import Picture
from vcd_ext.settings import NO_MODULE, TiledSettings
from vcd_ext.tiled import upscale

SHORT, LONG, SIDE = 4, 12, 512  # frames, pixels


class Mirror:
    """A `VideoHost` that gives back what it is given, frame by frame."""

    def upscalers(self) -> list[str]:
        """One."""
        return ["repeat"]

    def controlnet(self, note: Callable[[str], None]) -> str:
        """None."""
        return NO_MODULE

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        """Every pixel as a square."""
        return picture.repeat(int(scale), axis=0).repeat(int(scale), axis=1)

    def denoise(self, frames: Sequence[Picture], *_: Any, **__: Any) -> Iterator[Picture]:
        """Each frame twice read, as by an encoder and at the end."""
        for frame in frames:
            assert frame.dtype == np.float32
        yield from frames


def rows(lengths: Sequence[int], picture: Path) -> list[Row]:
    """Return what a frame takes in the project's own arrays, and what a video takes with all of a small model.

    picture: the file of the plot.
    """
    runs = {frames: _apart(frames) for frames in sorted(lengths)}
    peaks = {frames: max(mib for _, mib in memory) for frames, memory in runs.items()}
    first, last = min(lengths), max(lengths)
    a_frame = (peaks[last] - peaks[first]) * MIB / (last - first)
    own = 2 * 256 * 256 * 3 * 1.5  # in half precision, and as bytes
    lines = [Run(f"{n} frames: {runs[n][-1][0]:.0f} s of CPU", runs[n]) for n in (first, last)]
    plot(lines).save(picture, optimize=True)
    return [
        Row("memory for a frame at 1024x1024, MB", _for_a_frame(), high=16, note="input, enlarged and finished"),
        *[Row(f"peak with the drawn world at 256x256, {n} frames, MiB", peak) for n, peak in peaks.items()],
        Row("of which for each frame more, KiB", a_frame / 1024, note=f"its pictures alone: {own / 1024:.0f}"),
    ]


def _for_a_frame() -> float:
    """Megabytes in all arrays at the highest, by the difference of two lengths."""
    peaks = []
    for count in (SHORT, LONG):
        tracemalloc.start()
        upscale(Mirror(), np.zeros((count, SIDE, SIDE, 3), np.uint8), TiledSettings(seed=1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return (peaks[1] - peaks[0]) / (LONG - SHORT) / 1e6


def _apart(frames: int) -> Memory:
    """Memory over a run in a process of its own."""
    with giving_back_at_once(), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, frames).result()


def _run(frames: int) -> Memory:
    torch.set_num_threads(1)
    clip = np.random.default_rng(0).integers(0, 256, (frames, 128, 128, 3), dtype=np.uint8)
    host = tiled_world.host()
    watch = Watch()
    upscale(host, clip, tiled_world.SETTINGS)
    return watch.end()
