"""Video-to-video on the standalone host: frames in, the video denoised as one, frames out."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import (
    EulerDiscreteScheduler,
    StableDiffusionControlNetImg2ImgPipeline,
    StableDiffusionImg2ImgPipeline,
)
from safetensors.torch import save_file
from torch import Tensor, nn

from tests import tiny
from tests.conftest import Files
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import Interrupted, Picture, Tiling, VideoPass
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.hosts.shared.enlarge import Enlargers
from vcd_ext.hosts.shared.passes import steps_run
from vcd_ext.noise import correlate
from vcd_ext.settings import SAMPLERS

WORK = VideoPass("a photo of tinyperson", denoise=0.5, steps=4, seed=5)
SIDE = 64


@pytest.fixture(scope="module")
def video(host: Standalone, files: Files) -> StandaloneVideo:
    return StandaloneVideo(host, [files.embedding])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ControlNet's file."""
    return tiny.controlnet(tmp_path_factory.mktemp("controlnet"))


def soft(frames: int, height: int = SIDE, width: int = SIDE) -> list[Picture]:
    """Frames of soft colours."""
    coarse = torch.rand(frames, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    fine = F.interpolate(coarse, size=(height, width), mode="bilinear")
    return list(fine.permute(0, 2, 3, 1).contiguous().numpy())


def made(video: StandaloneVideo, frames: Sequence[Picture], work: VideoPass = WORK, **options: Any) -> np.ndarray:
    return np.stack(list(video.denoise(frames, replace(work, **options))))


@pytest.fixture
def seen(host: Standalone) -> Iterator[SimpleNamespace]:
    """Record what the UNet itself computes with, call by call."""
    calls = SimpleNamespace(latents=[], times=[], texts=[])
    hooks = [
        host.unet.conv_in.register_forward_pre_hook(lambda _, args: calls.latents.append(args[0].clone())),
        host.unet.time_proj.register_forward_pre_hook(lambda _, args: calls.times.append(float(args[0][0]))),
        host.unet.mid_block.register_forward_pre_hook(
            lambda _, _args, kwargs: calls.texts.append(kwargs["encoder_hidden_states"].clone()), with_kwargs=True
        ),
    ]
    yield calls
    for hook in hooks:
        hook.remove()


def encoded(host: Standalone, frames: Sequence[Picture]) -> Tensor:
    pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2) * 2 - 1
    with torch.no_grad():
        return host.vae.encode(pixels).latent_dist.mean * host.vae.config.scaling_factor


def test_frames_come_back_as_pictures_of_the_same_size_in_floating_point(video):
    frames = made(video, soft(3, 64, 72))
    assert frames.shape == (3, 64, 72, 3)
    assert frames.dtype == np.float32
    assert 0 <= frames.min() < 0.2 < 0.8 < frames.max() <= 1
    assert np.abs(frames * 255 - np.round(frames * 255)).mean() > 0.1, "they were rounded to bytes"


def test_a_higher_strength_leads_further_away(video):
    frames = soft(2)
    weak, strong = (made(video, frames, replace(WORK, denoise=d, steps=8)) for d in (0.125, 0.75))
    untouched = made(video, frames, masks=[np.zeros((SIDE, SIDE), np.float32)] * 2)
    assert np.abs(weak - untouched).mean() < 0.5 * np.abs(strong - untouched).mean()


@pytest.mark.parametrize(
    ("steps", "denoise", "run"),
    [
        (20, 0.2, 4),
        (20, 0.6, 12),
        (20, 0.55, 11),
        (20, 0.7, 14),
        (10, 0.25, 3),
        (20, 0.01, 1),
        (20, 1.0, 20),
        (1, 0.3, 1),
    ],
)
def test_a_strength_asks_for_its_share_of_the_steps(steps, denoise, run):
    assert steps_run(steps, denoise) == run


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_last_steps_of_the_schedule_are_run(video, host, seen, sampler):
    frames = soft(1)
    made(video, frames, replace(WORK, sampler=sampler, steps=5, denoise=1.0))
    whole = seen.times[:]
    seen.times.clear()
    made(video, frames, replace(WORK, sampler=sampler, steps=5, denoise=0.5))
    assert len(whole) == 5
    assert seen.times == whole[-3:]


def test_without_motion_and_gamma_it_is_an_ordinary_img2img(video, host, files):
    """Checked against diffusers' own pipeline, which is given the same latents, noise and conditions."""
    frames = soft(3)
    ours = made(video, frames, replace(WORK, gamma=0))
    text = host.guidance(WORK.prompt, "", WORK.cfg_scale, WORK.steps, host.vectors([files.embedding]))
    uncond, [cond], _ = text.at(0, rows=1)
    schedule = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    pipeline = StableDiffusionImg2ImgPipeline(
        host.vae, host.prompts.text_encoder, host.prompts.tokenizer, host.unet, schedule, None, None, None, False
    )
    pipeline.set_progress_bar_config(disable=True)
    for i, latent in enumerate(encoded(host, frames)):
        theirs = pipeline(
            image=latent[None],
            prompt_embeds=cond.detach(),
            negative_prompt_embeds=uncond.detach(),
            strength=WORK.denoise,
            num_inference_steps=WORK.steps,
            guidance_scale=WORK.cfg_scale,
            generator=torch.Generator().manual_seed(WORK.seed + i),
            output_type="np",
        ).images[0]
        np.testing.assert_allclose(ours[i], theirs, atol=2e-3)


def test_with_a_controlnet_it_is_the_librarys_img2img_with_one(video, host, files, network):
    frame = [np.round(soft(1)[0] * 64) / 64]  # as half precision holds it
    ours = made(video, frame, replace(WORK, controlnet=str(network), controlnet_weight=0.7))
    text = host.guidance(WORK.prompt, "", WORK.cfg_scale, WORK.steps, host.vectors([files.embedding]))
    uncond, [cond], _ = text.at(0, rows=1)
    schedule = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    pipeline = StableDiffusionControlNetImg2ImgPipeline(
        host.vae,
        host.prompts.text_encoder,
        host.prompts.tokenizer,
        host.unet,
        controlnet_file.load(network, host.unet),
        schedule,
        None,
        None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        image=encoded(host, frame),
        control_image=torch.from_numpy(frame[0]).permute(2, 0, 1)[None],
        prompt_embeds=cond.detach(),
        negative_prompt_embeds=uncond.detach(),
        strength=WORK.denoise,
        num_inference_steps=WORK.steps,
        guidance_scale=WORK.cfg_scale,
        controlnet_conditioning_scale=0.7,
        generator=torch.Generator().manual_seed(WORK.seed),
        output_type="np",
    ).images
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert np.abs(ours - made(video, frame)).max() > 0.02, "it has a say"
    weightless = replace(WORK, controlnet=str(network), controlnet_weight=0.0)
    assert np.array_equal(made(video, frame, weightless), made(video, frame))


def test_the_noise_of_the_whole_video_is_correlated(video, host, seen):
    frames = soft(4, 64, 128)
    work = replace(WORK, gamma=0.4, cfg_scale=1.0, context=2, context_overlap=0, denoise=0.25)
    made(video, frames, work, tiling=Tiling(64, 32))
    white = torch.stack([torch.randn(4, 8, 16, generator=torch.Generator().manual_seed(5 + i)) for i in range(4)])
    sigma = host_sigma(work)
    expected = (encoded(host, frames) + sigma * correlate(white, 0.4)) / (1 + sigma**2) ** 0.5
    for number, part in enumerate(seen.latents):
        first, left = 2 * (number // 3), 4 * (number % 3)
        torch.testing.assert_close(part, expected[first : first + 2, :, :, left : left + 8], atol=1e-4, rtol=0)


def host_sigma(work: VideoPass) -> float:
    """Return the noise of the first of the steps that are run, Euler."""
    schedule = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    schedule.set_timesteps(work.steps)
    return float(schedule.sigmas[work.steps - steps_run(work.steps, work.denoise)])


def test_gamma_leaves_the_first_frame_and_changes_the_others(video):
    plain, mixed = (made(video, soft(3), replace(WORK, gamma=gamma)) for gamma in (0.0, 0.3))
    np.testing.assert_allclose(plain[0], mixed[0], atol=1e-5)
    assert all(np.abs(a - b).max() > 0.01 for a, b in zip(plain[1:], mixed[1:], strict=True))


class Blocks(nn.Module):
    """A VAE that keeps every colour exactly, one for each 8x8 pixels, in place of one that was learned."""

    config = SimpleNamespace(scaling_factor=0.5)

    def encode(self, pixels: Tensor) -> SimpleNamespace:
        mean = F.pad(F.avg_pool2d(pixels, 8), (0, 0, 0, 0, 0, 1))
        return SimpleNamespace(latent_dist=SimpleNamespace(mean=mean))

    def decode(self, latents: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=F.interpolate(latents[:, :3], scale_factor=8))


@pytest.fixture
def _exact(host: Standalone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "vae", Blocks())


@pytest.mark.usefixtures("_exact")
def test_a_colour_between_two_bytes_survives(video):
    between = np.full((SIDE, SIDE, 3), 100.37 / 255, np.float32)
    kept = made(video, [between] * 2, masks=[np.zeros((SIDE, SIDE), np.float32)] * 2)
    np.testing.assert_allclose(kept * 255, 100.37, atol=1e-3)


@pytest.mark.usefixtures("_exact")
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_outside_of_the_mask_nothing_changes_and_inside_it_does(video, sampler):
    frames = [np.repeat(np.repeat(frame[::8, ::8], 8, 0), 8, 1) for frame in soft(2)]
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[16:48, 24:40] = 1
    after = made(video, frames, replace(WORK, sampler=sampler), masks=[mask, mask])
    changed = np.abs(after - np.stack(frames)).max(axis=(0, 3))
    assert changed[mask == 0].max() < 1e-4
    assert changed[mask == 1].max() > 0.1


@pytest.mark.parametrize("sampler", ["euler", "ddim", "dpmpp_2m"])
def test_outside_of_the_mask_each_step_begins_from_the_original_with_its_noise(video, host, seen, sampler):
    """So what is inside is painted beside what stays, at each level of noise."""
    frames = soft(1)
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[:, :32] = 1
    made(video, frames, replace(WORK, sampler=sampler, denoise=1.0, cfg_scale=1.0), masks=[mask])
    original = encoded(host, frames)[..., 4:]
    noise = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(5))[..., 4:]
    directions = torch.stack([original.flatten(), noise.flatten()], dim=1)
    for part in seen.latents:
        outside = part[..., 4:].flatten()
        weights = torch.linalg.lstsq(directions, outside[:, None]).solution
        assert (directions @ weights).flatten() == pytest.approx(outside, abs=1e-3)
        assert float(weights.square().sum()) == pytest.approx(1, abs=1e-2)


def test_a_soft_mask_is_averaged_to_latents(video, host):
    frames = soft(1)
    half = np.tile(np.array([1, 0], np.float32), (SIDE, SIDE // 2))
    latents: list[Tensor] = []
    decode = host.decode
    host.decode = lambda latent: latents.append(latent.clone()) or decode(latent)  # type: ignore[method-assign]
    try:
        for mask in (np.full((SIDE, SIDE), 0.5, np.float32), half):
            made(video, frames, masks=[mask])
    finally:
        del host.decode
    assert torch.equal(*latents)


def test_a_long_video_runs_in_windows_that_the_module_holds(video, files, seen):
    frames = soft(7)
    work = replace(WORK, motion_module=str(files.motion_module), context=3, context_overlap=1, denoise=0.25)
    moved = made(video, frames, work)
    assert moved.shape[0] == 7
    assert [len(call) for call in seen.latents] == [2 * 3] * 3
    alone = made(video, frames[:3], work)
    assert np.abs(alone[0] - moved[0]).max() < 1e-4, "the first window's own frames"
    assert np.abs(alone[2] - moved[2]).max() > 1e-3, "a frame that two windows share"


def test_the_motion_module_ties_frames_together(video, files):
    frames = soft(3)
    work = replace(WORK, motion_module=str(files.motion_module), gamma=0)
    moved = made(video, frames, work)
    assert np.abs(moved - made(video, frames, replace(WORK, gamma=0))).mean() > 0.01
    others = made(video, [frames[0], frames[2], frames[2]], work)
    assert np.abs(others[0] - moved[0]).max() > 1e-3


def test_windows_and_tiles_that_are_not_needed_change_nothing(video):
    frames = soft(3)
    plain = made(video, frames)
    assert np.array_equal(
        made(video, frames, replace(WORK, context=3, context_overlap=2), tiling=Tiling(SIDE, 32)), plain
    )


def test_windows_alone_change_frames_that_do_not_meet_by_rounding_only(video):
    frames = soft(5)
    np.testing.assert_allclose(
        made(video, frames, replace(WORK, context=2, context_overlap=1)), made(video, frames), atol=2e-3
    )


def test_the_canvas_is_denoised_tile_by_tile(video, seen):
    frames = soft(2, 64, 112)
    tiled = made(video, frames, replace(WORK, denoise=0.25), tiling=Tiling(64, 16))
    assert [call.shape for call in seen.latents] == [(2, 4, 8, 8)] * 4, "each tile without and with the prompt"
    assert tiled.shape == (2, 64, 112, 3)


def test_where_the_subject_is_not_the_prompt_elsewhere_is_used(video, host, files, seen):
    frames = soft(2, 64, 112)
    present = np.array([[True, False], [True, True]])
    work = replace(WORK, denoise=0.25, cfg_scale=1.0)
    made(video, frames, work, tiling=Tiling(64, 16, "a beach", present))
    with torch.no_grad():
        subject, beach = (
            host.prompts.encode(text, host.vectors([files.embedding]))[0] for text in (WORK.prompt, "a beach")
        )
    left, right = seen.texts
    assert all(torch.equal(text, subject) for text in left)
    assert torch.equal(right[0], beach)
    assert torch.equal(right[1], subject)


def test_a_prompt_elsewhere_may_be_shorter_by_chunks_and_not_longer(video, host, seen):
    frames, absent = soft(1), np.array([[False]])
    long = replace(WORK, prompt="cat " * 80, denoise=0.25, cfg_scale=1.0)
    made(video, frames, long, tiling=Tiling(SIDE, 16, "a beach", absent))
    with torch.no_grad():
        beach, nothing = (host.prompts.encode(text, {})[0] for text in ("a beach", ""))
    assert torch.equal(seen.texts[0][0], torch.cat([beach, nothing]))
    with pytest.raises(ValueError, match="elsewhere is longer than the prompt itself"):
        video.denoise(frames, replace(WORK, tiling=Tiling(SIDE, 16, "cat " * 80, absent)))


class Story(Sequence[Picture]):
    """Frames that are made when they are asked for; knows which were."""

    def __init__(self, frames: list[Picture]):
        self.frames, self.asked = frames, []

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, i: Any) -> Any:
        self.asked.append(i)
        return self.frames[i]


def test_frames_are_read_one_after_the_other_and_decoded_when_they_are_wanted(video, host, monkeypatch):
    story, decoded = Story(soft(3)), []
    decode = host.decode
    monkeypatch.setattr(host, "decode", lambda latent: decoded.append(1) or decode(latent))
    pictures = video.denoise(story, WORK)
    assert story.asked == [0], "its size is needed to see whether it can work"
    next(pictures)
    assert [i for i in story.asked[1:] if i < 3] == [0, 1, 2]
    assert len(decoded) == 1
    assert len(list(pictures)) == 2


def test_progress_rises_to_its_total(video):
    told: list[tuple[int, int]] = []
    made(video, soft(2), progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 8)  # 2 frames: encoded, denoised by 2 steps, decoded
    assert told[-1] == (8, 8)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_the_model_is_left_as_it_was_however_a_pass_ends(video, host, files, network):
    frames = soft(3, 64, 112)
    work = replace(WORK, motion_module=str(files.motion_module), context=2, context_overlap=1, controlnet=str(network))
    options: dict[str, Any] = {"tiling": Tiling(64, 16, "a beach", np.zeros((3, 2), bool))}
    state = fingerprint(host)
    plain = made(video, frames)
    made(video, frames, work, **options)
    with pytest.raises(Interrupted):
        made(video, frames, work, interrupted=after(6), **options)
    failing = host.unet.mid_block.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="by the test"):
        made(video, frames, work, **options)
    failing.remove()
    video.denoise(frames, replace(work, **options))  # and not asked for a frame
    assert fingerprint(host) == state
    assert np.array_equal(made(video, frames), plain)


def fail(*_: object) -> None:
    raise RuntimeError("by the test")


def fingerprint(host: Standalone) -> list[object]:
    return [
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in host.unet.modules()],
        ["forward" in vars(module) for module in host.unet.modules()],
        [float(parameter.double().sum()) for parameter in host.unet.parameters()],
    ]


def after(calls: int) -> Any:
    """Asked so many times it answers no; then yes."""
    left = [calls]

    def answer() -> bool:
        left[0] -= 1
        return left[0] < 0

    return answer


def test_an_interrupt_ends_it_inside_a_step_and_before_the_first_frame(video, seen):
    frames = soft(6)
    pictures = video.denoise(frames, replace(WORK, context=2, context_overlap=0, interrupted=after(6 + 4)))
    with pytest.raises(Interrupted):
        next(pictures)
    assert len(seen.latents) == 4, "three windows of the first step and one of the second"


WRONG = {
    "no frames": ([], {}, "no frames"),
    "bytes": ([np.zeros((64, 64, 3), np.uint8)], {}, "frames are float32"),
    "odd size": (soft(1, 60, 68), {}, "68x60; both sides must be multiples of 8, such as 64x56"),
    "alpha": ([np.zeros((64, 64, 4), np.float32)], {}, "frames are float32"),
    "masks": (soft(2), {"masks": [np.zeros((64, 64), np.float32)]}, "1 masks for 2 frames"),
    "tile below overlap": (soft(1), {"tiling": Tiling(32, 32)}, "Use larger tiles or a smaller overlap"),
    "odd tile": (soft(1), {"tiling": Tiling(60, 16)}, "must be multiples of 8, such as 576 and 128"),
    "presence": (soft(1), {"tiling": Tiling(64, 16, "", np.ones((1, 3), bool))}, r"\[1, 3\].*there are \[1, 1\]"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_what_cannot_work_is_refused_in_one_sentence_before_anything_is_computed(video, mistake):
    frames, options, sentence = WRONG[mistake]
    with pytest.raises(ValueError, match=sentence) as refusal:
        video.denoise(frames, replace(WORK, **options))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"denoise": 0.0}, "denoise is 0.0"),
        ({"denoise": 1.1}, "denoise is 1.1"),
        ({"steps": 0}, "steps is 0"),
        ({"gamma": 1.0}, "gamma is 1.0"),
        ({"sampler": "magic"}, "sampler is 'magic'; choose one of euler"),
        ({"context_overlap": 16}, "overlap is 16"),
        ({"motion_module": "missing.safetensors"}, "There is no motion module at missing"),
        ({"controlnet": "missing.pth"}, "There is no ControlNet at missing"),
    ],
)
def test_a_pass_that_cannot_work_is_refused(video, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        video.denoise(soft(1), replace(WORK, **change))


def test_a_window_that_the_module_does_not_hold_is_refused(video, tmp_path):
    short = tiny.motion_module(tmp_path, "v3")
    with pytest.raises(ValueError, match=r"33 frames are to be denoised together; .* holds at most 32"):
        video.denoise(soft(1) * 40, replace(WORK, motion_module=str(short), context=33))
    assert video.denoise(soft(1) * 20, replace(WORK, motion_module=str(short), context=33))


def test_a_frame_or_mask_of_another_size_is_refused_when_it_is_read(video):
    with pytest.raises(ValueError, match="Frame 1 is 72x64 .* and frame 0 is 64x64"):
        made(video, [*soft(1), *soft(1, 64, 72)])
    with pytest.raises(ValueError, match="Mask 0 is 72x64 .* it must be 64x64"):
        made(video, soft(1), masks=[np.zeros((64, 72), np.float32)])


def test_lanczos_is_always_there_and_keeps_colours_between_bytes(video):
    assert video.upscalers() == ["Lanczos"]
    between = np.full((12, 20, 3), 100.37 / 255, np.float32)
    for name in ("", "Lanczos"):
        large = video.enlarge(between, 2, name)
        assert large.shape == (24, 40, 3)
        assert large.dtype == np.float32
        np.testing.assert_allclose(large * 255, 100.37, atol=1e-3)
    with pytest.raises(ValueError, match="upscaler is 'magic', which is not there; choose one of Lanczos"):
        video.enlarge(between, 2, "magic")
    with pytest.raises(ValueError, match="scale is 0.5"):
        video.enlarge(between, 0.5, "")


def test_a_network_enlarges_in_tiles_without_a_seam_and_lanczos_makes_the_size(tmp_path, monkeypatch):
    """Spandrel is the WebUI's; here a network that repeats pixels stands for what it would read."""
    seen: list[torch.Size] = []

    class Network(nn.Module):
        scale, output_channels, holds = 4, 3, 512

        def forward(self, pixels: Tensor) -> Tensor:
            seen.append(pixels.shape)
            if pixels.shape[-1] > self.holds:
                raise RuntimeError("HIP error: out of memory")
            return F.interpolate(pixels, scale_factor=4)

    stub = ModuleType("spandrel")
    stub.__spec__ = SimpleNamespace(name="spandrel")  # type: ignore[assignment]
    stub.ImageModelDescriptor, stub.UnsupportedModelError = Network, KeyError  # type: ignore[attr-defined]
    stub.canonicalize_state_dict = lambda state: state  # type: ignore[attr-defined]
    stub.ModelLoader = lambda _device: SimpleNamespace(load_from_state_dict=lambda _: Network())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spandrel", stub)
    save_file({"a": torch.zeros(1)}, tmp_path / "4x-Test.safetensors")
    enlargers = Enlargers([tmp_path / "4x-Test.safetensors"], torch.device("cpu"))
    assert enlargers.names() == ["4x-Test", "Lanczos"]
    picture = soft(1, 264, 320)[0]
    fourfold = enlargers.enlarge(picture, 4, "4x-Test")
    np.testing.assert_allclose(fourfold, np.repeat(np.repeat(picture, 4, 0), 4, 1), atol=1e-6)
    assert max(max(shape[2:]) for shape in seen) == 256
    assert enlargers.enlarge(picture, 2, "").shape == (528, 640, 3)
    Network.holds = 100
    np.testing.assert_allclose(enlargers.enlarge(picture, 4, "4x-Test"), fourfold, atol=1e-6)
    assert seen[-1][-1] == 64
