"""Measures without a network, on clips whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.toyworld.world import render, sample
from vcd_ext.metrics.motion import colour_error, flicker, flow_magnitude, neighbour_correlation

Frames = NDArray[np.uint8]


def texture(seed: int = 0, size: int = 220) -> Frames:
    """Soft spots of many colours."""
    noise = np.random.default_rng(seed).integers(0, 256, (size // 6, size // 6, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC))


def sliding(step: tuple[float, float], frames: int = 6, side: int = 128) -> Frames:
    """Return a texture that moves by `step` (x, y) pixels a frame."""
    whole = texture()
    places = [(30 - step[0] * k, 30 - step[1] * k) for k in range(frames)]
    maps = [np.array([[1, 0, x], [0, 1, y]], np.float32) for x, y in places]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([cv2.warpAffine(whole, matrix, (side, side), flags=flags) for matrix in maps])


def noise(frames: int = 6) -> Frames:
    return np.random.default_rng(1).integers(0, 256, (frames, 128, 128, 3), np.uint8)


STILL = np.repeat(texture()[None, :128, :128], 5, axis=0)


@pytest.mark.parametrize("step", [(3, 0), (0, -2), (3, 4), (0.5, 0)])
def test_a_sliding_texture_has_the_flow_that_it_slides_by(step: tuple[float, float]) -> None:
    assert flow_magnitude(sliding(step)) == pytest.approx(np.hypot(*step), rel=0.05)


def test_flow_is_told_at_128_pixels_whatever_the_size() -> None:
    clip = sliding((2, 1))
    large = np.stack([cv2.resize(frame, (512, 512), interpolation=cv2.INTER_CUBIC) for frame in clip])
    assert flow_magnitude(large) == pytest.approx(flow_magnitude(clip), rel=0.05)


def test_flow_inside_a_mask_is_the_flow_there() -> None:
    clip = np.concatenate([sliding((4, 0))[:, :, :64], sliding((0, 0))[:, :, :64]], axis=2)
    left = np.zeros(clip.shape[:3], np.uint8)
    left[:, :, 8:50] = 255
    assert flow_magnitude(clip, left) == pytest.approx(4, rel=0.1)
    assert flow_magnitude(clip) < 2.6


def test_a_still_clip_does_not_move_or_flicker() -> None:
    assert flow_magnitude(STILL) == 0
    assert flicker(STILL) == 0
    assert neighbour_correlation(STILL) == pytest.approx(1)


def test_what_moves_does_not_flicker() -> None:
    assert flicker(sliding((3, 2))) < 3


def test_noise_flickers() -> None:
    assert flicker(noise()) > 30
    assert abs(neighbour_correlation(noise())) < 0.05


def test_a_lamp_that_goes_on_and_off_flickers_by_its_light() -> None:
    clip = STILL.astype(np.int16) // 2 + 60
    clip[1::2] += 20
    assert flicker(clip.astype(np.uint8)) == pytest.approx(20, abs=3)


def test_a_drawn_clip_moves_more_the_faster_its_subject() -> None:
    runs, stands = (
        render(sample(5, "test", kind="dog", action=action, camera="still", distance="plain", light="day", subjects=1))
        for action in ("running", "standing")
    )
    assert flow_magnitude(runs.frames) > 2 * flow_magnitude(stands.frames) > 0
    assert flow_magnitude(runs.frames, runs.masks[0]) > 2


def test_unlike_frames_correlate_less_the_further_apart() -> None:
    near, far = sliding((1, 0)), sliding((6, 0))
    assert 1 > neighbour_correlation(near) > neighbour_correlation(far)


def test_frames_of_one_colour_correlate_only_with_themselves() -> None:
    black, white = np.zeros((128, 128, 3), np.uint8), np.full((128, 128, 3), 255, np.uint8)
    assert neighbour_correlation(np.stack([black, black])) == 1
    assert neighbour_correlation(np.stack([black, white])) == 0


def test_colours_shifted_by_a_vector_differ_by_its_length() -> None:
    lab = np.full((64, 64, 3), (50, 10, -10), np.float32)
    lab += np.random.default_rng(0).normal(0, 4, lab.shape).astype(np.float32)
    pictures = [
        (cv2.cvtColor(lab + np.array(shift, np.float32), cv2.COLOR_LAB2RGB) * 255).round().astype(np.uint8)
        for shift in ((0, 0, 0), (6, 8, 0))
    ]
    whole = np.full((64, 64), 255, np.uint8)
    assert colour_error(pictures[0], whole, pictures[1], whole) == pytest.approx(10, rel=0.05)


def test_colours_count_wherever_they_are_and_only_inside_the_mask() -> None:
    picture, mask = texture()[:128, :128].copy(), np.zeros((128, 128), np.uint8)
    mask[20:90, 30:100] = 255
    repainted = picture.copy()
    repainted[mask == 0] = (255, 0, 255)
    assert colour_error(picture, mask, repainted[::-1, ::-1], mask[::-1, ::-1]) == 0
    assert colour_error(picture, mask, 255 - picture, mask) > 10


def test_another_individual_has_other_colours() -> None:
    fixed: dict[str, str | int] = {"kind": "dog", "distance": "plain", "light": "day", "subjects": 1}
    one, again = (render(sample(k, "test", number=10_000_003, **fixed)) for k in (1, 2))
    other = render(sample(1, "test", number=10_000_004, **fixed))
    same = colour_error(one.frames, one.masks[0], again.frames, again.masks[0])
    assert 2 * same < colour_error(one.frames, one.masks[0], other.frames, other.masks[0])


def test_what_cannot_be_measured_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="at least 2 frames, not in uint8"):
        flow_magnitude(STILL[:1])
    with pytest.raises(ValueError, match="not in float64"):
        flicker(STILL / 255)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="masks are empty"):
        flow_magnitude(STILL, np.zeros(STILL.shape[:3], np.uint8))
    with pytest.raises(ValueError, match=r"must be \[5, 128, 128\]"):
        flow_magnitude(STILL, np.zeros((5, 64, 64), np.uint8))
    small = np.zeros((128, 128), np.uint8)
    small[0, :3] = 255
    with pytest.raises(ValueError, match="3 pixels in a mask; colours are compared from 16 on"):
        colour_error(STILL[0], small, STILL[0], small)
    with pytest.raises(ValueError, match="a mask of the same height and width"):
        colour_error(STILL[0], np.zeros((64, 64), np.uint8), STILL[0], np.zeros((64, 64), np.uint8))


@pytest.mark.parametrize("size", [(12, 128), (128, 12), (4, 600)])
def test_a_narrow_clip_is_measured_as_well(size: tuple[int, int]) -> None:
    """OpenCV's flow ends the process where a side has fewer than 16 pixels."""
    frames = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    assert flow_magnitude(frames) >= 0
