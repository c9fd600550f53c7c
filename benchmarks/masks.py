"""Masks without a network's weights against the drawn world's true ones.

    python -m benchmarks.masks                       # GrabCut alone, half a minute
    python -m benchmarks.masks --checkpoint FILE     # also the attention of a checkpoint that knows the drawn world

40 frames of individuals that no training has seen: 10 of each kind, a quarter close, a half plain, a quarter far away.
The overlap (IoU) of a mask with the true one: of the whole picture it is 0.19. Expected of GrabCut: 0.64 on the
average, 0.75 close, 0.21 far away; above 0.85, which needs no correction, in a quarter of the frames.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.toyworld.identity import KINDS
from tools.toyworld.world import Render, render, sample
from vcd_ext.identity.segment import Attention, CentrePrior, Segmenter

FRAMES, FIRST_SEED, TIME = 40, 5000, 7
DISTANCES = ("close", "plain", "plain", "far")
GOOD = 0.85


class Everything:
    """The whole picture as mask: what any segmenter must be better than."""

    name = "whole picture"

    def __call__(self, pixels: NDArray[np.uint8], word: str) -> NDArray[np.uint8]:
        return np.full(pixels.shape[:2], 255, np.uint8)


def frames() -> list[Render]:
    """One frame each of many clips."""
    return [
        render(
            sample(
                FIRST_SEED + i,
                "test",
                kind=KINDS[i % len(KINDS)],
                distance=DISTANCES[i // len(KINDS) % len(DISTANCES)],
                camera="still",
                subjects=1,
            ),
            [TIME],
        )
        for i in range(FRAMES)
    ]


def overlap(segmenter: Segmenter, clip: Render) -> float:
    """Return the IoU of its mask; 0 where it gives none."""
    try:
        found = segmenter(clip.frames[0], clip.spec.who.kind) >= 128
    except ValueError:
        return 0.0
    true = clip.masks[0, 0] >= 128
    return float((found & true).sum() / max(1, (found | true).sum()))


def row(segmenter: Segmenter, clips: Sequence[Render]) -> str:
    """One line of the table."""
    overlaps = np.array([overlap(segmenter, clip) for clip in clips])
    distances = np.array([clip.spec.distance for clip in clips])
    means = [f"{overlaps[distances == distance].mean():.2f}" for distance in dict.fromkeys(DISTANCES)]
    cells = [segmenter.name, f"{overlaps.mean():.2f}", f"{np.median(overlaps):.2f}", *means]
    return " | ".join([*cells, f"{(overlaps > GOOD).sum()} of {len(clips)}"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.masks")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint that knows the drawn world")
    checkpoint = parser.parse_args().checkpoint
    segmenters: list[Segmenter] = [Everything(), CentrePrior()]
    if checkpoint:
        from vcd_ext.hosts.diffusers.host import Standalone
        from vcd_ext.hosts.diffusers.training import StandaloneTraining

        segmenters.append(Attention(StandaloneTraining(Standalone.load(checkpoint))))
    clips = frames()
    print(f"masks by | mean IoU | median | {' | '.join(dict.fromkeys(DISTANCES))} | above {GOOD}")
    for segmenter in segmenters:
        print(row(segmenter, clips))


if __name__ == "__main__":
    main()
