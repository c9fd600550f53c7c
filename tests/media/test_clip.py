"""A clip keeps what it is given, exactly, or says in one sentence what is wrong with it."""

import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from vcd_ext.media import Clip
from vcd_ext.media.clip import stacked

FRAMES = np.zeros((2, 4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (8, Fraction(8)),
        (np.float32(8), Fraction(8)),
        (12.5, Fraction(25, 2)),
        ("12.5", Fraction(25, 2)),
        (0.1, Fraction(1, 10)),
        (23.976, Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("24000/1001", Fraction(24000, 1001)),
        (Fraction(25, 3), Fraction(25, 3)),
        (24, Fraction(24)),
        (23.97602397602398, Fraction(24000, 1001)),
    ],
)
def test_fps_is_the_fraction_that_was_meant(given: float, meant: Fraction) -> None:
    assert Clip(FRAMES, given).fps == meant


@pytest.mark.parametrize("fps", [0, -1, math.nan, math.inf, "fast", "1/0", None, 1e9, 1e-9])
def test_fps_that_is_no_rate_is_refused(fps: float) -> None:
    with pytest.raises(ValueError, match=r"fps is .*0\.01 to 1000"):
        Clip(FRAMES, fps)


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        (FRAMES.astype(np.float32), "float32"),
        (FRAMES[0], r"\[4, 6, 3\]"),
        (FRAMES[..., :1], r"\[2, 4, 6, 1\]"),
        (FRAMES[:0], "at least one frame"),
        (FRAMES[:, :0], "at least one frame"),
        ([[1]], "list"),
        (None, "NoneType"),
    ],
)
def test_frames_of_another_kind_are_refused(frames: np.ndarray, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Clip(frames, 8)


def test_metadata_is_text_and_a_copy() -> None:
    given = {"seed": 42}
    clip = Clip(FRAMES, 8, given)  # type: ignore[arg-type]
    given["seed"] = 43
    assert clip.metadata == {"seed": "42"}


@pytest.mark.parametrize("expected", [-1, 1, 5, 6, 40, 2**62])
def test_pictures_are_stacked_whatever_their_number_was_thought_to_be(expected: int) -> None:
    pictures = [np.full((4, 6, 3), i, np.uint8) for i in range(6)]
    assert np.array_equal(stacked(iter(pictures), expected), np.stack(pictures))


@pytest.mark.parametrize("expected", [-1, 3, 6, 40])
def test_what_is_too_large_for_the_memory_is_stacked_on_the_disk(
    expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vcd_ext.storage.disk_array.IN_MEMORY", 3 * 4 * 6 * 3)
    pictures = [np.full((4, 6, 3), i, np.uint8) for i in range(6)]
    frames = stacked(iter(pictures), expected)
    assert isinstance(frames, np.memmap)
    assert np.array_equal(frames, np.stack(pictures))
    assert type(stacked(iter(pictures[:3]), 3)) is np.ndarray


def test_stacking_holds_one_picture_beside_the_frames() -> None:
    shape, count = (100, 100, 3), 50
    tracemalloc.start()
    frames = stacked((np.zeros(shape, np.uint8) for _ in range(count)), expected=count)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < frames.nbytes + 3 * math.prod(shape)


def test_pictures_of_two_sizes_make_no_clip() -> None:
    with pytest.raises(ValueError, match=r"frame 1 is 6x5 and frame 0 is 6x4"):
        stacked([np.zeros((4, 6, 3), np.uint8), np.zeros((5, 6, 3), np.uint8)])
