"""What others have hung on the UNet is told which frames it is called with, in windows and without."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.unets import ldm, two_videos
from vcd_ext.denoising.frame_numbers import frames_told
from vcd_ext.denoising.multidiffusion import Parts, multidiffusion
from vcd_ext.motion import windows

FRAMES = 5


@pytest.fixture
def hung(ldm_unet: nn.Module) -> Any:
    """Return a UNet on which another extension has put a function of its own."""
    plain = ldm_unet.forward
    ldm_unet.forward = lambda *args, **kwargs: plain(*args, **kwargs)
    yield ldm_unet
    vars(ldm_unet).pop("forward", None)


@pytest.mark.parametrize("length", [3, FRAMES])
def test_each_part_is_told_before_it_is_computed(hung: nn.Module, length: int) -> None:
    told: list[tuple[list[int], int]] = []
    plain, theirs = ldm(hung, two_videos(FRAMES)), hung.forward

    def tell(frames: Sequence[int], latents: Tensor) -> None:
        told.append((list(frames), len(latents)))

    parts = Parts(FRAMES, windows(FRAMES, length, 1))
    with frames_told(hung, FRAMES, tell), multidiffusion(hung, parts):
        made = ldm(hung, two_videos(FRAMES))
    assert told == ([([0, 1, 2], 6), ([2, 3, 4], 6)] if length == 3 else [([0, 1, 2, 3, 4], 10)])
    assert torch.allclose(made, plain, atol=1e-4)
    assert hung.forward is theirs
    assert not hung._forward_pre_hooks


def test_all_is_as_before_after_an_error(hung: nn.Module) -> None:
    theirs = hung.forward

    def fail(*_: Any) -> None:
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"), frames_told(hung, FRAMES, fail):
        ldm(hung, two_videos(FRAMES))
    assert hung.forward is theirs
    assert not hung._forward_pre_hooks


def test_rows_that_are_no_whole_videos_are_refused(ldm_unet: nn.Module) -> None:
    words = "10 pictures, which are not whole videos of 4"
    with pytest.raises(ValueError, match=words), frames_told(ldm_unet, 4, lambda *_: None):
        ldm(ldm_unet, two_videos(FRAMES))
