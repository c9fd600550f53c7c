"""Contact sheets of the drawn world: `python -m tools.toyworld.sheet OUT` writes PNGs; about 10 seconds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from PIL import Image
from transformers import CLIPTokenizer

from .captions import DISTANCES, PLACES, caption
from .identity import KINDS, SPLITS, individual
from .looks import phrase, traits
from .motion import ACTIONS
from .sampling import sample_latents
from .scenes import SCENES
from .second_stage import Denoiser
from .stage import LIGHTS
from .world import render, sample

Picture = NDArray[np.uint8]


def grid(rows: Sequence[Sequence[Picture]], gap: int = 2) -> Picture:
    """Rows of equally large pictures as one picture."""
    padded = [[np.pad(picture, ((0, gap), (0, gap), (0, 0)), constant_values=255) for picture in row] for row in rows]
    return np.concatenate([np.concatenate(row, axis=1) for row in padded], axis=0)


def still(seed: int, time: float = 4, split: str = "test", **fixed: str | int) -> Picture:
    """One picture of a clip."""
    picture: Picture = render(sample(seed, split, **fixed), [time]).frames[0]
    return picture


def everyone(kind: str, rows: int = 5, columns: int = 8) -> Picture:
    """Many individuals of a kind by day."""
    plain: dict[str, Any] = {"kind": kind, "distance": "plain", "light": "day"}
    return grid([[still(17 * r + c, **plain, action=ACTIONS[c % 4]) for c in range(columns)] for r in range(rows)])


def scenes() -> Picture:
    """Every kind in every scene."""
    return grid([[still(100 + 10 * r + c, kind=kind, scene=scene, distance="plain") for c, scene in enumerate(SCENES)]
                 for r, kind in enumerate(KINDS)])  # fmt: skip


def lights_and_distances() -> Picture:
    """Every scene by every light, and every distance."""
    first = [
        [still(300 + c, scene=scene, light=light, distance="plain") for c, scene in enumerate(SCENES)]
        for light in LIGHTS
    ]
    second = [
        [still(400 + c, scene=scene, distance=distance) for c, scene in enumerate(SCENES)] for distance in DISTANCES
    ]
    return grid(first + second)


def actions(kind: str, distance: str = "plain") -> Picture:
    """Each action as its 16 frames."""
    return grid([list(render(sample(40 + r, "test", kind=kind, action=action, distance=distance, light="day")).frames)
                 for r, action in enumerate(ACTIONS)])  # fmt: skip


def same_individual(kind: str) -> Picture:
    """Four individuals, one a row, in eight scenes."""
    first = SPLITS["eval"].start
    return grid([[still(50 + c, split="eval", kind=kind, number=first + r, scene=scene, distance=DISTANCES[c % 2])
                  for c, scene in enumerate(SCENES)] for r in range(4)])  # fmt: skip


@torch.no_grad()
def draw_samples(
    model: Denoiser,
    tokenizer: CLIPTokenizer,
    autoencoder: AutoencoderKL,
    scale: float,
    path: Path,
    size: int,
    steps: int,
) -> None:
    """Write a sheet of 4 x 8 generated pictures: a row for each kind, a column for each scene, all looks in words."""
    texts = []
    for row, kind in enumerate(KINDS):
        for column, place in enumerate(PLACES):
            who = individual(kind, SPLITS["test"].start + 8 * row + column)
            texts.append(caption([phrase(kind, traits(who))], place, ACTIONS[column % 4], "plain", "day", 1))
    tokens, empty = (
        tokenizer(some, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids
        for some in (texts, [""])
    )
    noise = torch.randn(len(texts), 4, size // 8, size // 8, generator=torch.Generator().manual_seed(0))
    latents = sample_latents(model, tokens, empty, steps=steps, guidance=5.0, noise=noise)
    pixels = torch.cat([autoencoder.decode(part / scale).sample for part in latents.split(4)])
    frames = ((pixels.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
    Image.fromarray(grid([list(frames[k : k + 8]) for k in range(0, len(frames), 8)])).save(path)
    path.with_suffix(".txt").write_text("\n".join(texts) + "\n")


def main(out: Path) -> None:
    """Write all sheets."""
    out.mkdir(parents=True, exist_ok=True)
    sheets = {"scenes": scenes(), "lights_and_distances": lights_and_distances()}
    for kind in KINDS:
        sheets |= {
            f"{kind}_many": everyone(kind),
            f"{kind}_actions": actions(kind),
            f"{kind}_same": same_individual(kind),
        }
        sheets[f"{kind}_close"] = actions(kind, "close")
    for name, picture in sheets.items():
        Image.fromarray(picture).save(out / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "toyworld-sheets"))
