"""Measure how much each frame of a video is like its first ones, with what there is to measure with."""

from pathlib import Path
from typing import NamedTuple

import torch

from vcd_ext import media
from vcd_ext.jobs.studio import Studio
from vcd_ext.metrics import measures  # noqa: F401 - registers them
from vcd_ext.metrics.drift import FrameLikeness, likeness_by_frame
from vcd_ext.metrics.registry import can_be_made, find_measure, no_likeness

GENERAL = ("face_distance", "clip_i", "dino", "clip_i_l14")  # by what they tell of a person; wherever their weights are


class Curve(NamedTuple):
    """What a measure says of a video's frames."""

    label: str
    found: FrameLikeness


def likeness_measure(studio: Studio) -> str:
    """Return the name of the measure that is used; "" where none can be made here."""
    own = [name for name in studio.measures() if find_measure(name).of_photos]
    return next(iter([*own, *can_be_made(GENERAL, studio.folders.weights)]), "")


def measured_frames(studio: Studio, path: Path) -> Curve:
    """Read a video and measure it, in the studio's turn; ValueError or OSError, in a sentence, if it cannot be."""
    name = likeness_measure(studio)
    if not name:
        raise no_likeness(studio.folders.weights)
    frames = media.read(path).frames
    with studio.finding(studio.interrupted):
        compute = find_measure(name).load(studio.folders.weights, "cuda" if torch.cuda.is_available() else "cpu")
        return Curve(find_measure(name).label, likeness_by_frame(frames, compute))
