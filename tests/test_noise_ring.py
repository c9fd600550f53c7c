"""The noise prior around a ring, for closed loops: the shorter way between two frames counts."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vcd_ext.noise import correlate, covariance, ring_eigenvalues
from vcd_ext.settings import MOST_FRAMES, VideoSettings, describe

gammas = st.floats(0.0, 0.999)
lengths = st.integers(1, 40)
MOST_GAMMA = describe(VideoSettings)["gamma"].maximum


@settings(max_examples=25)
@given(lengths, gammas)
def test_its_covariance_is_gamma_to_the_power_of_the_shorter_way(frames: int, gamma: float) -> None:
    sigma = covariance(frames, gamma, loop=True)
    for m in range(frames):
        for n in range(frames):
            way = min(abs(m - n), frames - abs(m - n))
            assert float(sigma[m, n]) == pytest.approx(gamma**way, rel=1e-12)


@settings(max_examples=25)
@given(lengths, gammas)
def test_the_covariance_looks_the_same_from_every_frame(frames: int, gamma: float) -> None:
    sigma = covariance(frames, gamma, loop=True)
    torch.testing.assert_close(sigma.roll((1, 1), (0, 1)), sigma, atol=0, rtol=1e-14)  # it is circulant


@settings(max_examples=25)
@given(lengths, gammas)
def test_the_eigenvalues_are_the_transform_of_its_first_row_and_those_of_the_matrix(frames: int, gamma: float) -> None:
    sigma, closed = covariance(frames, gamma, loop=True), ring_eigenvalues(frames, gamma)
    torch.testing.assert_close(torch.fft.fft(sigma[0]).real, closed, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(torch.linalg.eigvalsh(sigma), closed.sort().values, atol=1e-10, rtol=1e-10)


def test_it_is_a_covariance_for_every_length_and_every_gamma_that_can_be_asked_for() -> None:
    gammas = [*torch.linspace(0, MOST_GAMMA, 51).tolist(), 0.9, 0.999]
    for frames in (*range(1, 66), 127, 128, 255, 256, 1023, MOST_FRAMES):
        for gamma in gammas:
            # What the docstring shows: Q is at most (1 + gamma)^2, and the smaller factor at least (1 - gamma)^2.
            assert float(ring_eigenvalues(frames, gamma).min()) >= ((1 - gamma) / (1 + gamma)) ** 2 * (1 - 1e-9)


@settings(max_examples=25)
@given(st.integers(1, 24), gammas)
def test_correlate_is_the_symmetric_root_of_the_covariance(frames: int, gamma: float) -> None:
    """Fed with unit vectors, `correlate` shows its matrix."""
    matrix = correlate(torch.eye(frames, dtype=torch.float64), gamma, loop=True)
    torch.testing.assert_close(matrix @ matrix.T, covariance(frames, gamma, loop=True), atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(matrix, matrix.T, atol=1e-12, rtol=0)
    assert (matrix.diagonal() >= matrix.abs().max() - 1e-12).all(), "a frame keeps most of its own noise"


@settings(max_examples=25)
@given(st.integers(2, 20), gammas, st.integers(0, 19))
def test_to_turn_the_ring_turns_the_noise(frames: int, gamma: float, places: int) -> None:
    white = torch.randn(frames, 6, dtype=torch.float64)
    turned = correlate(white.roll(places, 0), gamma, loop=True)
    torch.testing.assert_close(turned, correlate(white, gamma, loop=True).roll(places, 0), atol=1e-12, rtol=0)


def test_its_noise_has_that_covariance() -> None:
    white = torch.randn(6, 200_000, generator=torch.Generator().manual_seed(0))
    found = torch.cov(correlate(white, 0.6, loop=True))
    torch.testing.assert_close(found, covariance(6, 0.6, loop=True).float(), atol=0.015, rtol=0)
    assert found[0, 5] > 0.5, "the last frame is a neighbour of the first"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_gamma_0_returns_its_input_bit_for_bit(dtype: torch.dtype) -> None:
    white = torch.randn(5, 4, 8, 8).to(dtype)
    kept = white.clone()
    assert correlate(white, 0.0, loop=True) is white
    assert torch.equal(white.view(torch.uint8), kept.view(torch.uint8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("frames", [1, 2, 5, 16])
def test_the_input_is_left_alone_and_half_precision_is_rounded_once(frames: int, dtype: torch.dtype) -> None:
    white = torch.randn(frames, 4, 8, 8).to(dtype)
    kept = white.clone()
    mixed = correlate(white, 0.3, loop=True)
    assert torch.equal(white, kept)
    assert (mixed.shape, mixed.dtype) == (white.shape, dtype)
    exact = correlate(white.double(), 0.3, loop=True)
    torch.testing.assert_close(mixed.double(), exact, rtol=torch.finfo(dtype).eps, atol=1e-5)


def test_of_two_frames_both_ways_are_one_step() -> None:
    torch.testing.assert_close(covariance(2, 0.4, loop=True), covariance(2, 0.4))
    torch.testing.assert_close(covariance(3, 0.4, loop=True)[0], torch.tensor([1, 0.4, 0.4], dtype=torch.float64))


@pytest.mark.parametrize("gamma", [-0.1, 1.0, math.nan, "much", None])
def test_gamma_outside_its_range_is_refused(gamma: object) -> None:
    attempts = (
        lambda: correlate(torch.randn(3, 4), gamma, loop=True),  # type: ignore[arg-type]
        lambda: covariance(3, gamma, loop=True),  # type: ignore[arg-type]
        lambda: ring_eigenvalues(3, gamma),  # type: ignore[arg-type]
    )
    for attempt in attempts:
        with pytest.raises(ValueError, match="gamma is .* it must be a number from 0"):
            attempt()
