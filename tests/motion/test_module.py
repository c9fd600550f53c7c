"""The temporal transformer against a second implementation, written loop by loop from the paper's definition."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests import tiny
from vcd_ext.motion import load
from vcd_ext.motion import module as motion_module

HEADS = 8
PLACE = "up_blocks.1.motion_modules.2"


def reference(state: dict[str, Tensor], video: Tensor) -> Tensor:
    """One temporal transformer on one video, [frames, channels, height, width], in float64."""
    state = {key: value.double() for key, value in state.items()}
    video = video.double()
    frames, _channels, height, width = video.shape
    # Each frame is normalised alone.
    normed = torch.stack(
        [F.group_norm(frame[None], 32, state["norm.weight"], state["norm.bias"], eps=1e-6)[0] for frame in video]
    )
    out = video.clone()
    for y in range(height):
        for x in range(width):
            tokens = normed[:, :, y, x] @ state["proj_in.weight"].T + state["proj_in.bias"]
            for i in range(2):
                tokens = tokens + attention(state, i, norm(state, f"norms.{i}", tokens))
            tokens = tokens + feed_forward(state, norm(state, "ff_norm", tokens))
            out[:, :, y, x] += tokens @ state["proj_out.weight"].T + state["proj_out.bias"]
    assert len(out) == frames
    return out


def norm(state: dict[str, Tensor], name: str, tokens: Tensor) -> Tensor:
    weight, bias = (state[f"transformer_blocks.0.{name}.{part}"] for part in ("weight", "bias"))
    centred = tokens - tokens.mean(-1, keepdim=True)
    return centred / (tokens.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt() * weight + bias


def attention(state: dict[str, Tensor], i: int, tokens: Tensor) -> Tensor:
    part = f"transformer_blocks.0.attention_blocks.{i}"
    frames, channels = tokens.shape
    tokens = tokens + state[f"{part}.pos_encoder.pe"][0, :frames]
    q, k, v = (tokens @ state[f"{part}.to_{name}.weight"].T for name in "qkv")
    size = channels // HEADS
    heads = []
    for h in range(HEADS):
        of_head = slice(h * size, (h + 1) * size)
        scores = q[:, of_head] @ k[:, of_head].T / size**0.5
        heads.append(scores.softmax(-1) @ v[:, of_head])
    return torch.cat(heads, -1) @ state[f"{part}.to_out.0.weight"].T + state[f"{part}.to_out.0.bias"]


def feed_forward(state: dict[str, Tensor], tokens: Tensor) -> Tensor:
    part = "transformer_blocks.0.ff.net"
    value, gate = (tokens @ state[f"{part}.0.proj.weight"].T + state[f"{part}.0.proj.bias"]).chunk(2, -1)
    return (value * F.gelu(gate)) @ state[f"{part}.2.weight"].T + state[f"{part}.2.bias"]


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize("version", ["v2", "v3", "AnimateLCM"])
def test_it_is_the_paper_s(tmp_path: Path, version: str, learning: bool) -> None:
    """Also where nothing is learned, and products, copies and sums are made in other ways."""
    module = load(tiny.motion_module(tmp_path, version))
    block = module.blocks[PLACE]
    videos = torch.randn(2, 5, block.size.channels, 3, 2, generator=torch.Generator().manual_seed(1))
    videos *= torch.tensor([0.1, 1, 3, 10, 30]).view(1, 5, 1, 1, 1)  # frames of unequal scale tell norms apart
    expected = torch.stack([reference(block.state_dict(), video) for video in videos])
    with torch.set_grad_enabled(learning):
        got = block(videos.flatten(0, 1), frames=5).view_as(videos)
    added, added_expected = got - videos, (expected - videos.double()).float()
    assert (added - added_expected).norm() / added_expected.norm() < 1e-5


@pytest.mark.parametrize("learning", [True, False])
def test_many_rows_are_done_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learning: bool) -> None:
    block = load(tiny.motion_module(tmp_path)).blocks[PLACE]
    hidden = torch.randn(6, block.size.channels, 8, 8)
    with torch.set_grad_enabled(learning):
        whole = block(hidden, frames=3)
        for rows in (1, 50, 64, 100, 128):  # a video has 64
            monkeypatch.setattr(motion_module, "MAX_ROWS", rows)
            monkeypatch.setattr(motion_module, "TOKENS_CPU", 3 * rows)
            torch.testing.assert_close(block(hidden, frames=3), whole)


@torch.no_grad()
def test_what_goes_in_stays_as_it_was(tmp_path: Path) -> None:
    """Sums are made in place, but only of what the block has made itself."""
    block = load(tiny.motion_module(tmp_path)).blocks[PLACE]
    hidden = torch.randn(4, block.size.channels, 4, 4)
    before, state = hidden.clone(), {key: value.clone() for key, value in block.state_dict().items()}
    assert not torch.equal(block(hidden, frames=4), hidden)
    assert torch.equal(hidden, before)
    assert all(torch.equal(value, state[key]) for key, value in block.state_dict().items())


@torch.no_grad()
def test_pictures_of_any_strides_are_taken(tmp_path: Path) -> None:
    block = load(tiny.motion_module(tmp_path)).blocks[PLACE]
    hidden = torch.randn(4, block.size.channels, 4, 4)
    torch.testing.assert_close(block(hidden.to(memory_format=torch.channels_last), 4), block(hidden, 4))


def test_half_precision_stays_half(tmp_path: Path) -> None:
    block = load(tiny.motion_module(tmp_path)).to(torch.bfloat16).blocks[PLACE]
    hidden = torch.randn(4, block.size.channels, 4, 4, dtype=torch.bfloat16)
    assert block(hidden, frames=4).dtype == torch.bfloat16


def test_gradients_reach_the_weights_so_that_a_module_can_be_trained(tmp_path: Path) -> None:
    block = load(tiny.motion_module(tmp_path)).requires_grad_(True).blocks[PLACE]
    block(torch.randn(4, block.size.channels, 4, 4), frames=4).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in block.parameters())
