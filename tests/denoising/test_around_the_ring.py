"""A call of the UNet in windows that go on from the last frame at the first."""

from typing import Any

import numpy as np
import torch

from tests.denoising.test_multidiffusion import FRAMES, HEIGHT, WIDTH, Recorder, numbered, unet  # noqa: F401
from vcd_ext.denoising.controlnet import Hints
from vcd_ext.denoising.multidiffusion import Parts, RegionalPrompt, multidiffusion
from vcd_ext.denoising.partition import tiles
from vcd_ext.motion import ring_windows

RING = ring_windows(FRAMES, 4, 1)  # 0 to 4, 2 to 6, 4 to 1


def around(recorder: Recorder, size: int | None = None, **more: Any) -> Any:
    return multidiffusion(recorder, Parts(FRAMES, RING, size and tiles(HEIGHT, WIDTH, size, 4)), **more)


def test_a_unet_that_returns_its_input_returns_it_still(unet: Recorder) -> None:  # noqa: F811
    x = torch.randn(3 * FRAMES, 4, HEIGHT, WIDTH)
    for size in (None, 8):
        with around(unet, size):
            torch.testing.assert_close(unet(x), x, rtol=1e-6, atol=1e-6)


def test_rows_times_and_texts_of_the_last_window_are_those_of_its_frames(unet: Recorder) -> None:  # noqa: F811
    rows = torch.arange(2 * FRAMES)
    text = rows[:, None, None].float().expand(-1, 77, 8)
    with around(unet):
        unet(numbered(), rows, context=text)
    assert [list(window.frames) for window in RING] == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 0]]
    last = unet.calls[-1]
    expected = [4, 5, 6, 0, 11, 12, 13, 7]
    assert last["x"][:, 0, 0, 0].tolist() == expected
    assert last["timesteps"].tolist() == expected
    assert last["context"][:, 0, 0].tolist() == expected


def test_each_result_counts_at_its_own_frame_with_its_weight(unet: Recorder) -> None:  # noqa: F811
    """The UNet adds 100 in the last window alone: it shows in its frames, as much as these count there."""
    unet.inner.register_forward_hook(lambda _m, args, out: out + 100 * float(args[0][0, 0, 0, 0] == 4))
    with around(unet):
        added = (unet(numbered(1)) - numbered(1))[:, 0, 0, 0] / 100
    expected = torch.zeros(FRAMES)
    expected[[4, 5, 6, 0]] = RING[-1].weights
    torch.testing.assert_close(added, expected, atol=1e-5, rtol=0)
    assert added[0] > 0
    assert added[1] == 0


def test_prompts_of_regions_and_hints_go_around_as_well(unet: Recorder) -> None:  # noqa: F811
    known, instead = torch.ones(77, 8), torch.zeros(77, 8)
    absent = np.zeros((FRAMES, 1), bool)
    absent[[0, 5]] = True
    with around(unet, regional=RegionalPrompt(known, instead, absent)):
        unet(numbered(1), context=known.expand(1, -1, -1))
    assert unet.calls[-1]["context"][:, 0, 0].tolist() == [1, 0, 1, 0], "of the frames 4, 5, 6 and 0"
    pictures = [np.full((8, 8, 3), i / 8, np.float32) for i in range(FRAMES)]
    assert (Hints(pictures).part(RING[-1], None).tensor()[:, 0, 0, 0] * 8).tolist() == [4, 5, 6, 0]
