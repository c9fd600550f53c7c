"""The drawn world: `sample` decides everything about a clip, `render` draws it and says what is true of it.

`render(sample(seed=7, split="train", kind="dog", scene="snow", action="running"))` draws 16 frames;
`render(spec, [5])` draws frame 5 alone, with the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from . import figures
from .canvas import UNITS, Canvas
from .compose import blend, shadow, view
from .identity import Person
from .scenes import paint, tint_of
from .spec import EYE, FRAMES, Figure, Spec, sample

__all__ = ["FRAMES", "SIZE", "Render", "Spec", "render", "sample"]

SIZE = 128  # pixels of a picture's side
_FACE = {
    "man": (0.80, -0.72, 0.88),
    "woman": (0.80, -0.72, 0.88),
    "dog": (0.84, -0.62, 0.74),
    "cat": (0.84, -0.56, 0.68),
}


@dataclass(frozen=True)
class Render:
    """A drawn clip and its truth, for S subjects (1 or 2) from the left to the right."""

    spec: Spec
    frames: NDArray[np.uint8]  # [F, H, W, 3] RGB
    masks: NDArray[np.uint8]  # [S, F, H, W], 255 where the subject covers the whole pixel
    face_boxes: NDArray[np.float32]  # [S, F, 4] x0, y0, x1, y1 in pixels, inside the picture
    displacement: NDArray[np.float32]  # [S, F, 2] x, y of the body's middle since the first frame drawn, in pixels

    @property
    def caption(self) -> str:
        """The full caption."""
        return self.spec.caption


def render(spec: Spec, frames: Sequence[float] | None = None, size: int = SIZE) -> Render:
    """Draw frames (times in frames; all of them by default) as pictures of `size` pixels, an even number."""
    times: list[float] = [*range(spec.frames)] if frames is None else [*frames]
    shifts = [spec.shift(time) / spec.camera.near for time in times]
    left = floor(min(shifts)) - 1 if any(shifts) else 0
    width = ceil(max(shifts)) + UNITS + 1 - left if any(shifts) else UNITS
    detail = 2 * size / UNITS
    world = paint(spec.scene, spec.light, spec.scene_seed, left, width, detail)
    drawn = [_frame(spec, time, world, left, detail) for time in times]
    moved = [_moved(spec, figure, times, size) for figure in spec.figures]
    boxes = [[face_box(spec, figure, time, size) for time in times] for figure in spec.figures]
    return Render(
        spec,
        np.stack([picture for picture, _ in drawn]),
        np.stack([masks for _, masks in drawn], axis=1),
        np.stack([np.stack(row) for row in boxes]),
        np.stack(moved),
    )


def _frame(
    spec: Spec, time: float, world: NDArray[np.uint8], left: float, detail: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw one picture [H, W, 3] and the masks [S, H, W]."""
    zoom = spec.camera.near * spec.growth(time)
    middle = complex(UNITS / 2, UNITS / 2)
    centre = EYE + spec.shift(time) / spec.camera.near - (EYE - middle) / zoom
    picture = view(world, left, centre, zoom, soft=spec.distance == "close").copy()
    masks = np.zeros((len(spec.figures), *picture.shape[:2]), np.uint8)
    for figure in spec.figures:
        _shade_ground(picture, spec, figure, time)
    # Who stands further down is nearer and covers the other.
    for index in sorted(range(len(spec.figures)), key=lambda k: spec.figures[k].at.imag):
        figure = spec.figures[index]
        sheet = Canvas(detail=detail)
        with sheet.at(spec.feet(figure, time), scale=spec.size(figure, time), flip=figure.facing):
            figures.draw(sheet, figure.who, figure.pose(time))
        cover = blend(picture, sheet.pixels, tint_of(spec.scene, spec.light))
        masks = (masks * (1 - cover[None] / 255)).astype(np.uint8)
        masks[index] = cover
    return picture, masks


def _shade_ground(picture: NDArray[np.uint8], spec: Spec, figure: Figure, time: float) -> None:
    pose = figure.pose(time)
    wide = 16.0 if isinstance(figure.who, Person) or pose.sitting else 25.0
    spread = spec.size(figure, time) * wide * (1 - 0.016 * pose.lift)
    shadow(picture, spec.feet(figure, time) + 0.6j, spread, 0.17 * spread + 0.6, strength=0.34)


def _moved(spec: Spec, figure: Figure, times: list[float], size: int) -> NDArray[np.float32]:
    roots = np.array([spec.point(figure, time, figures.root(figure.who, figure.pose(time))) for time in times])
    moved = (roots - roots[0]) * (size / UNITS)
    return np.stack([moved.real, moved.imag], axis=1).astype(np.float32)


def face_box(spec: Spec, figure: Figure, time: float, size: int = SIZE) -> NDArray[np.float32]:
    """Return the face at a time: x0, y0, x1, y1 in pixels of a picture of `size`, inside it."""
    pose = figure.pose(time)
    centre, _, half = figures.head_place(figure.who, pose)
    width, top, low = _FACE[figure.who.kind]
    middle = spec.point(figure, time, centre + 2.0 * pose.turn)
    reach = half * spec.size(figure, time)
    box = (
        middle.real - width * reach,
        middle.imag + top * reach,
        middle.real + width * reach,
        middle.imag + low * reach,
    )
    return np.clip(np.array(box, np.float32) * (size / UNITS), 0, size).astype(np.float32)
