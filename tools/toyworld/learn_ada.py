"""Learn the embedding that ships beside the checkpoint: Ada, a woman whom no training saw.

    python -m tools.toyworld.learn_ada --out vcd_ext/toyworld      # minutes; after assemble, which wrote the checkpoint

She is learned from eight pictures in one room, as `benchmarks.identities` learns its individuals. Writes
OUT/ada.safetensors, and OUT/manifest.json anew.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from vcd_ext.cli.demo import TRAINING
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.identity import save_embedding, train
from vcd_ext.identity.photos.photo import read_photos

from .assemble import manifest
from .subjects import PICTURES, draw_subject

NAME, CLASS, NUMBER, HOME = "ada", "woman", 11_000_101, "room"


def main(arguments: list[str] | None = None) -> None:
    """Draw her, learn her and write the file."""
    parser = argparse.ArgumentParser(description="Learn the embedding that ships with the drawn world.")
    parser.add_argument("--out", type=Path, required=True, help="the folder that has toyworld.safetensors")
    parser.add_argument("--steps", type=int, default=TRAINING.steps)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    host = Standalone.load(options.out / "toyworld.safetensors")
    settings = replace(TRAINING, name=NAME, class_word=CLASS, steps=options.steps, seed=0)
    with tempfile.TemporaryDirectory() as album:
        draw_subject(Path(album), CLASS, NUMBER, scenes=[HOME] * PICTURES)
        learned = train(StandaloneTraining(host), read_photos(Path(album)).photos, settings)
    save_embedding(options.out / f"{NAME}.safetensors", learned.vectors, learned.metadata)
    manifest(options.out)


if __name__ == "__main__":
    main()
