"""Make the pictures of docs/features.md: frames of the drawn world, by the command line.

    python -m tools.features [NAME ...]     # all of them: about 4 minutes of one core

A picture has a row for each command, whose options stand here and in the page.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vcd_ext import media, toyworld
from vcd_ext.__main__ import main as command

OUT = Path(__file__).parents[1] / "docs" / "features"
TILE, QUALITY = 96, 70  # pixels of a frame's side in a row, and WebP's quality
WORLD = [
    "--checkpoint", str(toyworld.checkpoint()), "--motion-module", str(toyworld.motion_module()),
    "--width", "128", "--height", "128", "--steps", "10", "--sampler", "dpmpp_2m",
]  # fmt: skip
WOMAN = '--prompt "photo of a woman on the beach, waving" --seed 1'
DOG = '--prompt "photo of a dog in the snow, running" --seed 3'
LONG = f"{DOG} --frames 24 --overlap 8"


class Row(NamedTuple):
    """Hold the options of a command, with paths for names in capitals, and which frames of its video are shown."""

    options: str
    shown: Sequence[int]


STRIPS: dict[str, list[Row]] = {
    "onward": [
        Row(f"{WOMAN} --start-picture PICTURE", range(0, 16, 2)),
        Row(f"{WOMAN} --from-picture --start-picture PICTURE --denoise 0.8", range(0, 16, 2)),
        Row(f"{WOMAN} --continue-video FIRST", range(9, 25, 2)),
        Row(f"{WOMAN} --continue-video FIRST --freenoise", range(9, 25, 2)),
    ],
    "noise": [
        Row(f"{LONG} --gamma 0", range(0, 24, 3)),
        Row(f"{LONG} --gamma 0.15", range(0, 24, 3)),
        Row(f"{LONG} --gamma 0 --freenoise", range(0, 24, 3)),
        Row(f"{LONG} --gamma 0 --freeinit 1", range(0, 24, 3)),
    ],
    "interpolate": [Row(f"{WOMAN} --interpolate 2 --lossless", range(8, 16))],
}
ANIMATIONS = {"loop": f"{DOG} --loop"}


def frames(names: Sequence[str]) -> None:
    """Make the pictures of these names; all without one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = {"PICTURE": str(toyworld.FOLDER / "subjects/mara/1.png"), "FIRST": str(folder / "first.webp")}
        _run(f"{WOMAN} --lossless --formats webp", Path(paths["FIRST"]), paths)
        for strip, rows in STRIPS.items():
            if strip in names or not names:
                made = [_row(row, folder / f"{strip}{i}.webp", paths) for i, row in enumerate(rows)]
                _save(Image.fromarray(np.concatenate(made)), strip)
        for animation, options in ANIMATIONS.items():
            if animation in names or not names:
                _run(options, folder / "loop.webp", paths)
                shutil.copyfile(folder / "loop.webp", OUT / f"{animation}.webp")


def _run(options: str, out: Path, paths: dict[str, str]) -> None:
    told = [paths.get(word, word) for word in shlex.split(options)]
    if command(["generate", *WORLD, *told, "--formats", "webp", "--out", str(out)]):
        raise SystemExit(1)


def _row(row: Row, out: Path, paths: dict[str, str]) -> np.ndarray:
    _run(f"{row.options} --lossless", out, paths)
    found = media.read(out).frames
    tiles = [np.asarray(Image.fromarray(found[i]).resize((TILE, TILE), Image.Resampling.LANCZOS)) for i in row.shown]
    return np.concatenate(tiles, axis=1)


def _save(picture: Image.Image, name: str) -> None:
    OUT.mkdir(exist_ok=True)
    picture.save(OUT / f"{name}.webp", quality=QUALITY, method=6)


def main(arguments: list[str] | None = None) -> None:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(description="Make the pictures of docs/features.md.")
    parser.add_argument("names", nargs="*", help="of strips and animations; all of them without one")
    frames(parser.parse_args(arguments).names)


if __name__ == "__main__":
    main()
