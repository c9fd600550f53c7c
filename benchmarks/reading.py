"""Reading a film of 1080p beside plain PyAV: time, and memory that does not grow with the film.

    python -m benchmarks.reading      # 600 frames; --frames 120 for a quick look

Needs room for the frames, 6 MB each, twice in the folder for temporary files, and some minutes. Each film is encoded
here. Plain is PyAV's decoder and its one conversion to RGB with the same flags, into an array of the same kind. Both
are run in turns in one process, and the best of each is compared, in seconds of the clock and of the processor;
expected: ours takes at most 1.1 times as long. Films that need more than that, HDR, interlaced, of pixels that are not
square, are shown beside it without a bound. Memory is what of the process lies in no file (frames above 1 GiB do); it
must be the same for a film that is twice as long.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from benchmarks.rows import Row, table
from vcd_ext import media
from vcd_ext.media.containers import PRECISE
from vcd_ext.storage.disk_array import allocate

HEIGHT, WIDTH = 1080, 1920
SLOWEST = 1.1  # times as long as plain PyAV
GROWTH = 64.0  # MiB that may be more for twice as many frames
BT709, BT2020, HLG = 1, 9, 18


def main() -> None:
    """Encode the films, read them in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = [*speed(Path(folder), options.frames, options.runs), *memory(Path(folder), options.frames)]
    print(table(measured))


def speed(folder: Path, frames: int, runs: int) -> Iterator[Row]:
    """How long ours takes, as a multiple of plain PyAV, for each kind of film."""
    yield from rows(f"{frames} frames", film(folder / "usual.mp4", frames), runs, SLOWEST)
    few = max(frames // 10, 10)
    others: tuple[tuple[str, dict[str, Any]], ...] = (
        ("pixels of 4:3", {"sample_aspect_ratio": Fraction(4, 3)}),
        ("interlaced", {"options": {"flags": "+ilme+ildct", "x264-params": "tff=1"}}),
        ("HDR", {"pix": "yuv420p10le", "colorspace": BT2020, "color_primaries": BT2020, "color_trc": HLG}),
    )
    for name, marks in others:
        yield from rows(f"{few} frames, {name}", film(folder / "other.mkv", few, **marks), 1)


def memory(folder: Path, frames: int) -> Iterator[Row]:
    """Measure the most that reading needs beside files, for the film and for one of twice its length."""
    peaks = []
    for count in (frames, 2 * frames):
        path = film(folder / f"long{count}.mp4", count)
        with watched() as peak:
            clip = media.read(path)
        held = 0 if isinstance(clip.frames, np.memmap) else clip.frames.nbytes / 2**20
        peaks.append(peak[0] - held)
        del clip
    yield Row("MiB beside the frames", peaks[0])
    yield Row("MiB more for twice as many frames", peaks[1] - peaks[0], high=GROWTH)


def film(path: Path, frames: int, pix: str = "yuv420p", options: dict[str, str] | None = None, **marks: Any) -> Path:
    """Blocks of colour that move to the right."""
    still = np.random.default_rng(0).integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    turned = [av.VideoFrame.from_ndarray(np.roll(still, 8 * i, 1), "rgb24").reformat(format=pix) for i in range(16)]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"} | (options or {}))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix
        for name, value in marks.items():
            setattr(stream.codec_context, name, value)
        for i in range(frames):
            picture = turned[i % len(turned)]
            picture.pts = i
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def plain(path: Path) -> None:
    """Read a film with PyAV alone."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        frames = allocate((stream.frames or 1000, HEIGHT, WIDTH, 3), np.uint8)
        for i, frame in enumerate(container.decode(stream)):
            converted = frame.reformat(format="rgb24", src_colorspace=BT709, interpolation=PRECISE)
            frames[i] = converted.to_ndarray()


def read(path: Path) -> None:
    """Read a film as the extension does."""
    media.read(path)


class Took(NamedTuple):
    """Seconds of the clock and of the processor."""

    clock: float
    processor: float


def best(path: Path, runs: int) -> tuple[Took, Took]:
    """Measure the least that plain PyAV and ours take, run in turns."""
    times: tuple[list[Took], list[Took]] = ([], [])
    for _ in range(runs):
        for way, taken in zip((plain, read), times, strict=True):
            clock, processor = time.perf_counter(), time.process_time()
            way(path)
            taken.append(Took(time.perf_counter() - clock, time.process_time() - processor))
    least = [Took(*map(min, zip(*taken, strict=True))) for taken in times]
    return least[0], least[1]


def rows(what: str, path: Path, runs: int, high: float = float("inf")) -> Iterator[Row]:
    """How long ours takes for a film, as a multiple of plain PyAV."""
    plainly, ours = best(path, runs)
    for clock, one, other in zip(Took._fields, ours, plainly, strict=True):
        yield Row(f"{what}, by the {clock}", one / other, high=high, note=f"{one:.1f} s by {other:.1f} s")


@contextmanager
def watched() -> Iterator[list[float]]:
    """Within this context the first item is the most MiB that the process had beside files, above the beginning."""
    begin, peak, over = _anonymous(), [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], _anonymous() - begin)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _anonymous() -> float:
    """MiB of this process that lie in no file."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
