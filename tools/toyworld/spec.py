"""What a clip shows, decided from a seed: who, where, doing what, seen how. Lengths are in units (128 a picture)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .captions import DISTANCES, caption, variant
from .figures import head_place
from .identity import KINDS, SPLITS, Identity, Person, individual
from .looks import phrase, said
from .motion import ACTIONS, Movement, Pose, pose
from .scenes import SCENES
from .stage import LIGHTS

FRAMES = 16
CAMERAS = ("still", "pan", "follow", "zoom")
EYE = complex(64, 70)  # what a zoom keeps in place
PAIRS = 1 / 7  # share of the clips that show two subjects


@dataclass(frozen=True)
class Camera:
    """`kind` is one of CAMERAS; `speed` in units a frame rightwards, `zoom` the growth a frame, `near` the scene's."""

    kind: str
    speed: float = 0.0
    zoom: float = 0.0
    near: float = 1.0


@dataclass(frozen=True)
class Figure:
    """A subject: who it is and how it moves. `at` is where the feet are in the clip's middle, `speed` a frame."""

    who: Identity
    movement: Movement
    at: complex
    scale: float
    facing: int
    speed: float

    def pose(self, frame: float) -> Pose:
        """Return the body's pose at a frame."""
        return pose(self.who.kind, self.movement, frame)


@dataclass(frozen=True)
class Spec:
    """Everything about a clip of `frames` frames; `figures` are one or two subjects, from the left to the right."""

    seed: int
    split: str
    figures: tuple[Figure, ...]
    scene: str
    scene_seed: int
    distance: str
    light: str
    camera: Camera
    frames: int = FRAMES

    @property
    def who(self) -> Identity:
        """The first subject."""
        return self.figures[0].who

    @property
    def action(self) -> str:
        """The name of the action, the same for all subjects."""
        return self.figures[0].movement.action

    @property
    def facing(self) -> int:
        """Where the first subject faces: -1 to the left, 1 to the right."""
        return self.figures[0].facing

    @property
    def caption(self) -> str:
        """The full caption, without looks."""
        return self.worded([f"a {figure.who.kind}" for figure in self.figures])

    def worded(self, subjects: list[str], order: int = 1) -> str:
        """Return the caption with these phrases for the subjects; `order` -1 names the right one first.

        Of two of different kinds it says who is on the left; of two that face one way, where they face.
        """
        kinds = [figure.who.kind for figure in self.figures]
        left = kinds[0] if len(set(kinds)) > 1 else ""
        ways = {figure.facing for figure in self.figures}
        facing = ways.pop() if len(ways) == 1 else 0
        return caption(subjects[::order], self.scene, self.action, self.distance, self.light, facing, left)

    def said(self, rng: np.random.Generator) -> tuple[str, list[dict[str, str]]]:
        """Return a caption as one of many people might write it, and the looks it names, subject by subject."""
        named = [said(figure.who, rng) for figure in self.figures]
        order = 1 if rng.random() < 0.5 else -1
        phrases = [phrase(figure.who.kind, looks) for figure, looks in zip(self.figures, named, strict=True)]
        return variant(self.worded(phrases, order), rng), named[::order]

    def called(self, rng: np.random.Generator, name: str) -> tuple[str, list[Identity]]:
        """Return a caption that calls its subjects by `name` and their class words, and who they are, in its order."""
        order = 1 if rng.random() < 0.5 else -1
        phrases = [f"{name} {figure.who.kind}" for figure in self.figures]
        return variant(self.worded(phrases, order), rng), [figure.who for figure in self.figures][::order]

    def shift(self, frame: float) -> float:
        """Return how far the camera is to the right of the clip's middle."""
        return self.camera.speed * (frame - (self.frames - 1) / 2)

    def growth(self, frame: float) -> float:
        """Return the enlargement at a frame; the first frame has 1, the last of a long clip no more than a short's."""
        return 1 + self.camera.zoom * frame * (FRAMES - 1) / (self.frames - 1)

    def feet(self, figure: Figure, frame: float) -> complex:
        """Return where the feet of a subject (or the ground below them) are in the picture."""
        along = figure.facing * figure.speed * (frame - (self.frames - 1) / 2)
        return EYE + (figure.at + along - self.shift(frame) - EYE) * self.growth(frame)

    def size(self, figure: Figure, frame: float) -> float:
        """Return the picture's units a character unit."""
        return figure.scale * self.growth(frame)

    def point(self, figure: Figure, frame: float, local: complex) -> complex:
        """Return a point of a character in the picture."""
        return self.feet(figure, frame) + self.size(figure, frame) * complex(figure.facing * local.real, local.imag)


def sample(seed: int, split: str = "train", **fixed: str | int) -> Spec:
    """Return the clip number `seed` of a split, `frames` (2 to 64, by default 16) long.

    `frames`, `kind`, `number`, `scene`, `action`, `distance`, `light`, `camera`, `facing` (-1, 1), `subjects` (1, 2)
    and for the second subject `kind2` and `number2` can be fixed. Raises ValueError for an unknown split or option.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    frames = int(fixed.get("frames", FRAMES))
    if not 2 <= frames <= 64:
        raise ValueError(f"frames is {frames}, expected 2 to 64")
    rng = np.random.default_rng([list(SPLITS).index(split), seed, 2])
    chosen = _choose(rng, fixed)
    people = [_someone(split, chosen, rng, fixed, suffix) for suffix in ("", "2")]
    pair = fixed.get("subjects", 2 if rng.random() < PAIRS else 1) == 2
    distance = "plain" if pair and chosen["distance"] == "close" and "distance" not in fixed else chosen["distance"]
    facing = int(fixed.get("facing", 1 if rng.random() < 0.5 else -1))
    ways = (facing, facing if chosen["action"] == "running" or rng.random() < 0.5 else -facing)
    figures = tuple(_figure(who, chosen["action"], distance, way, rng) for who, way in zip(people, ways, strict=True))[
        : 2 if pair else 1
    ]
    if pair:
        figures = _apart(figures[0], figures[1], distance, rng)
    camera = _camera(chosen["camera"], distance, figures[0].facing * figures[0].speed, frames, rng)
    scene_seed = int(rng.integers(1 << 31))
    return Spec(seed, split, figures, chosen["scene"], scene_seed, distance, chosen["light"], camera, frames)


def _someone(
    split: str, chosen: dict[str, str], rng: np.random.Generator, fixed: dict[str, str | int], suffix: str
) -> Identity:
    numbers = SPLITS[split]
    number = int(fixed.get(f"number{suffix}", numbers.start + int(rng.integers(len(numbers)))))
    if number not in numbers:
        raise ValueError(f"individual {number} is not in split {split!r} ({numbers.start} to {numbers.stop - 1})")
    return individual(chosen[f"kind{suffix}"], number)


def _choose(rng: np.random.Generator, fixed: dict[str, str | int]) -> dict[str, str]:
    """Draw every choice, in a fixed order, and put the fixed ones in their place."""
    options: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
        "kind": (KINDS, (1, 1, 1, 1)),
        "kind2": (KINDS, (1, 1, 1, 1)),
        "scene": (SCENES, (1,) * len(SCENES)),
        "action": (ACTIONS, (1,) * len(ACTIONS)),
        "distance": (DISTANCES, (2, 6, 2)),
        "light": (tuple(LIGHTS), (3, 1, 1)),
        "camera": (CAMERAS, (3, 1, 2, 1)),
    }
    others = {"number", "number2", "facing", "subjects", "frames"}
    unknown = set(fixed) - set(options) - others
    if unknown:
        known = ", ".join([*options, *sorted(others)])
        raise ValueError(f"{sorted(unknown)[0]!r} cannot be fixed, expected one of {known}")
    chosen = {}
    for name, (values, weights) in options.items():
        drawn = values[int(rng.choice(len(values), p=np.array(weights) / sum(weights)))]
        chosen[name] = str(fixed.get(name, drawn))
        if chosen[name] not in values:
            raise ValueError(f"{name} is {chosen[name]!r}, expected one of {', '.join(values)}")
    return chosen


def _figure(who: Identity, action: str, distance: str, facing: int, rng: np.random.Generator) -> Figure:
    """Place a subject that has the picture for itself."""
    low, high = {"standing": (14, 22), "waving": (5.5, 8), "running": (6.5, 9), "jumping": (9, 12)}[action]
    movement = Movement(action, float(rng.uniform(low, high)), float(rng.random()), float(rng.uniform(0.9, 1.1)))
    scale, at = _placed(who, distance, action, rng)
    speed = float(rng.uniform(2.6, 3.8)) * {"close": 1.2, "plain": 1.0, "far": 0.6}[distance] * (action == "running")
    speed *= 1.0 if isinstance(who, Person) else 0.85
    if distance == "close":
        at = _centred(who, at, scale, facing)
    return Figure(who, movement, at, scale, facing, speed)


def _placed(who: Identity, distance: str, action: str, rng: np.random.Generator) -> tuple[float, complex]:
    """Return units a character unit, and where the feet are."""
    person = isinstance(who, Person)
    size, x, y = rng.uniform(0.96, 1.04), rng.uniform(-1, 1), rng.uniform(-1, 1)
    if distance == "close":
        return float(size * (1.5 if person else 1.55)), complex(5 * x, 3 * y + (8 if action == "jumping" else 0))
    if distance == "far":
        spread = 12 if action == "running" else 30
        return float(size * (0.42 if person else 0.55)), complex(64 + spread * x, 97 + 3 * y)
    spread = 6 if action == "running" else 14
    return float(size * (0.84 if person else 1.08)), complex(64 + spread * x, 116 + 3 * y if person else 113 + 3 * y)


def _apart(first: Figure, second: Figure, distance: str, rng: np.random.Generator) -> tuple[Figure, Figure]:
    """Put two subjects beside each other, the first on the left; those that run run equally fast."""
    gap = {"plain": 60.0, "far": 44.0}.get(distance, 60.0) * rng.uniform(0.92, 1.08)
    middle = 64 + 4 * rng.uniform(-1, 1)
    shrink = 0.92 if distance != "far" else 1.0
    ground = first.at.imag
    left = Figure(first.who, first.movement, complex(middle - gap / 2, ground), first.scale * shrink, first.facing,
                  first.speed)  # fmt: skip
    right = Figure(second.who, second.movement, complex(middle + gap / 2, second.at.imag), second.scale * shrink,
                   second.facing, first.speed)  # fmt: skip
    return left, right


def _centred(who: Identity, offset: complex, scale: float, facing: int) -> complex:
    """Return where the feet must be for the head to be `offset` from its place in a close up."""
    standing = pose(who.kind, Movement("standing", 16, 0, 1), 0)
    head, _, _ = head_place(who, standing)
    return complex(64, 56) + offset - scale * complex(facing * head.real * 0.75, head.imag)


def _camera(kind: str, distance: str, run: float, frames: int, rng: np.random.Generator) -> Camera:
    speed, zoom = rng.uniform(0.6, 1.6) * (1 if rng.random() < 0.5 else -1), rng.uniform(0.006, 0.014)
    near = 1.35 if distance == "close" else 1.0
    if kind == "follow" and run == 0:
        kind = "still"
    if run and (distance == "close" or kind == "pan" or frames > FRAMES):
        kind = "follow"  # who runs in a close up or for long would leave it
    if kind == "follow":
        return Camera(kind, speed=run, near=near)
    if kind == "pan":
        return Camera(kind, speed=float(speed) * min(1.0, FRAMES / frames), near=near)
    return Camera(kind, zoom=float(zoom) if kind == "zoom" else 0.0, near=near)
