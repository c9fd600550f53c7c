"""The loss's weights: a mask at the latents' size, soft, without the subject's edge, and never empty."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vcd_ext.identity.photos.augment import latent_mask


def blocks(*boxes: tuple[int, int, int, int]) -> Tensor:
    """Return a mask [256, 256] of ones in boxes of pixels (left, top, right, bottom)."""
    mask = torch.zeros(256, 256)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = 1
    return mask


def test_a_latent_mask_is_the_share_of_each_cell():
    soft = latent_mask(blocks((0, 0, 4, 8), (80, 80, 83, 86), (160, 0, 168, 8)))
    assert soft.shape == (32, 32)
    assert soft.dtype == torch.float32
    assert soft[0, 0] == 0.5
    assert soft[10, 10] == 18 / 64
    assert soft[0, 20] == 1
    assert float(soft.sum()) == 0.5 + 18 / 64 + 1


def test_cells_at_the_edge_of_a_subject_are_taken_away():
    cells = latent_mask(blocks((60, 60, 204, 204)))
    assert torch.equal(cells, F.avg_pool2d(blocks((68, 68, 196, 196))[None], 8)[0])


def test_a_picture_that_is_all_subject_keeps_all():
    assert torch.equal(latent_mask(torch.ones(256, 256)), torch.ones(32, 32))
    half = latent_mask(blocks((0, 0, 128, 256)))
    assert torch.equal(half, F.avg_pool2d(blocks((0, 0, 120, 256))[None], 8)[0])


def test_a_strand_of_three_pixels_keeps_its_weight_beside_a_large_subject():
    cells = latent_mask(blocks((0, 0, 160, 160), (160, 64, 250, 67)))
    assert torch.allclose(cells[8, 21:31], torch.tensor(3 / 8), atol=1e-6)
    assert float(latent_mask(blocks((30, 10, 33, 200))).sum()) == pytest.approx(3 * 190 / 64)


def test_a_small_subject_keeps_its_edge():
    small = blocks((100, 100, 140, 140))
    assert torch.equal(latent_mask(small), F.avg_pool2d(small[None], 8)[0])


@pytest.mark.parametrize("make", [torch.rand, lambda *size: (torch.rand(*size) > 0.999).float()])
def test_no_mask_becomes_empty(make: Callable[..., Tensor]):
    torch.manual_seed(0)
    for _ in range(50):
        mask = make(64, 64)
        mask[3, 5] = 0.1
        cells = latent_mask(mask)
        assert float(cells.sum()) > 0
        assert float(cells.max()) <= 1
        assert bool((cells <= F.avg_pool2d(mask[None], 8)[0] + 1e-6).all())


def test_a_mask_that_no_latent_fits_is_refused():
    with pytest.raises(ValueError, match=r"\[60, 64\]; its sides must be multiples of 8"):
        latent_mask(torch.ones(60, 64))
