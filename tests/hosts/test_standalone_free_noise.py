"""FreeNoise and FreeInit on the standalone host."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.hosts.test_standalone import entries
from vcd_ext.denoising.free_init import reinitialised
from vcd_ext.denoising.free_noise import InitialNoise, Reuse
from vcd_ext.hosts.diffusers.frame_noise import FrameNoise
from vcd_ext.hosts.diffusers.restyle import restyle
from vcd_ext.hosts.diffusers.sampling import alphas_cumprod
from vcd_ext.hosts.diffusers.text_to_video import TextToVideo
from vcd_ext.media import Clip
from vcd_ext.settings import GenerateSettings, SettingError, VideoSettings, from_infotext

PICTURE = GenerateSettings(prompt="a cat", width=64, height=64, steps=2, cfg_scale=1, seed=5)
VIDEO = VideoSettings(frames=7, context=4, overlap=1, gamma=0.2)


@pytest.fixture
def begun(host):
    """Collect the latents of each call of the UNet."""
    seen: list[torch.Tensor] = []
    hook = host.unet.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    yield seen
    hook.remove()


def test_a_long_video_begins_from_the_noise_of_its_first_window(host, files, begun):
    host.generate(replace(PICTURE, steps=1), replace(VIDEO, gamma=0.0), files.motion_module)
    seen = torch.cat(begun)[:7] if len(begun[0]) == 7 else None
    frames = seen if seen is not None else torch.cat([begun[0], begun[1][1:]])
    sources = Reuse(4, 1, 5).sources(7)
    assert sources[4:] != [4, 5, 6]
    for i, source in enumerate(sources):
        torch.testing.assert_close(frames[i], frames[source], rtol=1e-5, atol=1e-5)


def test_free_init_samples_again_from_what_was_sampled_and_fresh_noise(host, begun, monkeypatch):
    """The second sampling begins from what the definition gives for the result of the first."""
    sampled: list[torch.Tensor] = []
    decoded = TextToVideo._decoded
    monkeypatch.setattr(
        TextToVideo, "_decoded", lambda run, latents: (sampled.append(latents), decoded(run, latents))[1]
    )
    host.generate(PICTURE, replace(VIDEO, frames=4))
    once = list(begun)
    begun.clear()
    host.generate(PICTURE, replace(VIDEO, frames=4, freeinit=1))
    assert [len(rows) for rows in begun] == [4] * 4, "two steps, twice"
    assert torch.equal(begun[0], once[0])
    noise, prior = FrameNoise(5, 4, (4, 8, 8)), InitialNoise(0.2)
    first, fresh = prior.of(noise.draw()), prior.of(noise.draw())
    expected = reinitialised(sampled[0], first, fresh, float(alphas_cumprod(animated=False)[-1]), 0.25)
    torch.testing.assert_close(begun[2], expected * (begun[0].norm() / first.norm()), rtol=1e-4, atol=1e-4)


def test_more_of_what_was_sampled_is_kept_where_the_cutoff_is_higher(host):
    plain = host.generate(PICTURE, VIDEO).frames.astype(float)
    low, high = (
        host.generate(PICTURE, replace(VIDEO, freeinit=1, freeinit_cutoff=cutoff)).frames.astype(float)
        for cutoff in (0.05, 1.0)
    )
    assert np.abs(high - plain).mean() < np.abs(low - plain).mean()


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp_2m", "lcm"])
def test_it_works_with_every_sampler_and_counts_all_steps(host, files, sampler):
    calls: list[tuple[int, int]] = []
    video = replace(VIDEO, freeinit=2, freenoise=True, step_noise=True, loop=True)
    clip = host.generate(
        replace(PICTURE, sampler=sampler), video, files.motion_module, progress=lambda *done: calls.append(done)
    )
    assert clip.frames.std() > 10
    assert calls[-1] == (7 * (2 * 3 + 1), 7 * (2 * 3 + 1))


def test_infotext_tells_what_is_not_usual(host):
    plain = host.generate(PICTURE, VIDEO)
    assert not [key for key in entries(plain) if "free" in key]
    off = host.generate(PICTURE, replace(VIDEO, freenoise=False, freeinit=0, freeinit_cutoff=0.25))
    assert from_infotext("freenoise", entries(off)) is False
    assert np.array_equal(plain.frames, off.frames), "without a motion module there is nothing to hold together"
    on = entries(host.generate(replace(PICTURE, steps=1), replace(VIDEO, freenoise=True, freeinit=1)))
    assert [from_infotext(name, on) for name in ("freenoise", "freeinit", "freeinit_cutoff")] == [True, 1, 0.25]


def test_a_video_that_is_made_again_takes_free_noise_and_refuses_free_init(host, files):
    source, module = Clip(np.full((7, 64, 64, 3), 128, np.uint8), 8), files.motion_module

    def made(freenoise: bool, module: Path | None) -> np.ndarray:
        return restyle(host, source, "grey", PICTURE, replace(VIDEO, freenoise=freenoise), module).frames.astype(int)

    assert np.abs(made(True, module)[4:] - made(False, module)[4:]).max() > 5
    assert np.array_equal(made(True, None), made(False, None)), "frames that do not meet keep noise of their own"
    with pytest.raises(SettingError, match="freeinit is 2; FreeInit samples again from pure noise"):
        restyle(host, source, "grey", PICTURE, replace(VIDEO, freeinit=2))
