"""The noise prior of Magic-Me, section 4.1, equation 4."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vcd_ext.noise import correlate, covariance

gammas = st.floats(0.0, 0.999)
lengths = st.integers(1, 40)


@given(lengths, gammas)
def test_covariance_is_gamma_to_the_power_of_the_distance(frames: int, gamma: float) -> None:
    sigma = covariance(frames, gamma)
    assert sigma.shape == (frames, frames)
    for m in range(frames):
        for n in range(frames):
            assert float(sigma[m, n]) == pytest.approx(gamma ** abs(m - n), rel=1e-12)


@given(st.integers(1, 24), gammas)
def test_correlate_is_a_linear_map_whose_square_is_the_covariance(frames: int, gamma: float) -> None:
    """Fed with unit vectors, `correlate` shows its matrix L; white noise becomes noise of covariance L L^T."""
    matrix = correlate(torch.eye(frames, dtype=torch.float64), gamma)
    torch.testing.assert_close(matrix @ matrix.T, covariance(frames, gamma), atol=1e-12, rtol=1e-12)
    assert torch.equal(matrix, matrix.tril()), "a frame must not depend on later ones"


def test_its_noise_has_that_covariance() -> None:
    white = torch.randn(6, 200_000, generator=torch.Generator().manual_seed(0))
    found = torch.cov(correlate(white, 0.6))
    torch.testing.assert_close(found, covariance(6, 0.6).float(), atol=0.015, rtol=0)  # about 5 standard errors


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_gamma_0_returns_its_input_bit_for_bit(dtype: torch.dtype) -> None:
    white = torch.randn(5, 4, 8, 8).to(dtype)
    kept = white.clone()
    assert torch.equal(correlate(white, 0.0).view(torch.uint8), kept.view(torch.uint8))


def test_the_input_is_left_alone_and_shape_and_dtype_stay() -> None:
    white = torch.randn(5, 4, 8, 8)
    kept = white.clone()
    mixed = correlate(white, 0.3)
    assert torch.equal(white, kept)
    assert mixed.shape == white.shape
    assert mixed.dtype == white.dtype
    assert torch.equal(mixed[0], white[0])


@given(st.integers(2, 20), st.integers(1, 19), gammas)
def test_a_longer_video_begins_with_the_noise_of_the_shorter_one(frames: int, shorter: int, gamma: float) -> None:
    white = torch.randn(frames, 16)
    shorter = min(shorter, frames)
    assert torch.equal(correlate(white, gamma)[:shorter], correlate(white[:shorter], gamma))


def test_half_precision_is_mixed_in_single() -> None:
    white = torch.randn(1000, 16).half()
    exact = correlate(white.double(), 0.9)
    # One rounding to half at the end: its relative step is 2^-11. Mixed in half the error adds up to many of them.
    torch.testing.assert_close(correlate(white, 0.9).double(), exact, rtol=2**-11 * 1.01, atol=1e-4)


@pytest.mark.parametrize("gamma", [-0.1, 1.0, 1.5, math.nan, math.inf, "much", None])
def test_gamma_outside_its_range_is_refused(gamma: object) -> None:
    for attempt in (lambda: correlate(torch.randn(3, 4), gamma), lambda: covariance(3, gamma)):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="gamma is .* it must be a number from 0"):
            attempt()


@pytest.mark.parametrize("white", [torch.arange(6), torch.tensor(1.0), [1.0, 2.0], np.zeros((2, 3))])
def test_what_is_no_noise_is_refused(white: object) -> None:
    with pytest.raises(ValueError, match="floating-point tensor"):
        correlate(white, 0.1)  # type: ignore[arg-type]


def test_a_video_has_a_frame() -> None:
    with pytest.raises(ValueError, match="at least 1 frame"):
        covariance(0, 0.1)
