"""What `benchmarks.lasting` measures, on videos whose figures are known, and the page that it writes."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.lasting_measures import by_block, jumps, neighbour_steps, ratio_interval, repetition
from benchmarks.lasting_report import by_cell, page

RNG = np.random.default_rng(0)


def noise(frames: int) -> np.ndarray:
    return RNG.integers(0, 256, (frames, 32, 32, 3), np.uint8)


def test_blocks_are_sixteen_frames_and_the_last_may_be_shorter() -> None:
    assert by_block([*[1.0] * 16, *[0.5] * 16, 0.25]) == [1.0, 0.5, 0.25]


def test_a_step_is_the_mean_difference_of_two_frames() -> None:
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    frames[1], frames[2] = 10, 4
    assert neighbour_steps(frames).tolist() == [10, 6]


def test_a_jump_is_told_from_the_usual_step_by_where_windows_meet() -> None:
    steps = np.ones(27)  # 28 frames: windows 0 to 16 and 12 to 28
    assert jumps(steps, 16, 4) == (1, 1)
    steps[14] = 6  # one of the five steps 11 to 15, of which a frame is in both windows
    assert jumps(steps, 16, 4) == pytest.approx((2, 2))
    steps[14], steps[3] = 1, 6
    assert jumps(steps, 16, 4)[0] < 1


def test_the_largest_border_is_one_of_several() -> None:
    steps = np.ones(39)  # 40 frames: windows 0 to 16, 12 to 28, 24 to 40
    steps[23:28] = 3
    assert jumps(steps, 16, 4) == pytest.approx((2, 3))
    apart = np.ones(31)  # without overlap the border is one step
    apart[15] = 5
    assert jumps(apart, 16, 0) == (5, 5)


def test_one_window_has_no_borders() -> None:
    assert np.isnan(jumps(np.ones(15), 16, 4)).all()


def test_what_comes_again_is_a_repetition_and_what_does_not_is_none() -> None:
    fresh = noise(48)
    assert repetition(fresh) < 0.5
    assert repetition(np.concatenate([fresh[:24], fresh[:24]])) == pytest.approx(1, abs=1e-5)
    assert np.isnan(repetition(fresh[:16])), "no frames are that far apart"


def test_a_ratio_is_that_of_the_means() -> None:
    found = ratio_interval([2.0, 4.0], [1.0, 3.0])
    assert found.mean == 1.5
    assert found.low == pytest.approx(4 / 3)
    assert found.high == 2


def row(cell: str, frames: int, number: int, value: float = 0.5) -> dict[str, object]:
    blocks = [value] * (frames // 16)
    figures = dict.fromkeys(("step", "jump", "worst", "repetition", "flow", "seconds"), value)
    return {"cell": cell, "frames": frames, "number": number, **figures} | {
        "likeness": [float("nan")] * len(blocks) if cell == "word" else blocks, "place": blocks, "looks": blocks,
    }  # fmt: skip


def test_a_row_counts_the_videos_that_all_measured_cells_have() -> None:
    found = [row("a", 64, number) for number in range(3)] + [row("b", 64, 1)]
    assert {cell: [r["number"] for r in rows] for cell, rows in by_cell(found, ["a", "b", "c"]).items()} == {
        "a": [1], "b": [1],
    }  # fmt: skip


def test_the_page_says_which_bars_are_kept(tmp_path: Path) -> None:
    found = [row(cell, frames, n) for cell in ("drawn", "windows", "word") for frames in (16, 64) for n in (0, 1)]
    found += [row("jumping", frames, n, 1.5) for frames in (16, 64) for n in (0, 1)]
    text = page(tmp_path, found, ["drawn", "windows", "word", "jumping"], "drawn", "windows")
    assert (tmp_path / "lasting.md").read_text() == text
    assert "| windows: step at borders over the usual | 0.5 | at most 1.2 | kept | 0.500 (0.500 to 0.500) |" in text
    assert "| jumping: motion over a short video's | 3 | 0.8 to 1.2 | MISSED | 3.00 (3.00 to 3.00) |" in text
    assert "word: likeness" not in text
    assert (tmp_path / "lasting_looks_64.svg").read_text().count("<polyline") == 4
    assert (tmp_path / "lasting_likeness_64.svg").read_text().count("<polyline") == 3
