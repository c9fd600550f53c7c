"""What is written comes back: every frame, the exact rate, the true size, all metadata."""

import tracemalloc
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcd_ext.media import Clip, read, read_metadata, write
from vcd_ext.media.animation import delays

# Names to write, and the greatest mean absolute error of the frames that come back.
FORMATS = {"clip.mp4": 3.0, "clip.webm": 3.0, "clip.gif": 4.0, "clip.webp": 3.0, "clip": 0.0}
every_format = pytest.mark.parametrize("name", FORMATS)


def round_trip(name: str, clip: Clip) -> Clip:
    with TemporaryDirectory() as folder:
        return read(write(Path(folder) / name, clip))


def mean_error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@every_format
def test_frames_rate_and_metadata_come_back(name: str, clip: Clip) -> None:
    back = round_trip(name, clip)
    assert back.frames.dtype == np.uint8
    assert back.frames.shape == clip.frames.shape
    assert mean_error(back.frames, clip.frames) <= FORMATS[name]
    assert back.fps == clip.fps
    assert back.metadata == clip.metadata


@every_format
def test_frames_keep_their_order_and_equal_ones_are_not_merged(name: str) -> None:
    brightness = [0, 250, 250, 250, 60, 60, 0, 0, 120, 180]
    frames = np.stack([np.full((32, 48, 3), value, np.uint8) for value in brightness])
    back = round_trip(name, Clip(frames, 8))
    assert back.frames.mean(axis=(1, 2, 3)) == pytest.approx(brightness, abs=3)


@every_format
def test_one_frame_is_a_clip(name: str, clip: Clip) -> None:
    back = round_trip(name, Clip(clip.frames[:1], 8, clip.metadata))
    assert len(back.frames) == 1
    assert back.fps == 8
    assert back.metadata == clip.metadata


@every_format
def test_metadata_given_to_write_goes_over_the_clip_s(name: str, tmp_path: Path) -> None:
    clip = Clip(np.zeros((2, 16, 16, 3), np.uint8), 8, {"parameters": "old", "seed": "1"})
    path = write(tmp_path / name, clip, {"parameters": "new", "model": "sd15"})
    assert read(path).metadata == {"parameters": "new", "seed": "1", "model": "sd15"}
    assert clip.metadata == {"parameters": "old", "seed": "1"}


@every_format
def test_metadata_is_read_without_the_frames(name: str, clip: Clip, tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path / name, clip)) == clip.metadata
    assert read_metadata(tmp_path / "missing.mp4") == {}


@every_format
def test_no_metadata_stays_none(name: str) -> None:
    assert round_trip(name, Clip(np.zeros((2, 16, 16, 3), np.uint8), 8)).metadata == {}


@every_format
@pytest.mark.parametrize("infotext", ["", "cut\0here", "half a pair \ud83d", "\r\n \n\n", "\ufeff\u200b"])
def test_infotext_that_containers_garble_comes_back_identically(name: str, infotext: str) -> None:
    metadata = {"parameters": infotext}
    assert round_trip(name, Clip(np.zeros((1, 16, 16, 3), np.uint8), 8, metadata)).metadata == metadata


@every_format
@settings(max_examples=12)
@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_any_size_comes_back_uncropped_and_unpadded(name: str, height: int, width: int) -> None:
    y, x = np.mgrid[:height, :width]
    frames = np.stack([np.stack([x * 6, y * 6, x * 3 + y * 3], axis=-1).astype(np.uint8)] * 2)
    back = round_trip(name, Clip(frames, 8))
    assert back.frames.shape == frames.shape
    assert mean_error(back.frames, frames) < 8


@every_format
@settings(max_examples=12)
@given(fps=st.fractions(Fraction(1, 100), 120, max_denominator=1001))
def test_any_rate_comes_back_exactly(name: str, fps: Fraction) -> None:
    clip = Clip(np.zeros((3, 16, 16, 3), np.uint8), fps)
    assert round_trip(name, clip).fps == clip.fps


@every_format
@settings(max_examples=12)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(["parameters", "comment", "title", "vcd", "fps"]), st.text()),
        st.text(st.characters()),  # all of Unicode, with NUL and lone surrogates, which JSON requests can carry
        max_size=4,
    )
)
def test_any_metadata_comes_back_identically(name: str, metadata: dict[str, str]) -> None:
    assert round_trip(name, Clip(np.zeros((1, 16, 16, 3), np.uint8), 8, metadata)).metadata == metadata


@given(frames=st.integers(1, 300), fps=st.fractions(Fraction(1, 10), 50, max_denominator=1001))
def test_rounded_delays_add_up_to_the_right_length(frames: int, fps: Fraction) -> None:
    hundredths = delays(frames, fps, ticks=100, shortest=2)
    assert len(hundredths) == frames
    assert abs(sum(hundredths) - 100 * frames / fps) <= Fraction(1, 2)
    assert max(hundredths) - min(hundredths) <= 1


def test_delays_that_browsers_would_slow_down_are_not_written() -> None:
    assert set(delays(10, Fraction(120), ticks=100, shortest=2)) == {2}


@every_format
def test_writing_and_reading_hold_no_second_copy_of_the_video(name: str, tmp_path: Path) -> None:
    clip = Clip(np.zeros((160, 160, 160, 3), np.uint8), 8)
    write(tmp_path / f"warm-up-{name}", Clip(clip.frames[:1], 8))
    tracemalloc.start()
    path = write(tmp_path / name, clip)
    _, writing = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    read(path)
    _, reading = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert writing < 0.15 * clip.frames.nbytes
    assert reading - before < 1.1 * clip.frames.nbytes


def test_a_pass_through_mp4_and_webm_does_not_shift_brightness(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(40, 215, (2, 12, 16, 3), dtype=np.uint8)
    frames = noise.repeat(8, axis=1).repeat(8, axis=2)
    for name in ("clip.mp4", "clip.webm"):
        back = read(write(tmp_path / name, Clip(frames, 8)))
        assert abs((back.frames.astype(int) - frames).mean()) < 0.25
