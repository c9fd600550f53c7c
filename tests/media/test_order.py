"""The order in which a file has its frames."""

import numpy as np
import pytest

from vcd_ext.media import Clip
from vcd_ext.media.order import frame_order, ordered
from vcd_ext.settings import ORDERS, LoopSettings


@pytest.mark.parametrize(
    ("frames", "order", "places"),
    [
        (4, "forward", [0, 1, 2, 3]),
        (4, "reverse", [3, 2, 1, 0]),
        (4, "ping-pong", [0, 1, 2, 3, 2, 1]),
        (2, "ping-pong", [0, 1]),
        (1, "ping-pong", [0]),
        (1, "reverse", [0]),
    ],
)
def test_which_frame_stands_where(frames: int, order: str, places: list[int]) -> None:
    assert frame_order(frames, order) == places


def test_ping_pong_moves_by_one_frame_at_a_time_also_where_it_begins_again() -> None:
    places = frame_order(7, "ping-pong")
    assert {abs(a - b) for a, b in zip(places, [*places[1:], places[0]], strict=True)} == {1}


@pytest.mark.parametrize("order", ORDERS)
def test_a_clip_keeps_all_else(order: str) -> None:
    clip = Clip(np.arange(5, dtype=np.uint8)[:, None, None, None].repeat(3, 3), 7, {"parameters": "a cat"}, start=2)
    made = ordered(clip, order)
    assert made.frames[:, 0, 0, 0].tolist() == frame_order(5, order)
    assert (made.fps, made.metadata, made.start) == (clip.fps, clip.metadata, clip.start)
    assert (made is clip) == (order == "forward")


def test_after_the_last_frame_comes_the_first_in_a_loop_and_in_ping_pong() -> None:
    asked = [LoopSettings(), LoopSettings(order="reverse"), LoopSettings(order="ping-pong"), LoopSettings(loop=True)]
    assert [settings.closed for settings in asked] == [False, False, True, True], "so interpolation goes on there"
