"""A video at two or four times its rate."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vcd_ext import media
from vcd_ext.media import Clip
from vcd_ext.stages.interpolation import between, check_interpolation, interpolated

Frames = NDArray[np.uint8]


def soft(seed: int, size: int) -> NDArray[np.float32]:
    """Return a picture of soft spots, float32 [size, size, 3] in [0, 255]."""
    values = np.random.default_rng(seed).random((size // 8, size // 8, 3), np.float32)
    return cv2.resize(values, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255


def passing(places: list[float], seed: int = 0) -> Frames:
    """Return frames [F, 96, 128, 3] of a disc that is so many pixels from the left, before a still background."""
    back, disc = soft(seed, 128)[:96], soft(seed + 1, 64)
    y, x = np.indices((96, 128), np.float32)
    frames = []
    for place in places:
        mask = np.clip(18 - np.hypot(x - place, y - 48), 0, 1)[..., None]
        moved = cv2.remap(disc, x - place + 32, y - 48 + 32, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        frames.append(np.rint(back * (1 - mask) + moved * mask).astype(np.uint8))
    return np.stack(frames)


def apart(one: Frames, two: Frames) -> float:
    return float(((one.astype(float) - two) ** 2).mean())


def test_what_moves_is_between_where_it_was_and_where_it_will_be() -> None:
    known, hidden = passing([30, 36, 42]), passing([33, 39])
    made = interpolated(Clip(known, 8), 2).frames
    for i, truth in enumerate(hidden):
        blended = (known[i].astype(float) + known[i + 1]) / 2
        assert apart(made[2 * i + 1], truth) < apart(blended, truth) / 2
        assert apart(made[2 * i + 1], truth) < apart(known[i], truth) / 4


def test_four_times_the_rate_moves_in_even_steps() -> None:
    made = interpolated(Clip(passing([30, 38]), 8), 4).frames
    for i, place in enumerate([30, 32, 34, 36, 38]):
        truth = passing([place])[0]
        assert apart(made[i], truth) <= min(apart(made[j], truth) for j in range(5) if j != i)


@pytest.mark.parametrize("times", [2, 4])
@pytest.mark.parametrize("fps", ["8", "12.5", "24000/1001", "30000/1001", "0.1", "120"])
def test_the_frames_stay_at_their_moments_and_the_length_is_the_same(fps: str, times: int) -> None:
    clip = Clip(passing([30, 36, 42]), fps, {"parameters": "a"}, Fraction(1, 3))
    made = interpolated(clip, times)
    assert made.fps == clip.fps * times
    assert len(made.frames) / made.fps == len(clip.frames) / clip.fps
    assert np.array_equal(made.frames[::times], clip.frames)
    assert (made.metadata, made.start) == (clip.metadata, clip.start)


def test_after_the_last_frame_it_stays_until_the_end() -> None:
    clip = Clip(passing([30, 36]), 8)
    assert all(np.array_equal(frame, clip.frames[1]) for frame in interpolated(clip, 4).frames[4:])


def test_in_a_loop_the_first_frame_follows_the_last() -> None:
    clip = Clip(passing([30, 36, 33]), 8)
    made = interpolated(clip, 2, closed=True)
    assert len(made.frames) == 6
    assert np.array_equal(made.frames[:5], interpolated(clip, 2).frames[:5])
    assert apart(made.frames[5], passing([31.5])[0]) < apart(clip.frames[2], passing([31.5])[0]) / 4


def test_nothing_is_blended_over_a_cut() -> None:
    one, two = passing([30, 31, 32, 33]), 255 - passing([60, 61, 62, 63], seed=7)
    made = interpolated(Clip(np.concatenate([one, two]), 8), 2).frames
    assert np.array_equal(made[7], one[3]), "the frame before it stays"
    assert np.array_equal(made[8], two[0])
    assert not np.array_equal(made[5], one[2]), "and everywhere else it is interpolated"


def test_a_loop_that_jumps_is_not_blended_either() -> None:
    clip = Clip(np.concatenate([passing([30, 31, 32, 33]), 255 - passing([60, 61, 62], seed=7)]), 8)
    assert np.array_equal(interpolated(clip, 2, closed=True).frames[-1], clip.frames[-1])


def test_one_time_is_the_very_clip() -> None:
    clip = Clip(passing([30, 36]), 8)
    assert interpolated(clip, 1) is clip


def test_a_single_frame_is_repeated() -> None:
    assert len(interpolated(Clip(passing([30]), 8), 4, closed=True).frames) == 4


def test_a_still_picture_stays_what_it_is() -> None:
    still = passing([30])[0]
    assert all(np.array_equal(frame, still) for frame in between(still, still.copy(), [0.25, 0.5, 0.75]))


@pytest.mark.parametrize("size", [(8, 8), (8, 64), (24, 8), (1, 1), (13, 17)])
def test_small_pictures_are_interpolated_as_well(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3), np.uint8)
    assert interpolated(Clip(frames, 8), 2).frames.shape == (6, *size, 3)


def test_a_rate_that_no_file_has_is_refused() -> None:
    with pytest.raises(ValueError, match="400 frames a second cannot be interpolated to 4 times as many; 1000 are the"):
        check_interpolation(Fraction(400), 4)


def test_the_written_file_has_the_rate_and_the_length(tmp_path) -> None:
    made = interpolated(Clip(passing([30, 36, 42, 48]), 8), 2)
    media.write(tmp_path / "a.mp4", made)
    read = media.read(tmp_path / "a.mp4")
    assert (read.fps, len(read.frames)) == (16, 8)
