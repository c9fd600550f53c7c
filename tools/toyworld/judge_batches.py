"""What the judges learn from: pictures and clips with their truth, and cut-out subjects with their traits.

The batch of a step depends on the seed and the step alone, so a resumed training sees the same ones.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.metrics.identity_judge import cut_out

from . import figures
from .canvas import Canvas
from .compose import SIZE, blend, view
from .identity import KINDS, individual
from .motion import ACTIONS
from .scenes import SCENES, paint, tint_of
from .softening import Frames, soften
from .traits import traits
from .world import FRAMES, Render, Spec, render, sample

LENGTH = 8  # frames of a training clip
NOBODY = -100  # cross entropy ignores it
_EMPTY = 0.06  # this share of the single pictures shows a scene and nobody
_SOFTENED = 0.75  # and this share of all is softened


class PictureBatch(NamedTuple):
    """B pictures, of which the first are clips of 8 frames each, and what is true of them."""

    pictures: Tensor  # float32 [B, 3, 128, 128] in [0, 1]
    masks: Tensor  # float32 [B, 128, 128] in [0, 1]
    boxes: Tensor  # float32 [B, 4] pixels; without area where no face is to be seen
    kinds: Tensor  # int64 [B], NOBODY where nobody is
    scenes: Tensor
    actions: Tensor


class SubjectBatch(NamedTuple):
    """B cut-out subjects and the traits of those whom they show."""

    subjects: Tensor  # float32 [B, 4, 96, 96] in [0, 1]
    traits: Tensor  # float32 [B, TRAITS]


def picture_batch(seed: int, step: int, clips: int, singles: int) -> PictureBatch:
    """`clips` clips and `singles` pictures, all different ones."""
    rng = np.random.default_rng([seed, step, 1])
    first = 40_000_000 + seed * 1_000_000_000 + step * (clips + singles)
    drawn = []
    for k in range(clips + singles):
        spec = sample(first + k, "train")
        if k < clips:
            start = int(rng.integers(FRAMES - LENGTH + 1))
            drawn.append(render(spec, range(start, start + LENGTH)))
        else:
            time = float(rng.uniform(0, FRAMES - 1))
            drawn.append(_nobody(spec) if rng.random() < _EMPTY else render(spec, [time]))
    frames = [soften(one.frames, rng) if rng.random() < _SOFTENED else one.frames for one in drawn]
    return _together(drawn, np.concatenate(frames))


def to_pictures(frames: Frames) -> Tensor:
    """uint8 [F, H, W, 3] as float32 [F, 3, H, W] in [0, 1]."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous().float() / 255


def _together(drawn: list[Render], frames: Frames) -> PictureBatch:
    def each(name: str, names: tuple[str, ...]) -> Tensor:
        values = [NOBODY if name != "scene" and not one.masks.any() else names.index(_fact(one.spec, name))
                  for one in drawn for _ in one.frames]  # fmt: skip
        return torch.tensor(values)

    masks = torch.from_numpy(np.concatenate([one.masks for one in drawn])).float() / 255
    boxes = torch.from_numpy(np.concatenate([one.face_boxes for one in drawn]))
    labels = each("kind", KINDS), each("scene", SCENES), each("action", ACTIONS)
    return PictureBatch(to_pictures(frames), masks, boxes, *labels)


def _fact(spec: Spec, name: str) -> str:
    return spec.who.kind if name == "kind" else str(getattr(spec, name))


def _nobody(spec: Spec) -> Render:
    """The scene of a clip with nobody in it."""
    nothing = np.zeros((1, 4), np.float32)
    return Render(spec, _scenery(spec)[None], np.zeros((1, SIZE, SIZE), np.uint8), nothing, nothing[:, :2])


def _scenery(spec: Spec) -> Frames:
    world = paint(spec.scene, spec.light, spec.scene_seed, 0, SIZE)
    return view(world, 0, complex(SIZE / 2, SIZE / 2), 1.0, soft=spec.distance == "close").copy()


class Subjects:
    """Draws subjects without painting a scene for each: they stand before a few hundred, whatever their own light."""

    def __init__(self, seed: int, sceneries: int = 256, others: int = 8192) -> None:
        """Paint the sceneries, and write down the traits of individuals to be told apart from."""
        self.seed = seed
        specs = [sample(30_000_000 + seed * 1_000_000_000 + k, "train") for k in range(sceneries)]
        self.sceneries = [_scenery(spec) for spec in specs]
        # The last numbers of the training split; `sample` hardly ever draws one of them.
        people = [individual(KINDS[k % len(KINDS)], 10_000_000 - 1 - k) for k in range(others)]
        self.others = torch.from_numpy(np.stack([traits(who) for who in people]))

    def batch(self, step: int, count: int) -> SubjectBatch:
        """`count` subjects, all different ones."""
        rng = np.random.default_rng([self.seed, step, 2])
        pictures, masks, rows = [], [], []
        for k in range(count):
            spec = sample(50_000_000 + self.seed * 1_000_000_000 + step * count + k, "train")
            picture, mask = self._draw(spec, rng)
            pictures.append(soften(picture[None], rng)[0] if rng.random() < _SOFTENED else picture)
            masks.append(_guessed(mask, rng) if rng.random() < 0.6 else mask)
            rows.append(traits(spec.who))
        subjects = cut_out(to_pictures(np.stack(pictures)), torch.from_numpy(np.stack(masks)).float() / 255)
        return SubjectBatch(subjects, torch.from_numpy(np.stack(rows)))

    def strangers(self, step: int, count: int) -> Tensor:
        """The traits [count, TRAITS] of other individuals."""
        chosen = np.random.default_rng([self.seed, step, 3]).choice(len(self.others), count, replace=False)
        return self.others[torch.from_numpy(chosen)]

    def _draw(self, spec: Spec, rng: np.random.Generator) -> tuple[Frames, NDArray[np.uint8]]:
        picture = self.sceneries[int(rng.integers(len(self.sceneries)))].copy()
        time = float(rng.uniform(0, FRAMES - 1))
        sheet = Canvas(SIZE, SIZE)
        with sheet.at(spec.feet(time), scale=spec.size(time), flip=spec.facing):
            figures.draw(sheet, spec.who, spec.pose(time))
        return picture, blend(picture, sheet.pixels, tint_of(spec.scene, spec.light))


def _guessed(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A mask as a network might guess it: a little too wide or narrow, now and then with a piece too much or less."""
    blurred = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.6, 1.4))).astype(np.float32) / 255
    guess = ((blurred - rng.uniform(0.3, 0.7)) * rng.uniform(2, 5) + 0.5).clip(0, 1)
    if rng.random() < 0.25:
        x, y = (int(v) for v in rng.integers(0, SIZE - 8, 2))
        wide, high = (int(v) for v in rng.integers(4, 24, 2))
        guess[y : y + high, x : x + wide] = float(rng.random() < 0.3)
    return (guess * 255).astype(np.uint8)
