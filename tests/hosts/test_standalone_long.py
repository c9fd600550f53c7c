"""Videos longer than a window on the standalone host: the memory of one window, and one video all the same."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import VideoPass
from vcd_ext.settings import GenerateSettings, VideoSettings

PICTURE = GenerateSettings(prompt="a photo of tinyperson", width=64, height=72, steps=2, cfg_scale=1, seed=5)
LONG = VideoSettings(frames=9, context=4, overlap=2)  # four windows: 0 to 4, 2 to 6, 4 to 8, 5 to 9


@pytest.fixture
def rows(host) -> Iterator[list[int]]:
    """How many pictures are in the UNet at a time."""
    counted: list[int] = []
    hook = host.unet.conv_in.register_forward_pre_hook(lambda _, args: counted.append(args[0].shape[0]))
    yield counted
    hook.remove()


def test_no_more_than_a_window_is_in_the_unet(host, files, rows):
    clip = host.generate(replace(PICTURE, cfg_scale=7.5), LONG, files.motion_module)
    assert clip.frames.shape == (9, 72, 64, 3)
    assert rows == [2 * 4] * (2 * 4), "uncond and cond, in two steps of four windows"


def test_more_frames_than_the_module_holds_are_made(host, files, rows):
    clip = host.generate(replace(PICTURE, steps=1), VideoSettings(frames=40), files.motion_module)
    assert clip.frames.shape[0] == 40
    assert rows == [16, 16, 16]


def test_the_memory_of_texts_does_not_grow_with_the_frames(host, files):
    held: list[int] = []
    hook = host.unet.register_forward_pre_hook(lambda _, args: held.append(args[2].untyped_storage().nbytes()))
    video, one = StandaloneVideo(host), np.full((64, 64, 3), 0.5, np.float32)
    work = VideoPass("a cat", steps=1, motion_module=str(files.motion_module), context=4, context_overlap=1)
    for frames in (9, 18):
        host.generate(replace(PICTURE, steps=1, cfg_scale=7.5), replace(LONG, frames=frames), files.motion_module)
        list(video.denoise([one] * frames, work))
    hook.remove()
    assert held == [2 * 77 * host.prompts.width * 4] * 4, "a row each for uncond and cond, in float32"


def test_a_video_within_the_context_is_the_same_whatever_the_context(host, files, rows):
    one, other = (
        host.generate(PICTURE, replace(LONG, context=context), files.motion_module).frames for context in (9, 500)
    )
    assert np.array_equal(one, other)
    assert set(rows) == {9}


def test_windows_tie_frames_together_that_lie_further_apart(host, files):
    """A ninth frame is in one window with frames 5 to 7; frame 4 meets those, but not the ninth frame itself."""
    far = replace(PICTURE, steps=3)  # what frame 4 hears of it in the last of them is below a level of 8 bits
    short, long = (
        host.generate(far, replace(LONG, frames=frames, gamma=0.0), files.motion_module).frames for frames in (8, 9)
    )
    changed = [not np.array_equal(a, b) for a, b in zip(short, long[:8], strict=True)]
    assert changed[4:] == [True] * 4
    assert changed[:2] == [False] * 2, "which three steps do not reach"


def test_without_a_module_windows_change_nothing_and_need_no_overlap(host, rows):
    whole, parts = (host.generate(PICTURE, replace(LONG, context=context)).frames for context in (9, 4))
    assert np.abs(whole.astype(int) - parts).max() <= 1  # a batch rounds differently
    assert rows[2:] == [4] * (2 * 3)


@pytest.mark.parametrize("call", [0, 5])
def test_the_unet_is_what_it_was_when_a_window_fails(host, files, call):
    before = host.generate(PICTURE, replace(LONG, frames=3)).frames
    kept = [sorted(vars(module)) for module in host.unet.modules()]
    left = [call]

    def fail(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise MemoryError("in a window")

    hook = host.unet.conv_out.register_forward_pre_hook(fail)
    with pytest.raises(MemoryError, match="in a window"):
        host.generate(PICTURE, LONG, files.motion_module)
    hook.remove()
    assert [sorted(vars(module)) for module in host.unet.modules()] == kept
    assert np.array_equal(host.generate(PICTURE, replace(LONG, frames=3)).frames, before)
