"""What issue 5 asks of Face VCD and Tiled VCD, measured.

    python -m benchmarks.repair                     # every part that is not measured yet
    python -m benchmarks.repair --only face-world   # this part, whether it is or not
    python -m benchmarks.repair --again             # all of them

Writes docs/repair.md, and docs/repair.json, which remembers each part's rows as soon as they are measured: a run that
was interrupted goes on where it was. Parts that need the shipped world are measured anew when its weights are others.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import torch

from benchmarks import (
    face_drawn,
    face_painting,
    face_photo,
    face_tracking,
    repair_share,
    tiled_drawn,
    tiled_memory,
    tiled_speed,
    tiled_world,
)
from benchmarks.log import weights
from benchmarks.remembered import Part, Remembered
from benchmarks.rows import Row, table

Sizes = argparse.Namespace
MEMORY = "tiled_memory.png"


class Kind(NamedTuple):
    """One part of the table: its title, what measures it, and which options change what is measured."""

    title: str
    measure: Callable[[Sizes], list[Row]]
    options: tuple[str, ...] = ()
    of_world: bool = False  # whether the shipped world's weights do
    all_cores: bool = False
    plot: str = ""  # a file beside the table


def _speed(sizes: Sizes) -> list[Row]:
    return tiled_speed.rows(tiled_speed.Size(sizes.width, sizes.frames, sizes.device, sizes.dtype, sizes.rounds))


KINDS = {
    "tracking": Kind("Face VCD: who is where, clips with known truth", lambda _: face_tracking.rows()),
    "painting": Kind("Face VCD: what comes back, denoisers with known painting", lambda _: face_painting.rows()),
    "photo": Kind("Face VCD: a real face", lambda _: face_photo.rows()),
    "face-speed": Kind("Face VCD: speed", lambda _: face_photo.speed_rows(), all_cores=True),
    "face-world": Kind(
        "Face VCD: the shipped drawn world, subjects far away", lambda s: face_drawn.rows(s.videos), ("videos",), True
    ),
    "tiles": Kind("Tiled VCD: clips with known truth", lambda _: tiled_drawn.rows()),
    "tiled-world": Kind(
        "Tiled VCD: the shipped drawn world", lambda s: tiled_world.rows(s.clips), ("clips",), True
    ),
    "memory": Kind(
        "Tiled VCD: memory", lambda s: tiled_memory.rows(s.lengths, s.out / MEMORY), ("lengths",), plot=MEMORY
    ),
    "tiled-speed": Kind("Tiled VCD: speed", _speed, ("width", "frames", "device", "dtype", "rounds")),
    "share": Kind("Everything except denoising and decoding", lambda s: repair_share.rows(s.share_frames),
                  ("share_frames",)),
}  # fmt: skip

# Why a bound is missed, by the beginning of what is measured; each as other rows of its part show it.
CAUSES = {
    "likeness after Face VCD, minus frame by frame": "Both repairs have the same embedding, prompt and seeds, and "
    "likeness is measured in single frames: the motion module makes the face steady (see the flicker), not more "
    "alike. The difference is too near zero for so few videos.",
    "likeness after Face VCD, minus before": "The gain differs more between the videos than so few of them average.",
    "flicker over that of plain enlarging": "Plain enlarging has no detail that could flicker; the detail that the "
    "denoiser paints is held over time by the small world's motion module alone. The tiles' share is the "
    "next row.",
    "colour shift": "The denoiser shifts colours by 4.6 and 3.8 (two of the videos, 4 frames each, weights "
    "564d3aa4c1). *Keep colours* at its default, 24, leaves 1.23 and 1.18 of that; 18 would leave 0.90 and 0.88 "
    "for 1% less sharpness, 12 would "
    "leave 0.57 and 0.58, and flicker with it falls by a fifth, for 3 to 4%.",
    "likeness to the individual, minus": "The interval holds 0: what is painted is no less like the individual than "
    "plain enlarging, and no more.",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is not measured yet, and write."""
    sizes = _options(arguments)
    sizes.out.mkdir(parents=True, exist_ok=True)
    known = Remembered(sizes.out / "repair.json")
    for name, kind in KINDS.items():
        made_of = _made_of(kind, sizes)
        if sizes.only and name not in sizes.only:
            continue
        if not (sizes.only or sizes.again) and known.holds(name, made_of):
            continue
        _threads(len(os.sched_getaffinity(0)) if kind.all_cores else 1)
        start = time.monotonic()
        rows = kind.measure(sizes)
        part = Part(rows, made_of, time.monotonic() - start)
        print(f"## {kind.title}\n\n{table(rows)}\n\n{part.seconds:.0f} s", flush=True)
        known.keep(name, part)
        (sizes.out / "repair.md").write_text(document(known), encoding="utf-8")


def document(known: Remembered) -> str:
    """All that is known, in Markdown: first what misses its bound, and why."""
    parts = {kind.title: known.part(name) for name, kind in KINDS.items()}
    sections = [_section(kind, parts[kind.title]) for kind in KINDS.values()]
    missed = [
        f"- {title}: {row.what}: {row.value:.4g} (bound: {row.bound}). {cause(row.what)}"
        for title, part in parts.items()
        for row in (part.rows if part else [])
        if row.verdict == "MISSED"
    ]
    misses = "\n".join(missed) or "No bound is missed."
    heading = f"# Face VCD and Tiled VCD, measured\n\n{(__doc__ or '').strip()}"
    return "\n\n".join([heading, f"## What misses its bound\n\n{misses}", *sections]) + "\n"


def _section(kind: Kind, part: Part | None) -> str:
    if part is None:
        return f"## {kind.title}\n\nNot measured yet."
    picture = f"\n\n![{kind.title}]({kind.plot})" if kind.plot else ""
    return f"## {kind.title}\n\n{table(part.rows)}{picture}\n\n{_footer(part)}"


def cause(what: str) -> str:
    """Why a row misses its bound, as far as somebody has found out."""
    return next((why for start, why in CAUSES.items() if what.startswith(start)), "The cause is not known yet.")


def _footer(part: Part) -> str:
    sizes = "".join(f"; {name}: {value}" for name, value in part.made_of.items())
    took = f"{part.seconds:.0f} s" if part.seconds else "In a time that was not written down,"
    return f"{took} on {part.device}{sizes}."


def _made_of(kind: Kind, sizes: Sizes) -> dict[str, str]:
    """Return what a part's rows depend on besides the code."""
    found = {name: str(getattr(sizes, name)) for name in kind.options}
    return found | ({"weights": weights()} if kind.of_world else {})


def _threads(count: int) -> None:
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def _options(arguments: Sequence[str] | None) -> Sizes:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.repair", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=KINDS, help="parts to run, also if they are known")
    parser.add_argument("--again", action="store_true", help="run parts that are known, too")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of repair.md and repair.json")
    parser.add_argument("--videos", type=int, default=4, help="of each shipped subject, for Face VCD")
    parser.add_argument("--clips", type=int, default=12, help="of the drawn world, for Tiled VCD")
    parser.add_argument("--lengths", type=int, nargs="+", default=[16, 64, 200], help="frames whose memory is measured")
    parser.add_argument("--width", type=int, default=320, help="channels of the UNet whose speed is measured")
    parser.add_argument("--frames", type=int, default=1, help="frames of its video")
    parser.add_argument("--rounds", type=int, default=1, help="how often; the best counts")
    parser.add_argument("--device", default="cpu", help="where it runs")
    parser.add_argument("--dtype", default="float32", help="its precision")
    parser.add_argument("--share-frames", type=int, default=16, help="frames of the videos whose shares are measured")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
