"""Measures of videos of the drawn world, by its judges. Importing this registers them: drawn_likeness and others.

What a prompt asks for is read from its words as the drawn world's prompts have them ("a dog in the snow, running");
where it does not say, or the class is none of the drawn world's, the video has no such figure (NaN).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vcd_ext import toyworld
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.metrics.cosine import neighbour_cosine
from vcd_ext.metrics.nearest import nearest_rate
from vcd_ext.metrics.registry import Compute, Frames, Measure, MeasureContext, register_measure
from vcd_ext.storage import tensor_file
from vcd_ext.toyworld.judging import ACTIONS, KINDS, SCENES, SHORTEST, Judges, Values, load_judges
from vcd_ext.toyworld.likeness import appearance

Others = dict[str, NDArray[np.float32]]  # {kind: unit vectors [N, 64]}


class DrawnSubjects:
    """The judges, with what they said of the last video and of each subject's photos."""

    def __init__(self, judges: Judges, others: Others):
        """Look with these judges, among these other individuals."""
        self.judges, self.others = judges, others
        self._video: tuple[Frames, Values] | None = None
        self._photos: dict[int, tuple[tuple[Photo, ...], Values]] = {}

    def video(self, frames: Frames) -> Values:
        """Return the unit vectors [F, 64] of a video's subject."""
        if self._video is None or self._video[0] is not frames:
            self._video = frames, self.judges.identity(frames)
        return self._video[1]

    def looks(self, photos: tuple[Photo, ...]) -> Values:
        """Return the unit vector [64] of the subject of photos."""
        known = self._photos.get(id(photos))
        if known is None or known[0] is not photos:
            known = self._photos[id(photos)] = photos, appearance(self.judges, photos)
        return known[1]


def drawn_likeness(drawn: DrawnSubjects, frames: Frames, context: MeasureContext) -> float:
    """Compute mean over frames of the cosine with the photos' mean: CLIP-I in small."""
    return float((drawn.video(frames) @ drawn.looks(context.photos)).mean()) if context.photos else np.nan


def drawn_nearest(drawn: DrawnSubjects, frames: Frames, context: MeasureContext) -> float:
    """Compute the share of frames whose subject is nearer to the photos' than to 199 others of its kind."""
    others = drawn.others.get(context.class_word)
    if others is None or not context.photos:
        return np.nan
    return nearest_rate(drawn.video(frames), drawn.looks(context.photos), others)


def drawn_drift(drawn: DrawnSubjects, frames: Frames, _: MeasureContext) -> float:
    """Compute 1 - mean cosine between neighbours' subjects: how much the individual changes; 0 for a still one."""
    return 1 - neighbour_cosine(drawn.video(frames))


def drawn_class(drawn: DrawnSubjects, frames: Frames, context: MeasureContext) -> float:
    """Compute whether the class is the one asked for, by the frames' mean probabilities: 0 or 1."""
    return _right(drawn.judges.kinds(frames).mean(axis=0), KINDS, context.class_word)


def drawn_scene(drawn: DrawnSubjects, frames: Frames, context: MeasureContext) -> float:
    """Compute whether the scene is the one that the prompt names: 0 or 1."""
    asked = dict(zip(toyworld.SCENES, SCENES, strict=True))
    named = [scene for words, scene in asked.items() if words in context.text]
    return _right(drawn.judges.scenes(frames).mean(axis=0), SCENES, named[0] if len(named) == 1 else "")


def drawn_action(drawn: DrawnSubjects, frames: Frames, context: MeasureContext) -> float:
    """Compute whether the action is the one that the prompt names: 0 or 1; NaN for fewer than 8 frames."""
    named = [action for action in ACTIONS if action in context.text]
    if len(named) != 1 or len(frames) < SHORTEST:
        return np.nan
    return _right(drawn.judges.actions(frames), ACTIONS, named[0])


def _right(probabilities: Values, names: Sequence[str], wanted: str) -> float:
    return float(names[int(probabilities.argmax())] == wanted) if wanted in names else np.nan


def read_others(path: Path, judges: Path) -> Others:
    """Read `tools.toyworld.individuals`' file; ValueError if other judges than those of the second file made it."""
    with tensor_file.safetensors.safe_open(str(path), "np") as file:  # type: ignore[attr-defined]
        made_by = (file.metadata() or {}).get("judges")
        tensors = {kind: np.asarray(file.get_tensor(kind), np.float32) for kind in file.keys()}  # noqa: SIM118
    if made_by != hashlib.sha256(judges.read_bytes()).hexdigest():
        raise ValueError(
            f"{path} was made with other judges than {judges.name} beside it; make it anew with python -m "
            "tools.toyworld.individuals --out vcd_ext/toyworld."
        )
    return {kind: vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for kind, vectors in tensors.items()}


_LOADED: list[DrawnSubjects] = []  # once a process: they are small


def _loaded() -> DrawnSubjects:
    if not _LOADED:
        judges = toyworld.judges()
        _LOADED.append(DrawnSubjects(load_judges(judges), read_others(toyworld.individuals(), judges)))
    return _LOADED[0]


def _missing(_: Sequence[Path]) -> str:
    try:
        toyworld.judges(), toyworld.individuals()
    except ValueError as error:
        return str(error)
    return ""


DRAWN = ("drawn_likeness", "drawn_nearest", "drawn_class", "drawn_scene")  # those of single pictures
Look = Callable[[DrawnSubjects, Frames, MeasureContext], float]


def register_drawn(look: Look, label: str, better: int = 1, photos: bool = False, fewest: int = 1) -> None:
    """Register a measure by its function's name."""

    def load(_: Sequence[Path], __: torch.device | str) -> Compute:
        drawn = _loaded()
        return lambda frames, context: look(drawn, frames, context)

    register_measure(Measure(look.__name__, label, load, better, _missing, photos, fewest))


register_drawn(drawn_likeness, "Likeness (drawn)", photos=True)
register_drawn(drawn_nearest, "Nearest of 200 (drawn)", photos=True)
register_drawn(drawn_drift, "Drift of identity (drawn)", better=-1, fewest=2)
register_drawn(drawn_class, "Class right (drawn)")
register_drawn(drawn_scene, "Scene right (drawn)")
register_drawn(drawn_action, "Action right (drawn)", fewest=SHORTEST)
