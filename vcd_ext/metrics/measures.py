"""All measures of this room: importing this registers them."""

from vcd_ext.metrics import (
    arcface,  # noqa: F401 - registers it
    encoder_measures,  # noqa: F401 - registers CLIP's and DINO's
    face_likeness,  # noqa: F401 - registers those of faces
    motion,
)
from vcd_ext.metrics.registry import Frames, Measure, MeasureContext, register_measure


def _flow(frames: Frames, _: MeasureContext) -> float:
    return motion.flow_magnitude(frames)


def _flicker(frames: Frames, _: MeasureContext) -> float:
    return motion.flicker(frames)


def _correlation(frames: Frames, _: MeasureContext) -> float:
    return motion.neighbour_correlation(frames)


register_measure(Measure("flow", "Motion, px/frame", lambda *_: _flow, better=0, fewest=2))
register_measure(Measure("flicker", "Flicker", lambda *_: _flicker, better=-1, fewest=2))
register_measure(Measure("correlation", "Neighbours' correlation", lambda *_: _correlation, better=0, fewest=2))
