"""A video out of the real WebUI through its API."""

import numpy as np
import pytest

from tests.webui.server import Result, Server, as_base64
from vcd_ext import media
from vcd_ext.noise import covariance

MOTION = {"motion_module": "mm_v2", "frames": 4}
NOISE_ONLY = {"motion_module": "none", "frames": 4}
# For those that look at the noise alone: no pass without the prompt, and no decoder, which takes most of the time.
NO_PICTURES = {"cfg_scale": 1.0, "options": {"sd_vae_decode_method": "Approx cheap"}}


def lsb(a: np.ndarray, b: np.ndarray) -> int:
    """Return the largest difference of two videos in steps of 8-bit colour."""
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def vcd_part(infotext: str) -> str:
    """Return the entries of VCD; the WebUI's own ones may lack the hash of an embedding that it still has cached."""
    return ", ".join(entry for entry in infotext.split(", ") if entry.startswith("VCD "))


def patches(frames: np.ndarray) -> np.ndarray:
    """Mean colours of 16 x 16 patches."""
    return frames.reshape(len(frames), 4, 16, 4, 16, 3).mean(axis=(2, 4))


def test_a_request_becomes_a_video_whose_file_tells_how_it_was_made(server: Server) -> None:
    result = server.generate({**MOTION, "fps": 12.5, "gamma": 0.15, "formats": ["mp4", "gif"]})
    assert result.frames.shape == (4, 64, 64, 3)
    assert [path.suffix for path in result.videos] == [".mp4", ".gif"]
    for path in result.videos:
        clip = media.read(path)
        assert clip.frames.shape == (4, 64, 64, 3)
        assert clip.fps == 12.5
        assert clip.metadata["parameters"] == result.infotext
        # Random weights make pictures of noise, which no codec keeps pixel by pixel: compare patches.
        np.testing.assert_allclose(patches(clip.frames), patches(result.frames), atol=8)


def test_a_long_prompt_in_another_script_names_a_file_and_its_text(server: Server) -> None:
    options = {"samples_filename_pattern": "[seed]-[prompt]", "save_txt": True,
               "save_to_dirs": True, "directories_filename_pattern": "[prompt]"}  # fmt: skip
    ask = {**MOTION, "formats": ["mp4", "gif"], "tiled": True, "save_stages": True, "tiled_controlnet": "none"}
    result = server.generate(ask, prompt="雪の中を走る犬、" * 30, options=options)
    paths = sorted(server.data.rglob("*雪の中*"))
    names = [path for path in paths if path.is_file()]
    assert sorted(path.suffix for path in names) == [".gif", ".gif", ".mp4", ".mp4", ".txt", ".txt"]
    assert "VCD errors" not in result.extra
    assert sum("-t2v." in path.name for path in names) == 3
    [text] = [path for path in names if path.suffix == ".txt" and "-t2v" not in path.name]
    assert text.read_text() == media.read(text.with_suffix(".mp4")).metadata["parameters"] + "\n"


def test_the_motion_module_ties_the_frames_together(server: Server) -> None:
    apart = server.generate({**NOISE_ONLY, "gamma": 0.0})
    together = server.generate({**MOTION, "gamma": 0.0})
    assert lsb(apart.frames, together.frames) > 20
    alone = server.generate({**MOTION, "frames": 3, "gamma": 0.0})
    assert lsb(alone.frames, together.frames[:3]) > 0, "a fourth frame must show in the first three"


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"options": {"randn_source": "NV"}},
        {"sampler_name": "Euler a"},
        {"sampler_name": "DPM++ SDE"},
        {"prompt": "[a cat:a dog:0.5], tinyperson", "steps": 3},
        {"prompt": "a cat <lora:tinylora:1>"},
        {"options": {"CLIP_stop_at_last_layers": 2}},
    ],
    ids=["plain", "NV", "ancestral", "SDE", "editing and embedding", "LoRA", "clip skip"],
)
def test_gamma_0_without_a_module_is_the_plain_batch_bit_for_bit(server: Server, request_: dict) -> None:
    plain = server.generate(None, batch_size=4, **request_)
    video = server.generate({**NOISE_ONLY, "gamma": 0.0}, **request_)
    assert np.array_equal(plain.frames[-4:], video.frames)


def test_a_lora_shows_in_a_video(server: Server) -> None:
    without = server.generate(MOTION)
    with_lora = server.generate(MOTION, prompt="a photo of a cat<lora:tinylora:1>")
    assert lsb(without.frames, with_lora.frames) > 0
    assert np.array_equal(server.generate(MOTION).frames, without.frames)


def test_the_first_latents_of_32_seeds_have_the_covariance_of_equation_4(server: Server) -> None:
    seeds, values = 32, 4 * 8 * 8  # of a frame's latents
    server.post("/probe/record").raise_for_status()
    server.generate({"frames": 8, "gamma": 0.4, "formats": []}, n_iter=seeds, steps=1, **NO_PICTURES)
    found = server.get("/probe/covariance/start")
    assert found["videos"] == seeds
    expected = covariance(8, 0.4).numpy()
    # The product of two normal values with covariance c has the variance 1 + c^2, on the diagonal too.
    standard_error = np.sqrt((1 + expected**2) / (seeds * values))  # 0.011 to 0.016
    assert np.abs((found["matrix"] - expected) / standard_error).max() < 5


@pytest.mark.parametrize("sampler", ["Euler a", "LCM", "DPM++ SDE"])
def test_step_noise_is_correlated_on_request_only(server: Server, sampler: str) -> None:
    for asked, expected in ((True, 0.5), (False, 0.0)):
        server.post("/probe/record").raise_for_status()
        video = {"frames": 8, "gamma": 0.5, "step_noise": asked, "formats": []}
        server.generate(video, sampler_name=sampler, steps=5, **NO_PICTURES)
        matrix = np.array(server.get("/probe/covariance/step")["matrix"])
        neighbours = np.diagonal(matrix, 1).mean() / np.diagonal(matrix).mean()
        assert neighbours == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize("upscaler", ["Latent", "None"])
def test_hires_fix_enlarges_the_video_and_correlates_its_noise_as_well(server: Server, upscaler: str) -> None:
    server.post("/probe/record").raise_for_status()
    result = server.generate(
        {**MOTION, "gamma": 0.5},
        enable_hr=True,
        hr_scale=2,
        hr_upscaler=upscaler,
        denoising_strength=0.6,
    )
    assert result.frames.shape == (4, 128, 128, 3)
    assert media.read(result.videos[0]).frames.shape == (4, 128, 128, 3)
    found = server.get("/probe/covariance/start")
    assert found["videos"] == 2
    # The mean of both passes, 0.25 if one were not correlated; its standard error is about 0.02.
    assert np.diagonal(found["matrix"], 1).mean() == pytest.approx(0.5, abs=0.1)


def test_img2img_makes_a_video_of_a_picture(server: Server) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    ask = {"path": "img2img", "init_images": [as_base64(picture)], "denoising_strength": 0.7}
    plain = server.generate(None, batch_size=4, **ask)
    same = server.generate({**NOISE_ONLY, "gamma": 0.0}, **ask)
    # The WebUI draws the init latents from the encoder's posterior without a seed: two plain runs differ that much.
    assert lsb(plain.frames[-4:], same.frames) <= 1
    server.post("/probe/record").raise_for_status()
    moved = server.generate({**MOTION, "frames": 16, "gamma": 0.5}, **ask)
    assert moved.frames.shape == (16, 64, 64, 3)
    matrix = np.array(server.get("/probe/covariance/start")["matrix"])
    assert np.diagonal(matrix, 1).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("path", ["txt2img", "img2img"])
def test_samplers_use_the_schedule_that_motion_modules_were_trained_with(server: Server, path: str) -> None:
    picture = as_base64(np.zeros((64, 64, 3), np.uint8))
    ask = {"path": path} | ({"init_images": [picture]} if path == "img2img" else {})
    server.post("/probe/record").raise_for_status()
    server.generate(MOTION, **ask)
    server.generate(NOISE_ONLY, **ask)
    server.generate(None, **ask)
    linear = np.prod(1 - np.linspace(0.00085, 0.012, 1000))
    scaled = np.prod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
    expected = [((1 - a) / a) ** 0.5 for a in (linear, scaled, scaled)]
    assert server.get("/probe/sigmas") == pytest.approx(expected, rel=1e-3)


def test_img2img_takes_one_init_image_for_each_frame(server: Server) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), dtype=np.uint8)
    ask = {"path": "img2img", "init_images": [as_base64(p) for p in pictures], "denoising_strength": 0.3}
    assert server.generate(MOTION, **ask).frames.shape == (4, 64, 64, 3)
    refused = server.ask({**MOTION, "frames": 6}, **ask)
    assert refused.status_code == 422
    assert "4 init images" in refused.json()["detail"]


def test_batch_count_makes_several_videos_with_seeds_that_go_on(server: Server) -> None:
    two = server.generate(MOTION, n_iter=2)
    assert two.frames.shape[0] == 8
    assert [path.stem.split("-")[1] for path in two.videos] == ["7", "11"], "the seed is in the WebUI's file names"
    second = server.generate(MOTION, seed=7 + 4)
    assert np.array_equal(two.frames[4:], second.frames)
    assert media.read(two.videos[1]).metadata["parameters"] == second.infotext


def test_pasted_infotext_restores_every_setting(server: Server) -> None:
    chosen = {
        "motion_module": "mm_v3",
        "frames": 5,
        "context": 4,
        "overlap": 3,
        "fps": 6.5,
        "gamma": 0.33,
        "step_noise": True,
        "formats": ["webp", "png"],
        "identity": "tinyperson",
    }
    first = server.generate(chosen)
    again = Result(server.post("/sdapi/v1/txt2img", infotext=first.infotext).json())
    assert vcd_part(again.infotext) == vcd_part(first.infotext) != ""
    assert np.array_equal(again.frames, first.frames)


def test_frames_1_is_a_picture(server: Server) -> None:
    result = server.generate({**MOTION, "frames": 1})
    assert result.frames.shape == (1, 64, 64, 3)
    assert "VCD videos" not in result.extra


def test_an_xyz_plot_varies_gamma_frames_and_module(server: Server) -> None:
    info = server.get("/sdapi/v1/script-info")
    plot = next(script for script in info if script["name"] == "x/y/z plot" and not script["is_img2img"])
    axes = plot["args"][0]["choices"]
    labels = [label for label in axes if label.startswith("[VCD]")]
    assert {
        "[VCD] Gamma",
        "[VCD] Frames",
        "[VCD] Motion module",
        "[VCD] Motion LoRA",
        "[VCD] Face denoise",
        "[VCD] Tiled VCD",
    } <= {*labels}
    assert not {"[VCD] Enable", "[VCD] Video", "[VCD] Formats", "[VCD] CRF"} & {*labels}
    args = [arg.get("value") for arg in plot["args"]]
    args[0], args[1], args[3], args[6] = axes.index("[VCD] Gamma"), "0, 0.4", 0, 0
    result = server.generate(MOTION, script_name="x/y/z plot", script_args=args)
    tile = result.frames[0]
    assert tile.shape[1] >= 128, "a grid of two first frames"
    again = server.generate({**MOTION, "gamma": 0.4})
    assert again.frames.shape[0] == 4
    args[0], args[2] = axes.index("[VCD] Correlate step noise"), ["True", "False"]
    assert server.generate(MOTION, script_name="x/y/z plot", script_args=args).frames[0].shape[1] >= 128
    args[2] = ["True", "perhaps"]
    refused = server.ask(MOTION, script_name="x/y/z plot", script_args=args)
    assert "step_noise is 'perhaps'" in refused.text
