"""Clips whose truth is known: textured faces on known paths, which cross, leave, are lost and cut away.

Also used by `benchmarks.repair`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.face import Detection
from vcd_ext.face.boxes import Values, box_centres, box_sizes, boxes_around

Frames = NDArray[np.uint8]
GRAIN = 1.5  # levels of noise, as every camera has
SHOWN = 0.6  # of a face that is needed to see it
_TEXTURE = 192  # pixels of a face's texture
_FINE = 4


@dataclass(frozen=True)
class Person:
    """A face: its box [F, 4] in each frame, NaN where it is not; later ones stand in front of earlier ones."""

    boxes: Values
    seed: int

    @cached_property
    def texture(self) -> NDArray[np.float32]:
        """As `face` makes it."""
        return face(self.seed)


@dataclass(frozen=True)
class Scene:
    """A clip and its truth."""

    frames: Frames
    people: list[Person]
    visible: NDArray[np.bool_]  # [people, F]: enough of the face is to be seen
    cuts: list[int] = field(default_factory=list)

    @property
    def boxes(self) -> Values:
        """[people, F, 4]."""
        return np.stack([person.boxes for person in self.people])


def moving(centres: Values, widths: Values | float, aspect: float = 1.2) -> Values:
    """Boxes [F, 4] with these middles [F, 2] and widths [F]."""
    width = np.broadcast_to(np.asarray(widths, float), len(centres))
    return boxes_around(centres, np.stack([width, aspect * width], axis=1))


def line(start: tuple[float, float], end: tuple[float, float], frames: int) -> Values:
    """Middles [F, 2] on the way from one place to another."""
    return np.linspace(start, end, frames)


def scene(people: Sequence[Person], height: int, width: int, cuts: Sequence[int] = (), seed: int = 0) -> Scene:
    """Render it. cuts: frames that begin a new shot, with another background."""
    count = len(people[0].boxes)
    places = [seed + 100 * sum(cut <= i for cut in cuts) for i in range(count)]
    backgrounds = {place: _blurred(place, height, width) for place in set(places)}
    frames = np.empty((count, height, width, 3), np.uint8)
    covers = np.zeros((len(people), count))
    grain = np.random.default_rng(seed)
    for i in range(count):
        canvas = backgrounds[places[i]].copy()
        masks: list[NDArray[np.float32]] = []
        for person in people:
            mask = _draw(canvas, person, i)
            masks = [other * (1 - mask) for other in masks] + [mask]
        covers[:, i] = [mask.sum() for mask in masks]
        frames[i] = np.rint((canvas + grain.normal(0, GRAIN, canvas.shape)).clip(0, 255))
    areas = np.pi / 4 * box_sizes(np.stack([person.boxes for person in people])).prod(axis=2)
    return Scene(frames, list(people), covers > SHOWN * np.nan_to_num(areas, nan=np.inf), list(cuts))


def _draw(canvas: NDArray[np.float32], person: Person, frame: int) -> NDArray[np.float32]:
    """Draw a person's face; how much it covers of each pixel."""
    covers = np.zeros(canvas.shape[:2], np.float32)
    box = person.boxes[frame]
    if np.isnan(box).any():
        return covers
    low, high = np.floor(box[:2]).astype(int) - 1, np.ceil(box[2:]).astype(int) + 1
    width, height = (high - low).tolist()
    scale = box_sizes(box) / _TEXTURE
    offset = box[:2] - low
    # Four times as fine and then averaged, as cameras do; for OpenCV pixel middles lie at whole numbers.
    matrix = float(_FINE) * np.array([[scale[0], 0, offset[0]], [0, scale[1], offset[1]]])
    matrix[:, 2] += _FINE * scale / 2 - 0.5
    drawn = cv2.warpAffine(person.texture, matrix, (_FINE * width, _FINE * height), flags=cv2.INTER_LINEAR)
    small = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
    x0, y0 = np.maximum(low, 0)
    part = (slice(y0, max(high[1], 0)), slice(x0, max(high[0], 0)))
    inside = canvas[part]
    small = small[y0 - low[1] :, x0 - low[0] :][: inside.shape[0], : inside.shape[1]]
    inside *= 1 - small[..., 3:]
    inside += small[..., :3]
    covers[part] = small[..., 3]
    return covers


def face(seed: int) -> NDArray[np.float32]:
    """Draw a face's texture [192, 192, 4]: an ellipse of spots in its own colour, with eyes and mouth; and its mask.

    Colours are multiplied by the mask.
    """
    rng = np.random.default_rng(seed)
    spots = cv2.resize(
        rng.normal(0, 18, (14, 14, 3)).astype(np.float32), (_TEXTURE,) * 2, interpolation=cv2.INTER_CUBIC
    )
    picture = spots + rng.uniform(90, 190, 3).astype(np.float32)
    for x, y, a, b in ((0.32, 0.42, 0.09, 0.05), (0.68, 0.42, 0.09, 0.05), (0.5, 0.75, 0.18, 0.05)):
        place, axes = (round(x * _TEXTURE), round(y * _TEXTURE)), (round(a * _TEXTURE), round(b * _TEXTURE))
        cv2.ellipse(picture, place, axes, 0, 0, 360, rng.uniform(10, 90, 3).tolist(), -1, cv2.LINE_AA)
    grid = (np.arange(_TEXTURE) + 0.5) / _TEXTURE * 2 - 1
    radius = np.hypot(grid[None], grid[:, None])
    mask = np.clip((1 - radius) * _TEXTURE / 4, 0, 1).astype(np.float32)
    return np.concatenate([picture.clip(0, 255) * mask[..., None], mask[..., None]], axis=2)


def _blurred(seed: int, height: int, width: int) -> NDArray[np.float32]:
    """Return a background out of focus, of few colours, with some fine grain."""
    rng = np.random.default_rng(10_000 + seed)
    shape = (max(2, height // 40), max(2, width // 40))
    light = rng.uniform(40, 210, (*shape, 1)).astype(np.float32)
    coarse = light + rng.normal(0, 22, (*shape, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth + cv2.GaussianBlur(rng.normal(0, 12, smooth.shape).astype(np.float32), (0, 0), 1.0))


class Jittery:
    """A detector that knows the truth and tells it badly: it errs, loses faces, and does not see hidden ones."""

    def __init__(self, truth: Scene, lost: float = 0.2, error: float = 0.02, seed: int = 0):
        """lost: share of the faces that it misses; error: standard deviation, in faces. Frames are asked in order."""
        rng = np.random.default_rng(seed)
        boxes = truth.boxes
        sizes = box_sizes(boxes)
        centres = box_centres(boxes) + error * sizes.max(axis=2, keepdims=True) * rng.normal(size=(*boxes.shape[:2], 2))
        self.boxes = boxes_around(centres, sizes * np.exp(error * rng.normal(size=(*boxes.shape[:2], 1))))
        self.found = truth.visible & (rng.random(boxes.shape[:2]) >= lost)
        self.scores = rng.uniform(0.62, 0.95, boxes.shape[:2])
        self.asked = 0

    def __call__(self, frame: Frames) -> list[Detection]:
        i = self.asked % self.boxes.shape[1]
        self.asked += 1
        there = [k for k in range(len(self.boxes)) if self.found[k, i]]
        return [Detection(tuple(self.boxes[k, i].tolist()), float(self.scores[k, i])) for k in there]


def scenes(side: int = 512, frames: int = 48) -> dict[str, Callable[[], Scene]]:
    """Scenes by name, for pictures of side x side."""
    unit, t = side / 512, np.arange(frames)
    gone = np.full((frames, 4), np.nan)

    def walk() -> Scene:
        bob = np.stack([np.zeros(frames), 5 * unit * np.sin(2 * np.pi * t / 9)], axis=1)
        path = line((120 * unit, 200 * unit), (390 * unit, 240 * unit), frames) + bob
        return scene([Person(moving(path, 62 * unit), 1)], side, side)

    def stop() -> Scene:
        x = np.minimum(110 + 9.0 * t, 110 + 9.0 * (frames // 2))
        path = np.stack([x * unit, np.full(frames, 250 * unit)], axis=1)
        return scene([Person(moving(path, 70 * unit), 2)], side, side, seed=1)

    def nearing() -> Scene:
        path = line((180 * unit, 180 * unit), (300 * unit, 270 * unit), frames)
        return scene([Person(moving(path, np.linspace(44, 100, frames) * unit), 3)], side, side, seed=2)

    def crossing() -> Scene:
        one = moving(line((110 * unit, 250 * unit), (400 * unit, 262 * unit), frames), 66 * unit)
        two = moving(line((402 * unit, 256 * unit), (112 * unit, 240 * unit), frames), 70 * unit)
        return scene([Person(one, 4), Person(two, 5)], side, side, seed=3)

    def crowd() -> Scene:
        one = moving(line((100 * unit, 150 * unit), (410 * unit, 330 * unit), frames), 58 * unit)
        two = moving(line((410 * unit, 170 * unit), (110 * unit, 320 * unit), frames), 64 * unit)
        three = moving(line((256 * unit, 400 * unit), (262 * unit, 110 * unit), frames), 60 * unit)
        return scene([Person(one, 6), Person(two, 7), Person(three, 8)], side, side, seed=4)

    def cut() -> Scene:
        half = frames // 2
        one, two = gone.copy(), gone.copy()
        one[:half] = moving(line((150 * unit, 200 * unit), (260 * unit, 210 * unit), half), 66 * unit)
        two[half:] = moving(line((270 * unit, 215 * unit), (350 * unit, 300 * unit), frames - half), 72 * unit)
        return scene([Person(one, 9), Person(two, 10)], side, side, cuts=[half], seed=5)

    def leaving() -> Scene:
        third = frames // 3
        one, two = gone.copy(), gone.copy()
        one[: 2 * third] = moving(line((330 * unit, 200 * unit), (570 * unit, 210 * unit), 2 * third), 64 * unit)
        two[third:] = moving(line((-50 * unit, 300 * unit), (220 * unit, 280 * unit), frames - third), 66 * unit)
        return scene([Person(one, 11), Person(two, 12)], side, side, seed=6)

    made = (walk, stop, nearing, crossing, crowd, cut, leaving)
    return {make.__name__: make for make in made}
