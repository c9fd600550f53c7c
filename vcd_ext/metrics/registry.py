"""Measures of videos by their names, so that they can come from outside this room as well.

A file that has a measure registers it when it is imported: `metrics.measures` imports those of this room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vcd_ext.metrics.text import plain_text

if TYPE_CHECKING:
    import torch

    from vcd_ext.identity.photos.photo import Photo

Frames = NDArray[np.uint8]  # [F, H, W, 3], RGB


@dataclass(frozen=True, eq=False)
class MeasureContext:
    """Hold what a video is compared with. One subject's `photos` are one tuple: it can be the key of a cache."""

    prompt: str = ""  # from which the video was made
    name: str = ""  # the word that stands for the identity in the prompt; "" without one
    class_word: str = ""  # what the subject is: "dog"
    photos: tuple[Photo, ...] = ()  # of the subject; () where nobody is meant

    @property
    def text(self) -> str:
        """The prompt as one says it, without the identity's name: "photo of a dog" for "photo of (rex dog:1.2)"."""
        return plain_text(self.prompt, self.name, self.class_word)


Compute = Callable[[Frames, MeasureContext], float]


@dataclass(frozen=True)
class Measure:
    """One figure of a video. NaN is what a video has in which there is nothing to measure, such as no face."""

    name: str  # in protocols, and in tables of figures: "clip_i"
    label: str  # on pages: "CLIP-I"
    # Makes what computes it, from folders with weights and the device. ValueError, in a sentence, for damaged weights.
    load: Callable[[Sequence[Path], torch.device | str], Compute]
    better: int = 1  # 1: higher is better; -1: lower; 0: neither
    # The sentence that says which file is missing in these folders and where it comes from; "" if all is there.
    missing: Callable[[Sequence[Path]], str] = lambda _: ""
    of_photos: bool = False  # whether it compares with the subject's photos
    fewest: int = 1  # frames of a video that can be measured


_MEASURES: dict[str, Measure] = {}


def register_measure(measure: Measure) -> None:
    """Have protocols know a measure by its name."""
    _MEASURES[measure.name] = measure


def find_measure(name: str) -> Measure:
    """Return the measure of that name; ValueError if none is registered by it."""
    if name not in _MEASURES:
        raise ValueError(f"There is no measure called {name}; choose some of {', '.join(_MEASURES)}.")
    return _MEASURES[name]


def can_be_made(names: Iterable[str], weights: Sequence[Path]) -> list[str]:
    """Return the measures of which nothing is missing in these folders, in the order that is given."""
    return [name for name in names if not find_measure(name).missing(weights)]


def no_likeness(weights: Sequence[Path]) -> ValueError:
    """Return the error that says what the simplest measure of likeness needs, for where none can be made."""
    return ValueError(f"No measure of likeness can be made here. {find_measure('clip_i').missing(weights)}")
