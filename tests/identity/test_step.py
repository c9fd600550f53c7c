"""The masked loss: what is inside counts, whatever its size; what is outside does not."""

import torch

from vcd_ext.identity.training.step import masked_loss

WANTED = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))


def mask(*rows: slice) -> torch.Tensor:
    made = torch.zeros(len(rows), 6, 6)
    for i, row in enumerate(rows):
        made[i, row] = 1
    return made


def test_pixels_outside_the_mask_are_ignored():
    inside = mask(slice(0, 3), slice(2, 4))
    predicted = torch.zeros_like(WANTED).requires_grad_()
    (gradient,) = torch.autograd.grad(masked_loss(predicted, WANTED, inside).sum(), predicted)
    outside = (inside == 0)[:, None].expand_as(gradient)
    assert gradient[outside].abs().max() == 0
    assert gradient[~outside].abs().min() > 0
    changed = torch.where(outside, torch.full_like(WANTED, 1e6), predicted)
    assert torch.equal(masked_loss(changed, WANTED, inside), masked_loss(predicted, WANTED, inside))


def test_a_small_subject_counts_as_much_as_a_large_one():
    wrong = WANTED + 2
    assert torch.allclose(masked_loss(wrong, WANTED, mask(slice(0, 6), slice(5, 6))), torch.full((2,), 4.0))


def test_a_soft_mask_weighs_its_cells():
    soft = torch.zeros(1, 1, 2)
    soft[..., 0], soft[..., 1] = 0.75, 0.25
    predicted = torch.tensor([1.0, 3.0]).expand(1, 4, 1, 2)
    assert masked_loss(predicted, torch.zeros_like(predicted), soft).item() == 0.75 * 1 + 0.25 * 9


def test_a_whole_picture_has_the_plain_mean_squared_error():
    whole = torch.ones(2, 6, 6)
    expected = WANTED.square().mean((1, 2, 3))
    assert torch.allclose(masked_loss(torch.zeros_like(WANTED), WANTED, whole), expected)


def test_an_empty_mask_is_zero_and_has_no_gradient():
    predicted = torch.randn_like(WANTED).requires_grad_()
    losses = masked_loss(predicted, WANTED, torch.zeros(2, 6, 6))
    (gradient,) = torch.autograd.grad(losses.sum(), predicted)
    assert losses.tolist() == [0, 0]
    assert gradient.abs().max() == 0
