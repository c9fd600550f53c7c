"""FreeNoise: later windows have the noise of the first in another order, and every frame is standard normal."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vcd_ext.denoising.free_noise import InitialNoise, Reuse
from vcd_ext.motion import windows
from vcd_ext.noise import correlate, covariance


def matrix(noise: InitialNoise, frames: int) -> torch.Tensor:
    """Fed with unit vectors it shows its matrix."""
    return noise.of(torch.eye(frames, dtype=torch.float64))


def test_the_noise_of_each_window_is_that_of_the_first_in_another_order() -> None:
    sources = Reuse(16, 4, seed=3).sources(64)
    for window in windows(64, 16, 4):
        assert sorted(sources[i] for i in window.frames) == list(range(16))
    assert sources[:16] == list(range(16))
    assert sources[16:28] != list(range(12)), "it is shuffled"


@settings(max_examples=40)
@given(st.integers(1, 70), st.integers(1, 20), st.integers(0, 19), st.booleans(), st.integers(0, 99))
def test_every_frame_has_a_source_and_the_first_window_its_own(
    frames: int, window: int, overlap: int, loop: bool, seed: int
) -> None:
    sources = Reuse(window, min(overlap, window - 1), seed).sources(frames, loop)
    assert len(sources) == frames
    assert sources[:window] == list(range(min(frames, window)))
    assert all(source <= i for i, source in enumerate(sources))


def test_what_is_left_over_of_a_loop_keeps_its_own_noise() -> None:
    assert Reuse(8, 2, 0).sources(20, loop=True)[16:] == [16, 17, 18, 19]
    assert max(Reuse(8, 2, 0).sources(20)) == 7
    assert Reuse(8, 2, 0).sources(15, loop=True) == list(range(15)), "of which there is one whole window"


def test_the_seed_gives_the_order() -> None:
    assert Reuse(8, 2, 5).sources(40) == Reuse(8, 2, 5).sources(40)
    assert Reuse(8, 2, 5).sources(40) != Reuse(8, 2, 6).sources(40)


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 0.15, 0.5])
@pytest.mark.parametrize(("window", "overlap"), [(8, 2), (4, 3), (1, 0)])
def test_with_the_prior_every_frame_is_standard_normal(gamma: float, loop: bool, window: int, overlap: int) -> None:
    """Without the division the variance is off by what copies have in common, at gamma 0.5 by a third."""
    frames = 24
    made = matrix(InitialNoise(gamma, loop, Reuse(window, overlap, 1)), frames)
    torch.testing.assert_close(made.norm(dim=1), torch.ones(frames, dtype=torch.float64), atol=1e-12, rtol=0)
    if not loop:
        first = (made @ made.T)[:window, :window]
        torch.testing.assert_close(first, covariance(window, gamma), atol=1e-12, rtol=0)


def test_the_division_is_needed() -> None:
    copied = torch.eye(12, dtype=torch.float64)[Reuse(4, 3, 1).sources(12)]
    assert (correlate(copied, 0.5).norm(dim=1) - 1).abs().max() > 0.05


def test_its_noise_is_what_its_matrix_says() -> None:
    noise, white = InitialNoise(0.3, reuse=Reuse(4, 1, 9)), torch.randn(10, 4, 8, 8)
    torch.testing.assert_close(noise.of(white), torch.einsum("mn,n...->m...", matrix(noise, 10).float(), white))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_off_it_is_the_prior_alone_and_without_a_prior_its_input(dtype: torch.dtype) -> None:
    white = torch.randn(9, 4, 8, 8).to(dtype)
    assert InitialNoise(0.0).of(white) is white
    assert InitialNoise(0.0, reuse=Reuse(16, 4, 1)).of(white) is white, "in one window it has no effect"
    for loop in (False, True):
        assert torch.equal(InitialNoise(0.2, loop).of(white), correlate(white, 0.2, loop))
        assert torch.equal(InitialNoise(0.2, loop, Reuse(9, 4, 1)).of(white), correlate(white, 0.2, loop))
    copies = InitialNoise(0.0, reuse=Reuse(4, 1, 1)).of(white)
    assert torch.equal(copies, white[Reuse(4, 1, 1).sources(9)])
    assert copies.dtype == dtype
