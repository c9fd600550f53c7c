"""The estimate of a video's memory is what its tensors count, and a sentence where it is more than is free."""

import pytest
import torch

from benchmarks import counted
from vcd_ext.denoising.video_memory import GIB, RESERVE, Computed, Denoised, free_bytes, needed, too_large

VIDEO, TILES = Denoised("T2V VCD", 16, 512, 512), Denoised("Tiled VCD", 16, 576, 576)
HALF = Computed(2, guided=True, moving=True)


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize(("frames", "side"), [(2, 512), (16, 256)])
def test_it_is_what_the_tensors_of_sd15_count(moving: bool, frames: int, side: int) -> None:
    unet, _ = counted.networks()
    module = counted.motion_module(unet, middle=True) if moving else None
    part = Denoised("T2V VCD", frames, side, side)
    peak = counted.of_unet(unet, frames, side, module) / GIB
    assert peak == pytest.approx(needed(part, HALF._replace(moving=moving)), rel=0.02)


def test_counting_knows_what_lives_at_the_same_time() -> None:
    with counted.Counted() as seen:
        for _ in range(3):
            one = torch.empty(1000, dtype=torch.half, device="meta")
            two = one + 1
            del one, two
    assert seen.peak == 4000


def test_single_precision_needs_twice_and_no_negative_prompt_half() -> None:
    assert needed(VIDEO, HALF._replace(value_bytes=4)) == 2 * needed(VIDEO, HALF)
    assert needed(VIDEO, HALF._replace(guided=False)) == needed(VIDEO, HALF) / 2


def test_the_largest_part_is_named_where_it_does_not_fit() -> None:
    (sentence,) = too_large([VIDEO, TILES], HALF, 3 * GIB, weights=0.8)
    assert sentence == (
        "Tiled VCD needs about 4.1 GB of the GPU's memory for 16 frames of 576x576 at a time, and 3.0 GB are free, so "
        "it will likely not fit: choose a smaller 'Context' or size, or close other programs."
    )


def test_what_fits_is_not_told_nor_what_is_not_known() -> None:
    enough = int((needed(TILES, HALF) + 0.8 + RESERVE) * GIB) + 1
    assert too_large([VIDEO, TILES], HALF, enough, weights=0.8) == []
    assert too_large([VIDEO], HALF, None, weights=0.8) == []
    assert free_bytes(torch.device("cpu")) is None
