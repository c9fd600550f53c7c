"""What issue 5 asks of Face VCD, measured.

    python -m benchmarks.face                      # all parts; all but drawn take about a minute on a free core
    python -m benchmarks.face --only tracking      # one of them

Prints tables and writes them to docs/face.md and docs/face.json; parts that are not run keep what stands there.
tracking: clips with known truth, followed by a detector that errs by 2% of a face, loses a fifth of them and sees no
hidden ones. painting: such clips repaired by denoisers whose painting is known. photo: a real face, found by the
default detector. drawn: videos of the shipped subjects, generated far away, repaired with and without motion module;
about five minutes of one core. speed: milliseconds a frame, by the clock and of all cores together.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from benchmarks import face_drawn, face_painting, face_photo, face_tracking
from benchmarks.rows import Row, table
from vcd_ext.atomic import atomically

PARTS = {
    "tracking": ("Who is where: clips with known truth", face_tracking.rows),
    "painting": ("What comes back: denoisers with known painting", face_painting.rows),
    "photo": ("A real face", face_photo.rows),
    "drawn": ("The shipped drawn world, subjects far away", face_drawn.rows),
    "speed": ("Speed", face_photo.speed_rows),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.face", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to run")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of face.md and face.json")
    options = parser.parse_args(arguments)
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    for part in options.only:
        title, measure = PARTS[part]
        start = time.monotonic()
        rows = measure()
        print(f"## {title}\n\n{table(rows)}\n\n{time.monotonic() - start:.0f} s", flush=True)
        _write(options.out, part, rows)


def _write(folder: Path, part: str, rows: Sequence[Row]) -> None:
    file = folder / "face.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    known[part] = [{"what": row.what, "value": row.value, "bound": row.bound, "note": row.note} for row in rows]
    texts = {**_texts(folder), part: table(rows)}
    with atomically(file) as temporary:
        temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    sections = [f"## {title}\n\n{texts[name]}" for name, (title, _) in PARTS.items() if name in texts]
    with atomically(folder / "face.md") as temporary:
        temporary.write_text("\n\n".join([f"# Face VCD, measured\n\n{__doc__.rstrip()}", *sections]) + "\n", "utf-8")


def _texts(folder: Path) -> dict[str, str]:
    """The tables that stand in face.md, by part."""
    file = folder / "face.md"
    whole = file.read_text(encoding="utf-8") if file.is_file() else ""
    sections = dict(section.partition("\n\n")[::2] for section in whole.split("\n## ")[1:])
    return {name: sections[title].strip() for name, (title, _) in PARTS.items() if title in sections}


if __name__ == "__main__":
    main()
