"""How time and memory grow with frames, size and people: exponents, fitted on a log-log plot.

    python -m benchmarks.growth                   # writes docs/growth.svg and prints the table
    python -m benchmarks.growth --only frames size

On the drawn world that the project ships, one thread, seconds of the processor; each point is a process of its own. The
exponent of a row is the slope of log seconds over log of what grows. Expected: frames linear (1), memory flat in
frames (near 0 but for the latents and pixels of all frames), size quadratic (2, more where attention begins to count),
people linear. About 40 minutes of a free core; `--most` ends each row earlier.
"""

import argparse
import multiprocessing
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.watched import Watch, giving_back_at_once
from vcd_ext import toyworld
from vcd_ext.cli.demo import FACE, PICTURE
from vcd_ext.face import Detection, restore
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.settings import VideoSettings

ROWS = {"frames": (16, 64, 256, 1024), "size": (256, 512, 1024), "people": (1, 2, 4, 8)}
STEPS, FRAMES = 1, 16  # of each video, where they are not what grows
SIDES, LEFT, TOP = (760, 300), 60, 30


class Point(NamedTuple):
    """What one run took."""

    value: int  # of what grows
    seconds: float
    added: float  # MiB at the most, above what was resident before


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*ROWS], default=[*ROWS])
    parser.add_argument("--most", type=float, default=float("inf"), help="leave out larger values")
    parser.add_argument("--out", type=Path, default=Path("docs/growth.svg"))
    options = parser.parse_args(arguments)
    found = {}
    print("| what grows | values | seconds | exponent | MiB added | exponent |\n|---|---|---|---|---|---|")
    for what in options.only:
        points = [_apart(what, value) for value in ROWS[what] if value <= options.most]
        found[what] = points
        print(_line(what, points), flush=True)
    options.out.write_text(_plot(found), encoding="utf-8")
    print(options.out)


def exponent(points: Sequence[Point], of: str) -> float:
    """Return the slope of a straight line through the points on a log-log plot; NaN of fewer than two."""
    if len(points) < 2:
        return float("nan")
    x, y = (np.log([max(getattr(point, name), 1e-3) for point in points]) for name in ("value", of))
    return float(np.polyfit(x, y, 1)[0])


def _line(what: str, points: Sequence[Point]) -> str:
    values, seconds, added = (", ".join(f"{getattr(p, n):.4g}" for p in points) for n in Point._fields)
    slopes = [f"{exponent(points, of):.2f}" for of in ("seconds", "added")]
    return f"| {what} | {values} | {seconds} | {slopes[0]} | {added} | {slopes[1]} |"


def _apart(what: str, value: int) -> Point:
    with giving_back_at_once(), multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (what, value))


def _measured(what: str, value: int) -> Point:
    """Make one video, or repair the faces of one, in this process."""
    torch.set_num_threads(1)
    host, module = Standalone.load(toyworld.checkpoint()), toyworld.motion_module()
    side = value if what == "size" else 128
    picture = replace(
        PICTURE, prompt="photo of a dog on the beach, standing", steps=STEPS, seed=1, width=side, height=side
    )
    video = VideoSettings(frames=value if what == "frames" else FRAMES)
    # Libraries allocate what they keep when they are first used: one window is made before.
    host.generate(replace(picture, width=128, height=128), VideoSettings(frames=FRAMES), module)
    watch = Watch()
    if what == "people":
        _repair(host, value)
    else:
        host.generate(picture, video, module)
    seconds = watch.seconds()
    memory = watch.end()
    return Point(value, seconds, max(mib for _, mib in memory) - watch.before)


def _repair(host: Standalone, people: int) -> None:
    """Repair so many faces, side by side, of a video of noise."""
    frames = np.random.default_rng(0).integers(0, 256, (FRAMES, 64, 64 * people, 3), dtype=np.uint8)
    faces = [Detection((64.0 * i + 16, 16.0, 64.0 * i + 48, 48.0), 0.9) for i in range(people)]
    settings = replace(FACE, prompt="a dog", steps=STEPS, motion_module=str(toyworld.motion_module()), seed=1)
    restore(StandaloneVideo(host), frames, replace(settings, max_faces=people), detector=lambda _: faces)


def _plot(found: dict[str, list[Point]]) -> str:
    """Draw seconds over what grows, both logarithmic, one panel for each, as SVG."""
    width, height = SIDES[0] / max(len(found), 1), SIDES[1] - 2 * TOP
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"']
    parts[0] += f' width="{SIDES[0]}" height="{SIDES[1]}">'
    for number, (what, points) in enumerate(found.items()):
        left = number * width + LEFT
        x, y = (np.log([getattr(p, n) for p in points]) for n in ("value", "seconds"))
        across = (x - x.min()) / max(np.ptp(x), 1e-9) * (width - LEFT - 20) + left
        down = TOP + height - (y - y.min()) / max(np.ptp(y), 1e-9) * height
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="#2a5caa" stroke-width="2"/>')
        for a, b, point in zip(across, down, points, strict=True):
            parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="#2a5caa"/>')
            parts.append(f'<text x="{a - 40:.1f}" y="{b - 6:.1f}">{point.seconds:.3g} s</text>')
            parts.append(f'<text x="{a - 10:.1f}" y="{SIDES[1] - 8}">{point.value}</text>')
        parts.append(f'<text x="{left}" y="16">{what}: exponent {exponent(points, "seconds"):.2f}</text>')
    return "\n".join([*parts, "</svg>"])


if __name__ == "__main__":
    main()
