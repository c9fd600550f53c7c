"""What the judges learn from: pictures with their truth, and cut-out subjects, some of them moving, with theirs.

The batch of a step depends on the seed and the step alone, so a resumed training sees the same ones.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.toyworld.picture_judge import SIDE, PictureJudge
from vcd_ext.toyworld.subject_judge import CutOut, cut_out

from . import figures
from .canvas import UNITS, Canvas
from .compose import blend, view
from .identity import KINDS, individual
from .motion import ACTIONS
from .scenes import SCENES, paint, tint_of
from .softening import Frames, soften
from .training import half
from .traits import traits
from .world import FRAMES, Render, Spec, render, sample

LENGTH = 8  # frames of a training clip
MOST = 2  # subjects of a picture
_DETAIL = 2 * SIDE / UNITS
_EMPTY = 0.06  # this share of the pictures shows a scene and nobody
_SOFTENED = 0.75  # and this share of all is softened
_FOUND = 0.6  # this share of the subjects is cut out where a trained network finds them, not where they are


class PictureBatch(NamedTuple):
    """B pictures and what is true of them."""

    pictures: Tensor  # float32 [B, 3, 128, 128] in [0, 1]
    masks: Tensor  # float32 [B, 128, 128] in [0, 1], of all subjects
    boxes: Tensor  # float32 [B, 2, 4] pixels; without area where no face is to be seen
    scenes: Tensor  # int64 [B]
    lights: Tensor  # float32 [B, 3]


class SubjectBatch(NamedTuple):
    """B cut-out subjects, of which the first are clips of 8 frames each, and what is true of N individuals in them."""

    cut: CutOut
    who: Tensor  # int64 [B] which of the N it is
    traits: Tensor  # float32 [N, TRAITS]
    kinds: Tensor  # int64 [N]
    actions: Tensor  # int64 [N]


def picture_batch(seed: int, step: int, clips: int) -> PictureBatch:
    """Two pictures of each of `clips` clips: the second is drawn in a third of the time of the first."""
    rng = np.random.default_rng([seed, step, 1])
    first = 40_000_000 + seed * 1_000_000_000 + step * clips
    drawn = []
    for k in range(clips):
        spec, times = sample(first + k, "train"), sorted(rng.uniform(0, FRAMES - 1, 2).tolist())
        drawn.append(_nobody(spec) if rng.random() < _EMPTY else render(spec, times, SIDE))
    frames = [_perhaps_softened(one.frames, rng) for one in drawn]
    masks = torch.from_numpy(np.concatenate([one.masks.max(axis=0) for one in drawn])).float() / 255
    boxes = torch.from_numpy(np.concatenate([_boxes(one) for one in drawn]))
    scenes = torch.tensor([SCENES.index(one.spec.scene) for one in drawn for _ in one.frames])
    lights = torch.tensor([tint_of(one.spec.scene, one.spec.light) for one in drawn for _ in one.frames])
    return PictureBatch(to_pictures(np.concatenate(frames)), masks, boxes, scenes, lights)


def _boxes(drawn: Render) -> NDArray[np.float32]:
    """Return the face boxes [F, 2, 4]; those of a subject that is not there are zero."""
    boxes = np.zeros((len(drawn.frames), MOST, 4), np.float32)
    for subject, rows in enumerate(drawn.face_boxes):
        boxes[:, subject] = rows
    return boxes


def to_pictures(frames: Frames) -> Tensor:
    """uint8 [F, H, W, 3] as float32 [F, 3, H, W] in [0, 1]."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous().float() / 255


def _perhaps_softened(frames: Frames, rng: np.random.Generator) -> Frames:
    return soften(frames, rng) if rng.random() < _SOFTENED else frames


def _nobody(spec: Spec) -> Render:
    """Return the scene of a clip with nobody in it."""
    nothing = np.zeros((1, 1, 4), np.float32)
    return Render(spec, _scenery(spec)[None], np.zeros((1, 1, SIDE, SIDE), np.uint8), nothing, nothing[..., :2])


def _scenery(spec: Spec) -> Frames:
    world = paint(spec.scene, spec.light, spec.scene_seed, 0, UNITS, _DETAIL)
    return view(world, 0, complex(UNITS / 2, UNITS / 2), 1.0, soft=spec.distance == "close").copy()


class Subjects:
    """Draws subjects without painting a scene for each: they stand before a few hundred, whatever their own light."""

    def __init__(self, seed: int, finder: PictureJudge, sceneries: int = 256, others: int = 8192) -> None:
        """Paint the sceneries, and write down the traits of individuals to be told apart from.

        `finder` finds the masks that most of the subjects are cut out along, mistakes included.
        """
        self.seed, self.finder = seed, finder.eval()
        specs = [sample(30_000_000 + seed * 1_000_000_000 + k, "train") for k in range(sceneries)]
        self.sceneries = [_scenery(spec) for spec in specs]
        # The last numbers of the training split; `sample` hardly ever draws one of them.
        people = [individual(KINDS[k % len(KINDS)], 10_000_000 - 1 - k) for k in range(others)]
        self.others = torch.from_numpy(np.stack([traits(who) for who in people]))

    def batch(self, step: int, clips: int, singles: int) -> SubjectBatch:
        """`clips` clips and `singles` pictures, all of different individuals."""
        rng = np.random.default_rng([self.seed, step, 2])
        first = 50_000_000 + self.seed * 1_000_000_000 + step * (clips + singles)
        specs = [sample(first + k, "train", subjects=1) for k in range(clips + singles)]
        drawn = [self._draw(spec, LENGTH if k < clips else 1, rng) for k, spec in enumerate(specs)]
        who = torch.tensor([k for k, (frames, _) in enumerate(drawn) for _ in frames])
        frames, masks = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        lights = np.stack([_guessed_light(spec, rng) for spec in specs])
        found = torch.from_numpy(rng.random(len(specs)) < _FOUND)[who]
        pictures, covers = to_pictures(frames), torch.from_numpy(masks).float() / 255
        covers[found] = self._find(pictures[found])
        return SubjectBatch(
            cut_out(pictures, covers, torch.from_numpy(lights).float()[who]),
            who,
            torch.from_numpy(np.stack([traits(spec.who) for spec in specs])),
            torch.tensor([KINDS.index(spec.who.kind) for spec in specs]),
            torch.tensor([ACTIONS.index(spec.action) for spec in specs]),
        )

    def strangers(self, step: int, count: int) -> Tensor:
        """Return the traits [count, TRAITS] of other individuals."""
        chosen = np.random.default_rng([self.seed, step, 3]).choice(len(self.others), count, replace=False)
        return self.others[torch.from_numpy(chosen)]

    @torch.no_grad()
    def _find(self, pictures: Tensor) -> Tensor:
        with half(pictures.device):
            return torch.as_tensor(self.finder(pictures).mask.sigmoid().float())

    def _draw(self, spec: Spec, length: int, rng: np.random.Generator) -> tuple[Frames, NDArray[np.uint8]]:
        """`length` neighbouring frames [length, 128, 128, 3] before any scene, and their masks."""
        scenery = self.sceneries[int(rng.integers(len(self.sceneries)))]
        start, tint = float(rng.uniform(0, FRAMES - length)), tint_of(spec.scene, spec.light)
        frames, masks = [], []
        for time in start + np.arange(length):
            picture, sheet, figure = scenery.copy(), Canvas(detail=_DETAIL), spec.figures[0]
            with sheet.at(spec.feet(figure, time), scale=spec.size(figure, time), flip=figure.facing):
                figures.draw(sheet, figure.who, figure.pose(time))
            masks.append(blend(picture, sheet.pixels, tint))
            frames.append(picture)
        if rng.random() < 0.5:
            masks = [_guessed(mask, rng) for mask in masks]
        return _perhaps_softened(np.stack(frames), rng), np.stack(masks)


def _guessed_light(spec: Spec, rng: np.random.Generator) -> NDArray[np.float64]:
    """Guess the light as a network might; now and then it has no idea."""
    if rng.random() < 0.1:
        return np.ones(3)
    return np.array(tint_of(spec.scene, spec.light)) * np.exp(rng.normal(0, 0.04, 3))


def _guessed(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a mask that is a little too wide or narrow."""
    blurred = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.6, 1.4))).astype(np.float32) / 255
    guess = ((blurred - rng.uniform(0.3, 0.7)) * rng.uniform(2, 5) + 0.5).clip(0, 1)
    return (guess * 255).astype(np.uint8)
