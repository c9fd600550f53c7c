"""How much each frame of a video begins with of its first and of its last picture."""

import pytest
import torch

from vcd_ext.denoising.picture_shares import shares

USUAL = (1.0, 32.0)


def test_the_share_of_the_first_picture_falls_by_its_power_and_scale() -> None:
    assert torch.allclose(shares(4, USUAL, None).first, torch.tensor([1, 31 / 32, 30 / 32, 29 / 32]))
    assert torch.allclose(shares(4, (2.0, 4.0), None).first, torch.tensor([1, 0.75, 0, 0]))
    assert not shares(4, USUAL, None).last.any()


def test_that_of_the_last_rises_the_same_way() -> None:
    assert torch.equal(shares(7, None, (2.0, 9.0)).last, shares(7, (2.0, 9.0), None).first.flip(0))
    assert not shares(7, None, USUAL).first.any()


def test_with_both_the_ends_are_one_picture_alone_and_nowhere_is_more_than_all() -> None:
    first, last = shares(16, USUAL, USUAL)
    assert (first[0], last[0], first[-1], last[-1]) == (1, 0, 0, 1)
    assert float((first + last).max()) <= 1 + 1e-6
    assert torch.allclose(first[1:-1], last[1:-1].flip(0))


@pytest.mark.parametrize("frames", [1, 2])
def test_short_videos_have_shares_too(frames: int) -> None:
    assert shares(frames, USUAL, None).first[0] == 1
    assert shares(frames, USUAL, USUAL).last[-1] > 0


def test_latents_stay_as_large_as_they_are() -> None:
    generator = torch.Generator().manual_seed(0)
    one, two = (torch.randn(1, 4, 64, 64, generator=generator) for _ in range(2))
    noise = torch.randn(8, 4, 64, 64, generator=generator)
    made = shares(8, (1.0, 4.0), None).blended(one, two, noise)
    assert torch.equal(made[:1], one)
    assert torch.equal(made[4:], noise[4:])
    assert torch.allclose(made.std(dim=(1, 2, 3)), torch.ones(8), atol=0.02)
