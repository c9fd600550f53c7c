"""Windows around a closed loop: no frame is always at an end, and all weights sum to 1."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings

from tests.motion.test_windows import requests
from vcd_ext.motion import Window, ring_windows

Request = tuple[int, int, int]


def starts(made: list[Window]) -> list[int]:
    return [window.frames[0] for window in made]


@given(requests())
@settings(max_examples=40)
def test_each_goes_on_around_the_ring_and_the_weights_sum_to_1(request_: Request) -> None:
    frames, length, _ = request_
    total = torch.zeros(frames, dtype=torch.float64)
    for window in ring_windows(*request_):
        begin = window.frames[0]
        assert list(window.frames) == [(begin + i) % frames for i in range(min(frames, length))]
        assert window.weights.dtype == torch.float32
        assert (window.weights > 0).all()
        total[list(window.frames)] += window.weights
    assert (total - 1).abs().max() < 1e-6


@given(requests())
@settings(max_examples=40)
def test_every_window_shares_with_both_neighbours_what_was_asked_for(request_: Request) -> None:
    frames, length, overlap = request_
    made = ring_windows(*request_)
    size = min(frames, length)
    share = overlap * size // length
    steps = [
        (b - a) % frames or frames for a, b in zip(starts(made), [*starts(made)[1:], starts(made)[0]], strict=True)
    ]
    assert sum(steps) == frames
    assert max(steps) <= max(size - share, 1)
    assert max(steps) - min(steps) <= 1, "they are evenly spaced"


@given(requests())
@settings(max_examples=40)
def test_first_and_last_frame_are_neighbours_in_some_window(request_: Request) -> None:
    frames, length, overlap = request_
    if frames < 2 or length < 2 or (overlap == 0 and frames > length):
        return  # without an overlap windows meet nowhere
    pairs = {pair for w in ring_windows(*request_) for pair in zip(w.frames[:-1], w.frames[1:], strict=True)}
    assert (frames - 1, 0) in pairs
    if overlap * min(frames, length) // length or frames <= length:
        assert pairs == {(i, (i + 1) % frames) for i in range(frames)}, "as are all others"


def test_a_loop_within_one_window_is_cut_open_at_two_places() -> None:
    first, second = ring_windows(8, 16, 4)
    assert list(first.frames) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert list(second.frames) == [4, 5, 6, 7, 0, 1, 2, 3]
    rise = (1 - torch.cos(torch.pi * (torch.arange(4) + 0.5) / 4)) / 2
    torch.testing.assert_close(first.weights, torch.cat([rise, rise.flip(0)]))


def test_long_loops_come_back_to_their_beginning() -> None:
    assert starts(ring_windows(24, 16, 4)) == [0, 12]
    assert starts(ring_windows(48, 16, 4)) == [0, 12, 24, 36]
    assert starts(ring_windows(49, 16, 4)) == [0, 9, 19, 29, 39]
    assert list(ring_windows(48, 16, 4)[-1].frames)[-4:] == [0, 1, 2, 3]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_loops(frames: int) -> None:
    made = ring_windows(frames, 16, 4)
    assert len(made) == min(frames, 2)
    assert {len(window.frames) for window in made} == {frames}


@pytest.mark.parametrize("request_", [(16, 16, 16), (16, 4, -1), (0, 16, 4), (16, 0, 0)])
def test_what_makes_no_windows_is_refused(request_: Any) -> None:
    with pytest.raises(ValueError, match=r"overlap is|at least 1"):
        ring_windows(*request_)
