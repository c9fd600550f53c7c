"""Products of a motion module's layers: the same numbers whichever library makes them, and however weights lie."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests import tiny
from vcd_ext.motion import MotionModule, load, products
from vcd_ext.motion.module import TemporalAttention


@pytest.fixture
def tokens() -> Tensor:
    return torch.randn(6, 5, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def joined(tmp_path: Path) -> MotionModule:
    """Return a module in bfloat16, which oneDNN is not asked for, with weights that lie together as on a GPU."""
    module = load(tiny.motion_module(tmp_path)).to(torch.bfloat16)
    module.join()
    return module


def attention_of(module: MotionModule) -> TemporalAttention:
    return next(part for part in module.modules() if isinstance(part, TemporalAttention))


@pytest.mark.parametrize("bias", [True, False])
@torch.no_grad()
def test_products_are_those_of_the_layer(tokens: Tensor, bias: bool) -> None:
    layer = nn.Linear(64, 96, bias=bias)
    torch.testing.assert_close(products.product(tokens, layer), layer(tokens), rtol=1e-5, atol=1e-6)
    value, gate = layer(tokens).chunk(2, -1)
    expected = value * torch.nn.functional.gelu(gate)
    torch.testing.assert_close(products.gated(tokens, layer), expected, rtol=1e-5, atol=1e-6)


def test_gradients_are_not_lost(tokens: Tensor) -> None:
    layer = nn.Linear(64, 96)
    assert not products.quick(tokens, layer)
    products.gated(tokens, layer).sum().backward()
    assert layer.weight.grad is not None


@torch.no_grad()
def test_without_onednn_it_is_the_layer_itself(tokens: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = nn.Linear(64, 96)
    monkeypatch.setattr(products, "_offered", lambda: False)
    assert torch.equal(products.product(tokens, layer), layer(tokens))


@torch.no_grad()
def test_queries_keys_and_values_are_one_product_where_their_weights_lie_together(joined: MotionModule) -> None:
    attention = attention_of(joined)
    tokens = torch.randn(6, 5, attention.to_q.in_features).bfloat16()
    layers = (attention.to_q, attention.to_k, attention.to_v)
    made = products.together(tokens, layers)
    assert len({each.untyped_storage().data_ptr() for each in made}) == 1
    for each, layer in zip(made, layers, strict=True):
        torch.testing.assert_close(each, layer(tokens))


@torch.no_grad()
def test_a_weight_that_is_replaced_counts_at_once(joined: MotionModule) -> None:
    """As by a motion LoRA, or by a move to another device."""
    attention = attention_of(joined)
    tokens = torch.randn(6, 5, attention.to_q.in_features).bfloat16()
    layers = (attention.to_q, attention.to_k, attention.to_v)
    attention.to_k.weight.data = attention.to_k.weight.data * 2
    made = products.together(tokens, layers)
    assert torch.equal(made[1], attention.to_k(tokens))


def test_weights_that_lie_together_are_what_they_were(tmp_path: Path, joined: MotionModule) -> None:
    before = load(tiny.motion_module(tmp_path)).to(torch.bfloat16).state_dict()
    after = joined.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_a_module_that_learns_is_left_as_it_is(tmp_path: Path) -> None:
    """It will be saved, which safetensors refuses where tensors share their memory."""
    module = load(tiny.motion_module(tmp_path)).requires_grad_(True)
    module.join()
    storages = [parameter.untyped_storage().data_ptr() for parameter in module.parameters()]
    assert len(storages) == len(set(storages))
