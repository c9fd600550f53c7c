"""Windows of frames: they cover the video, alike in length, and their weights sum to 1 on every frame."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vcd_ext.motion import Window, windows


@st.composite
def requests(draw: st.DrawFn) -> tuple[int, int, int]:
    """Frames, length and overlap that can be asked for."""
    length = draw(st.integers(1, 40))
    return draw(st.integers(1, 150)), length, draw(st.integers(0, length - 1))


def ranges(made: list[Window]) -> list[tuple[int, int]]:
    return [(window.frames.start, window.frames.stop) for window in made]


@given(requests())
@settings(max_examples=50)
def test_the_weights_sum_to_1_on_every_frame(request_: tuple[int, int, int]) -> None:
    total = torch.zeros(request_[0], dtype=torch.float64)
    for window in windows(*request_):
        assert window.weights.dtype == torch.float32
        assert (window.weights > 0).all()
        total[window.frames.start : window.frames.stop] += window.weights
    assert (total - 1).abs().max() < 1e-6


@given(requests())
@settings(max_examples=50)
def test_all_are_alike_and_share_what_was_asked_for_with_the_fewest_windows(request_: tuple[int, int, int]) -> None:
    frames, length, overlap = request_
    made = ranges(windows(*request_))
    assert {stop - start for start, stop in made} == {min(frames, length)}
    assert (made[0][0], made[-1][1]) == (0, frames)
    steps = [after[0] - before[0] for before, after in pairwise(made)]
    assert all(step == length - overlap for step in steps[:-1])
    assert all(0 < step <= length - overlap for step in steps), "only the last may be moved back"


@pytest.mark.parametrize("frames", [1, 5, 16])
def test_a_video_that_fits_is_one_window_of_weight_1(frames: int) -> None:
    [window] = windows(frames, 16, 4)
    assert window.frames == range(frames)
    assert torch.equal(window.weights, torch.ones(frames))


def test_the_last_window_is_moved_back_to_end_with_the_video() -> None:
    assert ranges(windows(40, 16, 4)) == [(0, 16), (12, 28), (24, 40)]
    assert ranges(windows(30, 16, 4)) == [(0, 16), (12, 28), (14, 30)]
    assert ranges(windows(17, 16, 0)) == [(0, 16), (1, 17)]
    assert ranges(windows(32, 16, 0)) == [(0, 16), (16, 32)]


def test_the_ramps_are_raised_cosines_as_long_as_the_overlap_is() -> None:
    first, second = windows(12, 8, 4)
    cosine = (1 + torch.cos(torch.pi * (torch.arange(4) + 0.5) / 4)) / 2
    torch.testing.assert_close(first.weights, torch.cat([torch.ones(4), cosine]))
    torch.testing.assert_close(second.weights, torch.cat([1 - cosine, torch.ones(4)]))
    moved_back = windows(10, 8, 1)[1]  # shares 6 frames, not 1
    assert (moved_back.weights[:6].diff() > 0).all()
    assert torch.equal(moved_back.weights[6:], torch.ones(2))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ((16, 16, 16), "overlap is 16; it must be from 0 to below the 16 frames"),
        ((16, 4, 5), "overlap is 5"),
        ((16, 4, -1), "overlap is -1"),
        ((0, 16, 4), "both must be at least 1"),
        ((16, 0, 0), "both must be at least 1"),
    ],
)
def test_what_makes_no_windows_is_refused(request_: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        windows(*request_)
