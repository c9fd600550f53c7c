"""Closed loops on the standalone host: no place of the video is a beginning or an end."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.hosts.test_standalone import entries
from vcd_ext.hosts.diffusers.frame_noise import FrameNoise
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import VideoPass
from vcd_ext.noise import correlate
from vcd_ext.settings import GenerateSettings, VideoSettings, from_infotext

PICTURE = GenerateSettings(prompt="a cat", width=64, height=64, steps=2, cfg_scale=1, seed=5)
LOOP = VideoSettings(
    frames=8, context=4, overlap=2, loop=True, gamma=0.0, freenoise=False
)  # four windows, two frames apart


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch):
    """Turn the noise of all frames by so many places."""

    def turn(places: int) -> None:
        drawn = FrameNoise.draw
        monkeypatch.setattr(FrameNoise, "draw", lambda self: drawn(self).roll(places, 0))

    return turn


@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_to_turn_the_noise_turns_the_video(host, files, turned, gamma):
    """Windows lie two frames apart: who turns by two frames finds the same windows, also across the end."""
    video = replace(LOOP, gamma=gamma)
    still = host.generate(PICTURE, video, files.motion_module).frames.astype(int)
    turned(2)
    moved = host.generate(PICTURE, video, files.motion_module).frames.astype(int)
    assert np.abs(np.roll(still, 2, axis=0) - moved).max() <= 1  # of another order of adding up
    assert np.abs(still - moved).max() > 20


def test_without_it_the_end_does_not_know_the_beginning(host, files, turned):
    open_video = replace(LOOP, loop=False)
    still = host.generate(PICTURE, open_video, files.motion_module).frames.astype(int)
    turned(2)
    moved = host.generate(PICTURE, open_video, files.motion_module).frames.astype(int)
    assert np.abs(np.roll(still, 2, axis=0) - moved).max() > 1


def test_the_noise_that_it_begins_from_goes_around(host, files):
    """One denoising step of a UNet that is given away: what it sees is the noise."""
    seen: list[torch.Tensor] = []
    hook = host.unet.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    host.generate(replace(PICTURE, steps=1), replace(LOOP, frames=4, gamma=0.5), None)
    hook.remove()
    white = FrameNoise(5, 4, (4, 8, 8)).draw()
    ring, line = correlate(white, 0.5, loop=True), correlate(white, 0.5)
    scale = seen[0].norm() / ring.norm()
    torch.testing.assert_close(seen[0], ring * scale, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(seen[0], line * seen[0].norm() / line.norm(), atol=0.01)


def test_a_loop_in_one_window_meets_itself(host, files):
    """Its first and last frames are at the ends of one window of two, and in the middle of the other."""
    rows: list[int] = []
    hook = host.unet.conv_in.register_forward_pre_hook(lambda _, args: rows.append(args[0].shape[0]))
    looped = host.generate(PICTURE, replace(LOOP, context=16), files.motion_module).frames
    plain = host.generate(PICTURE, replace(LOOP, context=16, loop=False), files.motion_module).frames
    hook.remove()
    assert rows == [8] * (2 * 2 + 2), "two windows in each of two steps, and one without"
    assert not np.array_equal(looped, plain)


def test_a_video_that_is_made_again_goes_around_too(host, files, turned):
    """Frames that are all alike and noise that is turned: the video is turned."""
    work = VideoPass("a cat", steps=2, denoise=1.0, seed=5, gamma=0.3, motion_module=str(files.motion_module))
    work = replace(work, context=4, context_overlap=2, loop=True)
    grey = [np.full((64, 64, 3), 0.5, np.float32)] * 8
    still = np.stack(list(StandaloneVideo(host).denoise(grey, work)))
    turned(2)
    moved = np.stack(list(StandaloneVideo(host).denoise(grey, work)))
    assert np.abs(np.roll(still, 2, axis=0) - moved).max() < 1 / 255


def test_the_infotext_tells_of_a_loop_and_only_of_one(host):
    loop = entries(host.generate(replace(PICTURE, steps=1), VideoSettings(frames=2, loop=True, order="ping-pong")))
    plain = entries(host.generate(replace(PICTURE, steps=1), VideoSettings(frames=2)))
    assert loop.items() - plain.items() == {("VCD closed loop", "True"), ("VCD order", "ping-pong")}
    assert [from_infotext(name, loop) for name in ("loop", "order")] == [True, "ping-pong"]
    assert [from_infotext(name, plain) for name in ("loop", "order")] == [False, "forward"]
