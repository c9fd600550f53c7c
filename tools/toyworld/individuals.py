"""How 199 other individuals of each kind look to the judges: among them `drawn_nearest` looks for the subject.

    python -m tools.toyworld.individuals --out vcd_ext/toyworld      # a minute; after each training of the judges

Writes OUT/individuals.safetensors, {kind: float16 [199, 64]}, with the SHA-256 of the judges in its metadata, and
OUT/manifest.json anew. Each is drawn four times, by day, as `measure_judges` draws those to choose from. No number is
that of a shipped or a measured subject: those are of another split.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import cv2
import torch

from vcd_ext.storage import tensor_file
from vcd_ext.storage.atomic import atomically
from vcd_ext.toyworld.judging import KINDS, load_judges

from .assemble import manifest
from .measure_judges import known_individuals

OTHERS = 199


def main(arguments: list[str] | None = None) -> None:
    """Draw them, judge them and write the file."""
    parser = argparse.ArgumentParser(description="Write how other individuals look to the judges.")
    parser.add_argument("--out", type=Path, required=True, help="the folder that has judges.safetensors")
    parser.add_argument("--others", type=int, default=OTHERS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    path = options.out / "judges.safetensors"
    judges = load_judges(path)
    looks = {kind: known_individuals(judges, kind, options.others, soft=False) for kind in KINDS}
    tensors = {kind: torch.from_numpy(vectors).half() for kind, vectors in looks.items()}
    with atomically(options.out / "individuals.safetensors") as part:
        tensor_file.write(part, tensors, {"judges": hashlib.sha256(path.read_bytes()).hexdigest()})
    manifest(options.out)


if __name__ == "__main__":
    main()
