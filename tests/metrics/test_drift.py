"""Each frame beside the first ones: the curve falls where the video becomes another, whatever the measure."""

import numpy as np
import pytest

from vcd_ext.metrics.drift import FIRST, MOST, likeness_by_frame
from vcd_ext.metrics.registry import Frames, MeasureContext


def brightness(frames: Frames, context: MeasureContext) -> float:
    """Compare by nothing but brightness; black has none."""
    known = float(np.mean([photo.pixels.mean() for photo in context.photos]))
    return 1 - abs(float(frames.mean()) - known) / 255 if frames.any() else float("nan")


def video(*shades: int) -> Frames:
    return np.stack([np.full((4, 4, 3), shade, np.uint8) for shade in shades])


def test_the_curve_falls_where_the_video_becomes_another() -> None:
    found = likeness_by_frame(video(*[100] * 20, *[202] * 20), brightness)
    assert found.frames == tuple(range(40))
    assert found.first == FIRST
    assert found.values == pytest.approx([1.0] * 20 + [0.6] * 20)


def test_a_short_video_is_compared_with_its_first_half() -> None:
    found = likeness_by_frame(video(100, 100, 151, 151), brightness)
    assert found.first == 2
    assert found.values == pytest.approx([1.0, 1.0, 0.8, 0.8])


def test_of_a_long_one_some_frames_are_looked_at_the_last_among_them() -> None:
    found = likeness_by_frame(video(*[50] * 1000), brightness)
    assert len(found.frames) == len(found.values) == MOST
    assert (found.frames[0], found.frames[-1]) == (0, 999)


def test_where_nothing_is_found_there_is_no_figure() -> None:
    assert np.isnan(likeness_by_frame(video(100, 100, 0, 100), brightness).values[2])


def test_one_frame_has_nothing_to_be_compared_with() -> None:
    with pytest.raises(ValueError, match="The video has one frame"):
        likeness_by_frame(video(100), brightness)
