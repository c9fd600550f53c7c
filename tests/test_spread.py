"""One call of the UNet as many: the same sum from every host's UNet, for any rows, and nothing left behind."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.motion.conftest import checkpoint_path, diffusers, diffusers_unet, ldm, ldm_unet  # noqa: F401
from vcd_ext.motion import windows
from vcd_ext.spread import Swap, spread
from vcd_ext.tiled.tiles import tiles

FRAMES, LENGTH = 7, 4


class Recorder(nn.Module):
    """In a UNet's place: notes what it was called with, and returns its latents."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[dict[str, Any]] = []

    def forward(self, x: Tensor, timesteps: Any = None, context: Any = None, **more: Any) -> Tensor:
        self.calls.append({"x": x, "timesteps": timesteps, "context": context, **more})
        return x


def latents(videos: int = 2, frames: int = FRAMES, height: int = 16, width: int = 8) -> Tensor:
    return torch.randn(videos * frames, 4, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("videos", [1, 2, 3])
@pytest.mark.parametrize("size", [None, 8, 16])
def test_an_identity_gives_its_input_back(videos: int, size: int | None) -> None:
    x, unet = latents(videos), Recorder()
    with spread(unet, FRAMES, windows(FRAMES, LENGTH, 2), size and tiles(16, 8, size, 4)):
        torch.testing.assert_close(unet(x), x, rtol=1e-6, atol=1e-6)
    assert len(unet.calls) == 3 * {None: 1, 8: 3, 16: 1}[size]
    assert {call["x"].shape for call in unet.calls} == {(videos * LENGTH, 4, size or 16, 8)}


def test_all_videos_of_a_window_are_computed_together_in_their_order() -> None:
    x, unet = torch.arange(14.0)[:, None, None, None].expand(-1, 4, 8, 8), Recorder()
    with spread(unet, FRAMES, windows(FRAMES, LENGTH, 1)):
        unet(x)
    assert [call["x"][:, 0, 0, 0].tolist() for call in unet.calls] == [
        [0, 1, 2, 3, 7, 8, 9, 10],
        [3, 4, 5, 6, 10, 11, 12, 13],
    ]
