"""The optimiser is PyTorch's AdamW without weight decay, with clipping that clips."""

import pytest
import torch

from vcd_ext.identity.training.adam import Adam

START = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))
GRADIENTS = 0.1 * torch.randn(30, 4, 8, generator=torch.Generator().manual_seed(2))


def learned(gradients: torch.Tensor, **options: float) -> Adam:
    adam = Adam.start(START)
    for gradient in gradients:
        adam.update(gradient, 1e-2, **options)
    return adam


def test_it_is_adamw_without_weight_decay():
    parameter = torch.nn.Parameter(START.clone())
    theirs = torch.optim.AdamW([parameter], lr=1e-2, weight_decay=0)
    for gradient in GRADIENTS:
        parameter.grad = gradient.clone()
        torch.nn.utils.clip_grad_norm_([parameter], 1.0)
        theirs.step()
    assert torch.allclose(learned(GRADIENTS).vectors, parameter.detach(), atol=1e-6)


def test_a_large_gradient_is_clipped_to_norm_one_and_a_small_one_is_not():
    large, small = Adam.start(START), Adam.start(START)
    large.update(100 * GRADIENTS[0], 1e-2)
    small.update(0.1 * GRADIENTS[0], 1e-2)
    assert large.first.norm().item() == pytest.approx(0.1)
    assert torch.allclose(small.first, 0.01 * GRADIENTS[0])


def test_the_average_follows_slower_and_without_decay_is_the_vectors():
    assert torch.equal(learned(GRADIENTS).average, learned(GRADIENTS).vectors)
    steady = learned(GRADIENTS[:1].expand(30, -1, -1), ema=0.9)
    assert torch.equal(steady.vectors, learned(GRADIENTS[:1].expand(30, -1, -1)).vectors)
    assert (steady.average - START).norm() < (steady.vectors - START).norm()


def test_the_start_is_not_changed():
    before = START.clone()
    learned(GRADIENTS)
    assert torch.equal(START, before)
