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
from .canvas import Canvas
from .compose import SIZE, blend, shadow, view
from .identity import Person
from .scenes import paint, tint_of
from .spec import EYE, FRAMES, Spec, sample

__all__ = ["FRAMES", "SIZE", "Render", "Spec", "render", "sample"]

_FACE = {
    "man": (0.80, -0.72, 0.88),
    "woman": (0.80, -0.72, 0.88),
    "dog": (0.84, -0.62, 0.74),
    "cat": (0.84, -0.56, 0.68),
}


@dataclass(frozen=True)
class Render:
    """A drawn clip and its truth."""

    spec: Spec
    frames: NDArray[np.uint8]  # [F, 128, 128, 3] RGB
    masks: NDArray[np.uint8]  # [F, 128, 128], 255 where the subject covers the whole pixel
    face_boxes: NDArray[np.float32]  # [F, 4] x0, y0, x1, y1 in pixels, inside the picture
    displacement: NDArray[np.float32]  # [F, 2] x, y of the body's middle since the first frame drawn, in pixels

    @property
    def caption(self) -> str:
        """The full caption."""
        return self.spec.caption


def render(spec: Spec, frames: Sequence[float] | None = None) -> Render:
    """Draw the frames (times in frames, 0 to 15; all of them by default)."""
    times: list[float] = [*range(FRAMES)] if frames is None else [*frames]
    shifts = [spec.camera.shift(time) / spec.camera.near for time in times]
    left = floor(min(shifts)) - 1 if any(shifts) else 0
    width = ceil(max(shifts)) + SIZE + 1 - left if any(shifts) else SIZE
    world = paint(spec.scene, spec.light, spec.scene_seed, left, width)
    drawn = [_frame(spec, time, world, left) for time in times]
    roots = np.array([spec.point(time, figures.root(spec.who, spec.pose(time))) for time in times])
    moved = roots - roots[0]
    return Render(
        spec,
        np.stack([picture for picture, _ in drawn]),
        np.stack([mask for _, mask in drawn]),
        np.stack([face_box(spec, time) for time in times]),
        np.stack([moved.real, moved.imag], axis=1).astype(np.float32),
    )


def _frame(
    spec: Spec, time: float, world: NDArray[np.uint8], left: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One picture [128, 128, 3] and its mask [128, 128]."""
    zoom = spec.camera.near * spec.camera.growth(time)
    middle = complex(SIZE / 2, SIZE / 2)
    centre = EYE + spec.camera.shift(time) / spec.camera.near - (EYE - middle) / zoom
    picture = view(world, left, centre, zoom, soft=spec.distance == "close").copy()
    pose, size, feet = spec.pose(time), spec.size(time), spec.feet(time)
    wide = 16.0 if isinstance(spec.who, Person) or pose.sitting else 25.0
    spread = size * wide * (1 - 0.016 * pose.lift)
    shadow(picture, feet + 0.6j, spread, 0.17 * spread + 0.6, strength=0.34)
    sheet = Canvas(SIZE, SIZE)
    with sheet.at(feet, scale=size, flip=spec.facing):
        figures.draw(sheet, spec.who, pose)
    mask = blend(picture, sheet.pixels, tint_of(spec.scene, spec.light))
    return picture, mask


def face_box(spec: Spec, time: float) -> NDArray[np.float32]:
    """Return the face at a time: x0, y0, x1, y1 in pixels, inside the picture."""
    pose = spec.pose(time)
    centre, _, half = figures.head_place(spec.who, pose)
    width, top, low = _FACE[spec.who.kind]
    middle = spec.point(time, centre + 2.0 * pose.turn)
    reach = half * spec.size(time)
    box = (
        middle.real - width * reach,
        middle.imag + top * reach,
        middle.real + width * reach,
        middle.imag + low * reach,
    )
    return np.clip(np.array(box, np.float32), 0, SIZE)
