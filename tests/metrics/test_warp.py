"""Flicker of videos whose motion is known."""

import numpy as np
import pytest

from vcd_ext.metrics.warp import warp_error

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def moving(pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Three frames that move to the right, and their flow."""
    frames = np.stack([np.roll(NOISE, i * pixels, axis=1) for i in range(3)])
    flow = np.zeros((2, 40, 60, 2), np.float32)
    flow[..., 0] = pixels
    return frames, flow


def test_what_only_moves_has_no_error_and_with_the_wrong_flow_it_has() -> None:
    frames, flow = moving(3)
    assert warp_error(frames, flow) < 1e-3
    assert warp_error(frames, -flow) > 50


def test_a_change_of_light_is_its_size() -> None:
    frames, flow = moving(3)
    frames = frames // 2
    frames[1] += 8
    assert warp_error(frames, flow) == pytest.approx(8, abs=1e-3)


def test_pixels_that_are_covered_or_leave_do_not_count() -> None:
    frames, flow = moving(3)
    frames[1, 10:20] = 0
    flow[:, 10:20] = np.nan
    assert warp_error(frames, flow) < 1e-3
    with pytest.raises(ValueError, match="nothing to compare"):
        warp_error(frames, np.full_like(flow, 100))
