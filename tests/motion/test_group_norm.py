"""AnimateDiff v1: the UNet's own norms go over a whole video; compared with a second implementation of that."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests import tiny
from tests.motion.test_attach import comes_off, comes_off_after, fails
from tests.unets import diffusers, ldm
from vcd_ext.motion import MotionModule, attached, load
from vcd_ext.motion.group_norm import normalised_by_video, norms

FRAMES = 4


@pytest.fixture
def v1(tmp_path: Path) -> MotionModule:
    return load(tiny.motion_module(tmp_path, "v1"))


def by_definition(video: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """One video [c, f, h, w]: each group of channels has one mean and one variance, of all its frames."""
    out = torch.empty_like(video)
    size = len(video) // groups
    for group in range(groups):
        part = video[group * size : (group + 1) * size].double()
        mean = part.sum() / part.numel()
        variance = ((part - mean) ** 2).sum() / part.numel()
        out[group * size : (group + 1) * size] = (part - mean) / (variance + eps) ** 0.5
    return out * weight[:, None, None, None] + bias[:, None, None, None]


def test_a_norm_is_that_of_a_video_of_five_dimensions() -> None:
    unet: Any = nn.Module()
    unet.input_blocks = unet.output_blocks = nn.ModuleList()
    norm = nn.GroupNorm(4, 8)
    unet.out = nn.Sequential(norm)
    nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    rows = torch.randn(2 * FRAMES, 8, 3, 5) * torch.arange(1, 2 * FRAMES + 1).view(-1, 1, 1, 1)
    with torch.no_grad(), normalised_by_video(unet, FRAMES):
        got = norm(rows)
    for i in range(2):
        video = rows[i * FRAMES : (i + 1) * FRAMES].transpose(0, 1)
        expected = by_definition(video, 4, norm.weight, norm.bias, norm.eps).transpose(0, 1)
        torch.testing.assert_close(got[i * FRAMES : (i + 1) * FRAMES], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            got[i * FRAMES : (i + 1) * FRAMES], F.group_norm(video[None], 4, norm.weight, norm.bias)[0].transpose(0, 1)
        )


def test_the_norms_are_those_of_residual_blocks_and_the_last(ldm_unet: nn.Module, diffusers_unet: nn.Module) -> None:
    assert len(set(norms(ldm_unet))) == len(set(norms(diffusers_unet))) == 2 * 22 + 1
    names = {module: name for name, module in diffusers_unet.named_modules()}
    assert not any("attentions" in names[norm] for norm in norms(diffusers_unet))


def oracle(unet: nn.Module, inputs: dict[str, Tensor], module: MotionModule) -> Tensor:
    """Compute an LDM UNet with norms of videos in place of its own, and with the module's temporal transformers."""

    class VideoNorm(nn.Module):
        def __init__(self, own: nn.GroupNorm):
            super().__init__()
            self.own = own

        def forward(self, rows: Tensor) -> Tensor:
            videos = rows.unflatten(0, (-1, FRAMES)).transpose(1, 2)
            own = self.own
            return F.group_norm(videos, own.num_groups, own.weight, own.bias, own.eps).transpose(1, 2).flatten(0, 1)

    replaced = []
    for block in unet.modules():
        for name in ("in_layers", "out_layers"):
            if type(block).__name__ == "ResBlock":
                layers = getattr(block, name)
                replaced.append((layers, layers[0]))
    replaced.append((unet.out, unet.out[0]))  # type: ignore[index,arg-type]
    for layers, own in replaced:
        layers[0] = VideoNorm(own)
    try:
        like_v3 = MotionModule("v3", {name: block.size for name, block in module.blocks.items()})
        like_v3.load_state_dict(module.state_dict())
        with attached(unet, like_v3.eval(), FRAMES):
            return ldm(unet, inputs)
    finally:
        for layers, own in replaced:
            layers[0] = own


def test_version_1_normalises_videos_and_both_unets_agree(
    ldm_unet: nn.Module, diffusers_unet: nn.Module, v1: MotionModule, inputs: dict[str, Tensor]
) -> None:
    scaled = inputs | {"latents": inputs["latents"] * torch.arange(1, 9).view(-1, 1, 1, 1)}  # unequal frames
    expected = oracle(ldm_unet, scaled, v1)
    with attached(ldm_unet, v1, FRAMES):
        a = ldm(ldm_unet, scaled)
    with attached(diffusers_unet, v1, FRAMES):
        b = diffusers(diffusers_unet, scaled)
    torch.testing.assert_close(a, expected, rtol=1e-4, atol=1e-4)
    assert (a - b).norm() / a.norm() < 1e-4
    v1.version = "v3"
    with attached(ldm_unet, v1, FRAMES):
        single = ldm(ldm_unet, scaled)
    assert (a - single).norm() / a.norm() > 0.05


def test_videos_in_one_call_have_norms_of_their_own(ldm_unet: nn.Module, v1: MotionModule, inputs: dict) -> None:
    with attached(ldm_unet, v1, FRAMES):
        both = ldm(ldm_unet, inputs)
        first, second = ldm(ldm_unet, inputs, slice(0, 4)), ldm(ldm_unet, inputs, slice(4, 8))
    torch.testing.assert_close(both, torch.cat([first, second]), rtol=1e-4, atol=1e-5)


def test_the_norms_are_the_unets_own_after_it(unet: nn.Module, kind: str, v1: MotionModule, inputs: dict) -> None:
    comes_off(unet, kind, v1, inputs)


def test_they_are_after_an_exception_inside_of_one(ldm_unet: nn.Module, v1: MotionModule, inputs: dict) -> None:
    with comes_off_after(ldm_unet, inputs):
        fails(ldm_unet, ldm_unet.out[1], v1, inputs)  # type: ignore[index]
        with pytest.raises(ValueError, match="3 pictures.*not whole videos"), attached(ldm_unet, v1, FRAMES):
            ldm(ldm_unet, inputs, slice(0, 3))
