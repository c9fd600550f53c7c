"""Individuals that no training saw, as eight pictures with masks each: what the demo and the measures learn from.

python -m tools.toyworld.subjects OUT      # seconds; assemble writes them too
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from .scenes import SCENES
from .spec import sample
from .world import render

SUBJECTS = {
    "biscuit": ("dog", 11_000_003), "mara": ("woman", 11_000_009), "ole": ("man", 11_000_002),
    "milka": ("cat", 11_000_004), "rufus": ("dog", 11_000_010), "sanna": ("woman", 11_000_006),
}  # fmt: skip
PICTURES, SIDE = 8, 256  # pixels: twice the checkpoint's, so that crops for close ups stay sharp
_DISTANCES = ("plain", "close", "plain", "plain", "close", "plain", "plain", "close")
_ACTIONS = ("standing", "waving", "standing", "jumping")  # of whole figures; in close ups they stand


def main(arguments: list[str] | None = None) -> None:
    """Write the shipped individuals."""
    parser = argparse.ArgumentParser(description="Draw the individuals that ship with the drawn world.")
    parser.add_argument("out", type=Path)
    write(parser.parse_args(arguments).out)


def write(out: Path) -> None:
    """Write OUT/NAME for each shipped individual: pictures, masks and class.txt."""
    for name, (kind, number) in SUBJECTS.items():
        draw_subject(out / name, kind, number)


def draw_subject(folder: Path, kind: str, number: int, scenes: Sequence[str] = SCENES[:PICTURES]) -> None:
    """Write a picture of one individual in each of the scenes, by day, with masks."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, (scene, distance) in enumerate(zip(scenes, _DISTANCES, strict=True)):
        action = "standing" if distance == "close" else _ACTIONS[k % len(_ACTIONS)]
        spec = sample(100 * number + k, "eval", kind=kind, number=number, scene=scene, distance=distance,
                      action=action, light="day", camera="still", subjects=1)  # fmt: skip
        drawn = render(spec, [4], SIDE)
        Image.fromarray(drawn.frames[0]).save(folder / f"{k + 1}.png", optimize=True)
        Image.fromarray(drawn.masks[0, 0]).save(folder / f"{k + 1}.mask.png", optimize=True)
    (folder / "class.txt").write_text(f"{kind}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
