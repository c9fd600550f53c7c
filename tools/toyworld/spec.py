"""What a clip shows, decided from a seed: who, where, doing what, seen how."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .captions import DISTANCES, caption
from .figures import head_place
from .identity import KINDS, SPLITS, Identity, Person, individual
from .motion import ACTIONS, Movement, Pose, pose
from .scenes import SCENES
from .stage import LIGHTS

FRAMES = 16
CAMERAS = ("still", "pan", "follow", "zoom")
EYE = complex(64, 70)  # what a zoom keeps in place


@dataclass(frozen=True)
class Camera:
    """`kind` is one of CAMERAS; `speed` in pixels a frame rightwards, `zoom` the growth a frame, `near` the scene's."""

    kind: str
    speed: float = 0.0
    zoom: float = 0.0
    near: float = 1.0

    def shift(self, frame: float) -> float:
        """How far the camera is to the right of the clip's middle, in pixels."""
        return self.speed * (frame - (FRAMES - 1) / 2)

    def growth(self, frame: float) -> float:
        """Return the enlargement at a frame; the first frame has 1."""
        return 1 + self.zoom * frame


@dataclass(frozen=True)
class Spec:
    """Everything about a clip. `at` is where the feet are in the clip's middle (pixels), `speed` in pixels a frame."""

    seed: int
    split: str
    who: Identity
    scene: str
    scene_seed: int
    distance: str
    light: str
    movement: Movement
    camera: Camera
    at: complex
    scale: float
    facing: int
    speed: float

    @property
    def action(self) -> str:
        """The name of the action."""
        return self.movement.action

    @property
    def caption(self) -> str:
        """The full caption."""
        return caption(self.who.kind, self.scene, self.action, self.distance, self.light)

    def pose(self, frame: float) -> Pose:
        """Return the body's pose at a frame."""
        return pose(self.who.kind, self.movement, frame)

    def feet(self, frame: float) -> complex:
        """Where the feet (or the ground below them) are in the picture, in pixels."""
        moved = self.at + self.facing * self.speed * (frame - (FRAMES - 1) / 2) - self.camera.shift(frame)
        return EYE + (moved - EYE) * self.camera.growth(frame)

    def size(self, frame: float) -> float:
        """Picture pixels a character unit."""
        return self.scale * self.camera.growth(frame)

    def point(self, frame: float, local: complex) -> complex:
        """Return a point of the character in the picture."""
        return self.feet(frame) + self.size(frame) * complex(self.facing * local.real, local.imag)


def sample(seed: int, split: str = "train", **fixed: str | int) -> Spec:
    """Return the clip number `seed` of a split.

    `kind`, `number`, `scene`, `action`, `distance`,
    `light` and `camera` can be fixed. Raises ValueError for an unknown split or option.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    rng = np.random.default_rng([list(SPLITS).index(split), seed])
    chosen = _choose(rng, fixed)
    numbers = SPLITS[split]
    number = int(fixed.get("number", numbers.start + int(rng.integers(len(numbers)))))
    if number not in numbers:
        raise ValueError(f"individual {number} is not in split {split!r} ({numbers.start} to {numbers.stop - 1})")
    who = individual(chosen["kind"], number)
    action, distance = chosen["action"], chosen["distance"]
    movement = Movement(action, _period(action, rng), float(rng.random()), float(rng.uniform(0.85, 1.15)))
    scale, at = _placed(who, distance, action, rng)
    facing = 1 if rng.random() < 0.5 else -1
    speed = float(rng.uniform(2.6, 4.2)) * {"close": 1.2, "plain": 1.0, "far": 0.6}[distance] * (action == "running")
    speed *= 1.0 if isinstance(who, Person) else 0.85
    camera = _camera(chosen["camera"], distance, facing * speed, rng)
    if distance == "close":
        at = _centred(who, at, scale, facing)
    scene_seed = int(rng.integers(1 << 31))
    return Spec(
        seed,
        split,
        who,
        chosen["scene"],
        scene_seed,
        distance,
        chosen["light"],
        movement,
        camera,
        at,
        scale,
        facing,
        speed,
    )


def _choose(rng: np.random.Generator, fixed: dict[str, str | int]) -> dict[str, str]:
    """Draw every choice, in a fixed order, and put the fixed ones in their place."""
    options: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
        "kind": (KINDS, (1, 1, 1, 1)),
        "scene": (SCENES, (1,) * len(SCENES)),
        "action": (ACTIONS, (1,) * len(ACTIONS)),
        "distance": (DISTANCES, (3, 5, 2)),
        "light": (tuple(LIGHTS), (3, 1, 1)),
        "camera": (CAMERAS, (3, 1, 2, 1)),
    }
    unknown = set(fixed) - set(options) - {"number"}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} cannot be fixed, expected one of {', '.join([*options, 'number'])}")
    chosen = {}
    for name, (values, weights) in options.items():
        drawn = values[int(rng.choice(len(values), p=np.array(weights) / sum(weights)))]
        chosen[name] = str(fixed.get(name, drawn))
        if chosen[name] not in values:
            raise ValueError(f"{name} is {chosen[name]!r}, expected one of {', '.join(values)}")
    return chosen


def _period(action: str, rng: np.random.Generator) -> float:
    low, high = {"standing": (14, 22), "waving": (5.5, 8), "running": (6.5, 9), "jumping": (9, 12)}[action]
    return float(rng.uniform(low, high))


def _placed(who: Identity, distance: str, action: str, rng: np.random.Generator) -> tuple[float, complex]:
    """Pixels a unit, and where the feet are."""
    person = isinstance(who, Person)
    size, x, y = rng.uniform(0.94, 1.06), rng.uniform(-1, 1), rng.uniform(-1, 1)
    if distance == "close":
        return float(size * (1.75 if person else 1.85)), complex(6 * x, 3 * y + (9 if action == "jumping" else 0))
    if distance == "far":
        spread = 14 if action == "running" else 36
        return float(size * (0.40 if person else 0.50)), complex(64 + spread * x, 96 + 4 * y)
    spread = 6 if action == "running" else 18
    return float(size * (0.87 if person else 1.06)), complex(64 + spread * x, 115 + 3.5 * y if person else 111 + 4 * y)


def _centred(who: Identity, offset: complex, scale: float, facing: int) -> complex:
    """Where the feet must be for the head to be `offset` from its place in a close up."""
    standing = pose(who.kind, Movement("standing", 16, 0, 1), 0)
    head, _, _ = head_place(who, standing)
    return complex(64, 57) + offset - scale * complex(facing * head.real * 0.75, head.imag)


def _camera(kind: str, distance: str, run: float, rng: np.random.Generator) -> Camera:
    speed, zoom = rng.uniform(0.6, 1.6) * (1 if rng.random() < 0.5 else -1), rng.uniform(0.006, 0.014)
    near = 1.35 if distance == "close" else 1.0
    if kind == "follow" and run == 0:
        kind = "still"
    if run and (distance == "close" or kind == "pan"):
        kind = "follow"  # who runs in a close up would leave it
    if kind == "follow":
        return Camera(kind, speed=run, near=near)
    if kind == "pan":
        return Camera(kind, speed=float(speed), near=near)
    return Camera(kind, zoom=float(zoom) if kind == "zoom" else 0.0, near=near)
