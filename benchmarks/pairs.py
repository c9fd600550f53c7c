"""Two subjects in one prompt: are two there, and is each of the class that was asked for? For `benchmarks.quality`.

The judges' mask is of all subjects together: what hangs together in it is one, and is judged alone.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.toyworld import captions
from tools.toyworld.motion import ACTIONS
from tools.toyworld.world import render, sample
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.settings import VideoSettings
from vcd_ext.toyworld.judging import KINDS, Judges

FRAMES, FIRST_SEED = 8, 60_000
LEAST = 0.01  # of the picture, so that what hangs together is a subject

Frames = NDArray[np.uint8]


class PairWish(NamedTuple):
    """What a video should show; `kinds` from the left to the right."""

    kinds: tuple[str, str]
    scene: str
    action: str
    seed: int

    @property
    def prompt(self) -> str:
        """The prompt."""
        first, second = self.kinds
        return captions.caption(
            [f"a {first}", f"a {second}"], self.scene, self.action, "plain", "day", self.facing, first
        )

    @property
    def facing(self) -> int:
        """Where both look: by turns 1, to the right, and -1."""
        return 1 if self.seed // 100 % 2 == 0 else -1


def pair_wishes(count: int) -> list[PairWish]:
    """Return so many pairs of two classes, places and actions in turn."""
    pairs, places = list(permutations(KINDS, 2)), list(captions.PLACES)
    return [
        PairWish(pairs[k * 5 % len(pairs)], places[k % len(places)], ACTIONS[k % 4], FIRST_SEED + 100 * k)
        for k in range(count)
    ]


def generated_pair(host: Standalone, wish: PairWish) -> Frames:
    """Return the video [8, 128, 128, 3] of a wish."""
    picture = replace(PICTURE, prompt=wish.prompt, seed=wish.seed)
    return host.generate(picture, VideoSettings(frames=FRAMES), toyworld.motion_module()).frames


def drawn_pair(wish: PairWish) -> Frames:
    """Return the clip that is drawn for the same words."""
    (kind, kind2), (scene, action) = wish.kinds, wish[1:3]
    fixed = {"kind": kind, "kind2": kind2, "scene": scene, "action": action, "distance": "plain", "light": "day"}
    return render(sample(wish.seed, "test", subjects=2, facing=wish.facing, **fixed), range(FRAMES)).frames


def pair_right(judges: Judges, frames: Frames, wish: PairWish) -> dict[str, float]:
    """Return whether two are there in most frames (`two`), and whether their classes are right too (`both`)."""
    found = [apart(judges.detect(frame).mask) for frame in frames]
    halves = [masks for masks in found if masks is not None]
    if 2 * len(halves) <= len(frames):
        return {"two": 0.0, "both": 0.0}
    shown = frames[[masks is not None for masks in found]]
    seen = [
        KINDS[int(judges.kinds(shown, np.stack([masks[side] for masks in halves])).mean(axis=0).argmax())]
        for side in (0, 1)
    ]
    return {"two": 1.0, "both": float(sorted(seen) == sorted(wish.kinds))}


def apart(mask: Frames) -> tuple[Frames, Frames] | None:
    """Return the masks of the left and of the right one of two subjects; None where there are not two."""
    count, labels, stats, centres = cv2.connectedComponentsWithStats((mask >= 128).astype(np.uint8))
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= LEAST * mask.size]
    if len(large) != 2:
        return None
    left, right = sorted(large, key=lambda k: float(centres[k][0]))
    return np.where(labels == left, mask, 0), np.where(labels == right, mask, 0)
