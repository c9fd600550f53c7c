"""The standalone host: one video from text, with every setting that shapes it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests import tiny
from vcd_ext.denoising.free_noise import InitialNoise
from vcd_ext.hosts.diffusers import sampling
from vcd_ext.media import Clip
from vcd_ext.settings import SAMPLERS, GenerateSettings, VideoSettings, from_infotext

PICTURE = GenerateSettings(prompt="a photo of tinyperson", width=64, height=72, steps=2, seed=5)
VIDEO = VideoSettings(frames=3)


def frames(clip: Clip) -> np.ndarray:
    return clip.frames.astype(int)


def test_a_clip_has_the_frames_size_and_rate_that_were_asked_for(host):
    clip = host.generate(PICTURE, replace(VIDEO, fps=12.5))
    assert clip.frames.shape == (3, 72, 64, 3)
    assert clip.fps == 12.5
    assert clip.frames.std() > 10, "a flat picture"


def test_the_same_seed_gives_the_same_video(host, files):
    first, second = (host.generate(PICTURE, VIDEO, files.motion_module, [files.embedding]) for _ in range(2))
    assert np.array_equal(first.frames, second.frames)


def test_another_seed_gives_another_video(host):
    assert not np.array_equal(
        host.generate(PICTURE, VIDEO).frames, host.generate(replace(PICTURE, seed=6), VIDEO).frames
    )


def test_minus_one_draws_a_seed_and_the_infotext_tells_it(host):
    one, other = (host.generate(replace(PICTURE, seed=-1), VIDEO) for _ in range(2))
    assert not np.array_equal(one.frames, other.frames)
    again = host.generate(replace(PICTURE, seed=int(entries(one)["Seed"])), VIDEO)
    assert np.array_equal(one.frames, again.frames)


def test_gamma_changes_all_frames_but_the_first(host):
    plain, mixed = (host.generate(PICTURE, replace(VIDEO, gamma=gamma)) for gamma in (0.0, 0.15))
    assert np.array_equal(plain.frames[0], mixed.frames[0])
    assert all(not np.array_equal(a, b) for a, b in zip(plain.frames[1:], mixed.frames[1:], strict=True))


def test_without_gamma_and_motion_frame_i_is_the_picture_of_seed_plus_i(host):
    clip = host.generate(PICTURE, replace(VIDEO, gamma=0))
    for i, frame in enumerate(frames(clip)):
        alone = frames(host.generate(replace(PICTURE, seed=5 + i), replace(VIDEO, frames=1, gamma=0)))[0]
        assert np.abs(frame - alone).max() <= 1  # a batch rounds differently


def test_the_noise_is_that_of_the_webuis_cpu_source(host, monkeypatch):
    drawn = []
    monkeypatch.setattr(InitialNoise, "of", lambda prior, noise: drawn.append((noise, prior.gamma)) or noise)
    host.generate(PICTURE, VIDEO)
    for i, noise in enumerate(drawn[0][0]):
        torch.manual_seed(5 + i)
        assert torch.equal(noise, torch.randn(4, 9, 8))
    assert drawn[0][1] == VIDEO.gamma
    assert len(drawn) == 1


def test_one_frame_is_a_picture(host, files):
    assert host.generate(PICTURE, replace(VIDEO, frames=1), files.motion_module).frames.shape == (1, 72, 64, 3)


def test_the_motion_module_changes_frames_and_is_taken_off_again(host, files):
    plain = host.generate(PICTURE, VIDEO)
    moved = host.generate(PICTURE, VIDEO, files.motion_module)
    assert np.abs(frames(moved) - frames(plain)).mean() > 5
    assert np.array_equal(host.generate(PICTURE, VIDEO).frames, plain.frames)


def test_with_a_motion_module_betas_are_linear_as_in_its_training():
    linear = (1 - torch.linspace(0.00085, 0.012, 1000)).cumprod(0)
    scaled = (1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2).cumprod(0)
    for name in SAMPLERS:
        for animated, expected in ((True, linear), (False, scaled)):
            made = sampling.scheduler(name, 5, animated, "epsilon", "cpu")
            assert torch.allclose(made.alphas_cumprod, expected, atol=1e-5)


@pytest.mark.parametrize("version", ["v3", "AnimateLCM"])
def test_other_motion_modules_run(host, tmp_path, version):
    module = tiny.motion_module(tmp_path, version)
    assert host.generate(PICTURE, VIDEO, module).frames.std() > 10


def test_the_embedding_changes_the_video(host, files):
    without, with_it = (host.generate(PICTURE, VIDEO, None, paths) for paths in ([], [files.embedding]))
    assert np.abs(frames(without) - frames(with_it)).mean() > 1


def test_an_embedding_that_the_prompt_does_not_name_is_appended(host, files):
    silent = replace(PICTURE, prompt="at the beach")
    clip = host.generate(silent, VIDEO, None, [files.embedding])
    named = host.generate(replace(silent, prompt="at the beach, tinyperson"), VIDEO, None, [files.embedding])
    assert clip.metadata["parameters"].startswith("at the beach, tinyperson\n")
    assert np.array_equal(clip.frames, named.frames)


@pytest.mark.parametrize(("cfg_scale", "rows"), [(7.5, 6), (1.0, 3)])
def test_guidance_takes_uncond_and_cond_rows_and_without_it_cond_alone(host, cfg_scale, rows):
    counted = []
    hook = host.unet.register_forward_pre_hook(lambda _, args: counted.append(args[0].shape[0]))
    host.generate(replace(PICTURE, cfg_scale=cfg_scale), VIDEO)
    hook.remove()
    assert counted == [rows, rows]


def test_prompts_of_unequal_length_are_not_padded(host):
    counted = []
    hook = host.unet.register_forward_pre_hook(lambda _, args: counted.append(args[2].shape[:2]))
    host.generate(replace(PICTURE, prompt="cat " * 80, steps=1), VIDEO)
    hook.remove()
    assert counted == [(3, 77), (3, 154)]


def test_the_negative_prompt_counts_with_guidance_alone(host):
    def made(cfg_scale: float, negative: str) -> np.ndarray:
        return host.generate(replace(PICTURE, cfg_scale=cfg_scale, negative_prompt=negative), VIDEO).frames

    assert not np.array_equal(made(7.5, ""), made(7.5, "a dog"))
    assert np.array_equal(made(1, ""), made(1, "a dog"))


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 3])
def test_every_sampler_makes_pictures(host, files, sampler, steps):
    clip = host.generate(replace(PICTURE, sampler=sampler, steps=steps), VIDEO, files.motion_module)
    assert clip.frames.std() > 10


def test_step_noise_is_correlated_where_the_sampler_adds_noise(host):
    def changes(sampler: str) -> bool:
        picture = replace(PICTURE, sampler=sampler)
        plain, mixed = (host.generate(picture, replace(VIDEO, step_noise=on)) for on in (False, True))
        return not np.array_equal(plain.frames, mixed.frames)

    assert {sampler: changes(sampler) for sampler in SAMPLERS} == {
        "euler": False,
        "ddim": False,
        "dpmpp_2m": False,
        "lcm": True,
        "euler_sgm": False,
    }


def test_progress_counts_to_the_end(host):
    calls: list[tuple[int, int]] = []
    host.generate(PICTURE, VIDEO, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(0, 9), (3, 9), (6, 9), (7, 9), (8, 9), (9, 9)]


def entries(clip: Clip) -> dict[str, str]:
    """Return the last line of the infotext, as the WebUI reads it."""
    line = clip.metadata["parameters"].splitlines()[-1]
    return dict(entry.split(": ", 1) for entry in line.split(", "))


def test_the_infotext_restores_every_setting(host, files):
    picture = replace(PICTURE, negative_prompt="blurry", sampler="dpmpp_2m", cfg_scale=4)
    video = replace(VIDEO, gamma=0.1, context=8, overlap=3, formats=("gif", "webm"))
    clip = host.generate(picture, video, files.motion_module, [files.embedding])
    assert clip.metadata["parameters"].splitlines()[:2] == ["a photo of tinyperson", "Negative prompt: blurry"]
    found = entries(clip)
    assert {
        "Steps": "2",
        "Sampler": "DPM++ 2M",
        "Schedule type": "Karras",
        "CFG scale": "4.0",
        "Seed": "5",
        "Size": "64x72",
        "Model": "tiny",
        "RNG": "CPU",
    }.items() <= found.items()
    restored = {name: from_infotext(name, found) for name in vars(video)}
    assert VideoSettings(**{name: value for name, value in restored.items() if value is not None}) == replace(
        video, enabled=True, motion_module="mm_v2.safetensors", identity="tinyperson"
    )


def test_text_with_commas_is_quoted_in_the_infotext(host, tmp_path, files):
    path = tmp_path / "a, b.safetensors"
    path.write_bytes(files.embedding.read_bytes())
    text = host.generate(PICTURE, VIDEO, None, [path]).metadata["parameters"]
    assert text.endswith('VCD identity: "a, b"')
