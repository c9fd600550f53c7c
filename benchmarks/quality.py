"""What the shipped drawn world can do, beside what it should: the quality table of its model card.

    python -m benchmarks.quality      # writes docs/effects/quality.md; about 2 minutes if the videos are measured

Videos are those of `benchmarks.effects` (32 held-out prompts and seeds in each cell, CFG 7, 10 steps of DPM++ 2M, 16
frames); those that are not measured yet are measured first, one after the other. Beside them the autoencoder, on
renders that no training saw, and pairs of seeds with the same prompt. Means with 95% intervals (bootstrap).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import effects
from tools.toyworld.pictures import Pictures
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.metrics.intervals import Interval, interval, interval_table
from vcd_ext.settings import VideoSettings

ON, DRAWN = "gamma 0.15", "drawn"
PICTURES, A_BATCH, PAIRS = 256, 8, 8
SHARP, CLASS, SCENE, ACTION = 26.0, 0.9, 0.8, 0.6  # the least; 26 dB is for a training without a GPU
FLOW, DRIFT = (0.5, 2.0), 0.5  # over drawn clips'; over that without the motion module


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, and write the table."""
    parser = argparse.ArgumentParser(description="Measure the quality of the shipped drawn world.")
    parser.add_argument("--out", type=Path, default=Path("docs/effects"))
    options = parser.parse_args(arguments)
    effects.main(["--out", str(options.out)])
    rows = effects.read(options.out / "videos.jsonl")
    torch.set_num_threads(1)
    host = Standalone.load(toyworld.checkpoint())
    text = interval_table(["what", "measured", "at least or most", ""], _lines(rows, sharpness(host.vae), apart(host)))
    (options.out / "quality.md").write_text(text + "\n", encoding="utf-8")
    print(text)


@torch.no_grad()
def sharpness(vae: Any) -> list[float]:
    """PSNR in dB of held-out renders [128x128] that the autoencoder (diffusers') wrote and read again, one by one."""
    held_out = Pictures("test", PICTURES)
    found: list[float] = []
    for first in range(0, PICTURES, A_BATCH):
        part = torch.stack([held_out[k][:3] for k in range(first, first + A_BATCH)])
        again = vae.decode(vae.encode(part).latent_dist.mode()).sample.clamp(-1, 1)
        found += (-10 * torch.log10((again - part).square().mean(dim=(1, 2, 3)) / 4)).tolist()
    return found


def apart(host: Standalone) -> list[float]:
    """Mean difference, 0 to 255, of pictures of one prompt from two seeds; one for each of some held-out prompts."""
    found = []
    for wish in effects.wishes(PAIRS):
        one, other = (
            host.generate(replace(PICTURE, prompt=wish.prompt, seed=seed), VideoSettings(frames=1)).frames.astype(float)
            for seed in (wish.seed, wish.seed + 50)
        )
        found.append(float(np.abs(one - other).mean()))
    return found


def _lines(
    rows: Sequence[dict[str, float | str]], sharp: Sequence[float], seeds: Sequence[float]
) -> dict[str, list[object]]:
    def of(cell: str, name: str) -> Interval:
        return interval([float(row[name]) for row in rows if row["cell"] == cell])

    lines = {f"autoencoder on {PICTURES} held-out renders, PSNR in dB": _least(interval(sharp), SHARP)}
    for what, name, bar in (("class", "kind", CLASS), ("scene", "scene", SCENE), ("action", "action", ACTION)):
        lines[f"{what} right, motion module on"] = _least(of(ON, f"{name}_right"), bar)
    flow, drawn = of(ON, "flow"), of(DRAWN, "flow")
    times = flow.mean / drawn.mean
    kept = "kept" if FLOW[0] <= times <= FLOW[1] else "MISSED"
    lines["optical flow over drawn clips'"] = [
        f"{times:.2f}: {flow} over {drawn} pixels a frame",
        f"{FLOW[0]:g} to {FLOW[1]:g}",
        kept,
    ]
    drift, off = of(ON, "identity_drift"), of(effects.OFF, "identity_drift")
    share = drift.mean / off.mean
    kept = "kept" if share <= DRIFT else "MISSED"
    lines["identity drift, motion module on over off"] = [f"{share:.2f}: {drift} over {off}", DRIFT, kept]
    flicker = of(ON, "flicker")
    different = interval(seeds)
    kept = "kept" if different.low > flicker.high else "MISSED"
    lines["two seeds, same prompt: mean difference, 0 to 255"] = [
        different,
        f"more than a video's flicker, {flicker}",
        kept,
    ]
    return lines


def _least(found: Interval, bar: float) -> list[object]:
    return [found, bar, "kept" if found.mean >= bar else "MISSED"]


if __name__ == "__main__":
    main()
