"""FreeInit: slow frequencies of the video that was sampled, fast ones of fresh noise."""

import math

import pytest
import torch

from vcd_ext.denoising.free_init import low_pass, reinitialised

SIZE = (8, 12, 10)  # frames, height, width


def volumes(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(SIZE[0], 4, *SIZE[1:], generator=generator) for _ in range(count)]


def test_the_filter_is_butterworths_of_order_4() -> None:
    """Value by value from the definition: 1 / (1 + (distance / cutoff)^8), the distance in shares of the fastest."""
    found = low_pass(*SIZE, 0.25)
    assert found.shape == (SIZE[0], 1, *SIZE[1:])
    for t, y, x in ((0, 0, 0), (1, 0, 0), (7, 2, 9), (4, 6, 5)):
        shares = [2 * min(i, n - i) / n for i, n in zip((t, y, x), SIZE, strict=True)]
        expected = 1 / (1 + (math.hypot(*shares) / 0.25) ** 8)
        assert float(found[t, 0, y, x]) == pytest.approx(expected, rel=1e-9)
    assert float(found[0, 0, 0, 0]) == 1
    assert float(found[1, 0, 0, 0]) == 0.5, "at the cutoff, the first of four frequencies along 8 frames"


def test_the_result_is_real_whatever_the_length() -> None:
    for frames in (1, 2, 5, 8):
        mask = low_pass(frames, 6, 7, 0.25)[:, 0]
        turned = mask.flip(0, 1, 2).roll((1, 1, 1), (0, 1, 2))
        assert torch.equal(turned, mask), "both directions of a wave count alike"


def test_a_mean_stays_and_the_finest_pattern_is_that_of_the_fresh_noise() -> None:
    sampled, begun, fresh = volumes(3)
    made = reinitialised(sampled, begun, fresh, 0.0, 0.25)
    torch.testing.assert_close(made.mean((0, 2, 3)), begun.mean((0, 2, 3)), atol=1e-5, rtol=0)
    board = (-1.0) ** sum(torch.arange(n).reshape([-1 if a == i else 1 for a in range(3)]) for i, n in enumerate(SIZE))
    for tensor, share in ((made, 1.0), (begun, 0.0)):
        finest = (tensor * board[:, None]).mean((0, 2, 3)) - share * (fresh * board[:, None]).mean((0, 2, 3))
        assert (float(finest.abs().max()) < 1e-3) == bool(share)


def test_it_goes_by_the_forward_process() -> None:
    """With a filter that keeps everything, it is what noise is added to the video by."""
    sampled, begun, fresh = volumes(3)
    made = reinitialised(sampled, begun, fresh, 0.04, 1e6)
    torch.testing.assert_close(made, 0.2 * sampled + 0.96**0.5 * begun, atol=1e-4, rtol=1e-4)


def test_with_a_filter_that_keeps_nothing_but_the_mean_it_is_fresh_noise() -> None:
    sampled, begun, fresh = volumes(3)
    made = reinitialised(sampled, begun, fresh, 0.04, 1e-6)
    spread = made - fresh
    torch.testing.assert_close(spread, spread.mean((0, 2, 3), keepdim=True).expand_as(spread), atol=1e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_it_is_noise_of_about_unit_variance_in_its_own_type(dtype: torch.dtype) -> None:
    sampled, begun, fresh = (tensor.to(dtype) for tensor in volumes(3))
    made = reinitialised(sampled, begun, fresh, 0.002, 0.25)
    assert (made.dtype, made.shape) == (dtype, begun.shape)
    assert 0.9 < float(made.float().std()) < 1.05
