"""Softened renders are as far from the renders as a small autoencoder's pictures are."""

from __future__ import annotations

import numpy as np

from tools.toyworld.softening import soften
from tools.toyworld.world import render, sample


def psnr(one: np.ndarray, two: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((one.astype(float) - two) ** 2).mean()))


def test_softened_pictures_are_about_25_decibels_away() -> None:
    frames = [render(sample(k, "test"), [5]).frames for k in range(24)]
    found = [psnr(frame, soften(frame, np.random.default_rng(k))) for k, frame in enumerate(frames)]
    assert 24 < np.median(found) < 29
    assert min(found) > 19
    assert np.ptp(found) > 4


def test_a_clip_keeps_one_softness_and_gets_new_grain_in_each_frame() -> None:
    frame = render(sample(3, "test"), [5]).frames
    still = np.repeat(frame, 4, axis=0)
    soft = soften(still, np.random.default_rng(1)).astype(float)
    away = [psnr(frame[0], one) for one in soft]
    assert np.ptp(away) < 1.5
    assert psnr(soft[0], soft[1]) < 45


def test_the_same_generator_softens_the_same() -> None:
    frame = render(sample(3, "test"), [5]).frames
    one, two = (soften(frame, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.dtype == np.uint8
