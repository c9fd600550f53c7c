"""Beside other extensions a video is one video, or is refused by name before anything is computed."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.webui.server import Server, as_base64

MOTION = {"motion_module": "mm_v2", "frames": 4, "formats": []}
WINDOWS = {**MOTION, "frames": 6, "context": 4, "overlap": 1}
CHEAP = {"steps": 1, "cfg_scale": 1.0, "options": {"sd_vae_decode_method": "Approx cheap"}}


@pytest.fixture(autouse=True)
def _alone_again(server: Server) -> Iterator[None]:
    yield
    act(server)
    server.post("/probe/block", there=False).raise_for_status()


def act(server: Server, *what: str) -> None:
    """Let the stand-in do this from now on, and forget what it has seen."""
    server.post("/probe/company", what=list(what)).raise_for_status()


def refusal(server: Server, vcd: dict, peers: dict | None = None, **request: object) -> str:
    """Return the sentence of a refused request for which the UNet was not called."""
    server.get("/probe/unet")
    section = {"VCD": {"args": [{"enabled": True, **vcd}]}}
    answer = server.ask(None, alwayson_scripts=section | (peers or {}), **request)
    assert answer.status_code == 422, answer.text[:500]
    assert server.get("/probe/unet")["calls"] == 0
    sentence: str = answer.json()["detail"]
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("hook", ["process", "before_process_batch", "process_batch"])
def test_prompts_that_are_drawn_for_each_picture_are_one_for_each_video(server: Server, hook: str) -> None:
    act(server, hook)
    result = server.generate(MOTION, prompt="a __animal__", negative_prompt="a __animal__", n_iter=2, **CHEAP)
    first, second = server.get("/probe/company")["prompts"]
    assert first == ["a horse"] * 4
    # Of all prompts the second video has its own; one that is drawn for a batch begins anew.
    assert second == ["a bird" if hook == "process" else "a horse"] * 4
    if hook == "process":
        assert result.info["all_prompts"] == first + second
        assert result.info["all_negative_prompts"] == first + second
        assert result.infotext.startswith("a horse\nNegative prompt: a horse")


def test_the_prompts_of_hires_fix_are_one_for_each_video_as_well(server: Server) -> None:
    act(server, "process")
    hires = {
        "denoising_strength": 0.5,
        "enable_hr": True,
        "hr_scale": 1.25,
        "hr_upscaler": "Latent",
        "hr_prompt": "a large __animal__",
    }
    result = server.generate(MOTION, prompt="a __animal__", **hires, **CHEAP)
    assert all("Hires prompt: a large horse" in text for text in result.info["infotexts"])


def test_prompts_that_are_combined_make_a_video_each(server: Server) -> None:
    act(server, "combinations")
    result = server.generate({**MOTION, "formats": ["gif"]}, prompt="a __animal__", **CHEAP)
    assert server.get("/probe/company")["prompts"] == [[f"a {animal}"] * 4 for animal in ("horse", "cat", "fish")]
    assert len(result.videos) == 3


def test_a_variation_seed_varies_the_video_and_leaves_gamma_its_meaning(server: Server) -> None:
    act(server)
    server.post("/probe/record").raise_for_status()
    variation = {"subseed": 11, "subseed_strength": 0.4, "n_iter": 24, "width": 128}
    server.generate({**MOTION, "motion_module": "none", "gamma": 0.5}, **CHEAP | variation)
    assert server.get("/probe/company")["seeds"][:2] == [
        [[7, 8, 9, 10], [11, 12, 13, 14]],
        [[7, 8, 9, 10], [15, 16, 17, 18]],
    ]
    found = np.array(server.get("/probe/covariance/start")["matrix"])
    assert np.diagonal(found).mean() == pytest.approx(1, abs=0.1)
    # The videos share their seed's noise, so the deviation is that of few: 1.5% for 4 * 128 values.
    assert np.diagonal(found, 1).mean() == pytest.approx(0.5, abs=0.1)
    assert np.diagonal(found, 3).mean() == pytest.approx(0.125, abs=0.15)


ANIMATED = [{"enable": True}]


@pytest.mark.parametrize(
    ("vcd", "peers", "request_", "words"),
    [
        (MOTION, {"AnimateDiff": {"args": ANIMATED}}, {}, ["sd-webui-animatediff", "turn it off"]),
        ({**MOTION, "motion_module": "none", "tiled": True}, {"AnimateDiff": {"args": ANIMATED}}, {}, ["animatediff"]),
        (WINDOWS, {"Regional Prompter": {"args": [True]}}, {}, ["Regional Prompter", "Context"]),
        (MOTION, {"Regional Prompter": {"args": [True, "Latent"]}}, {}, ["Regional Prompter", "Attention"]),
        (WINDOWS, {"NegPiP": {"args": [True]}}, {"prompt": "a cat, (dog:-1)"}, ["NegPiP", "Context"]),
        (MOTION, {}, {"restore_faces": True}, ["faces", "Face VCD"]),
    ],
    ids=["another AnimateDiff", "its motion in a stage", "regions in windows", "regions of latents", "negpip", "faces"],
)
def test_what_cannot_go_with_a_video_is_refused_by_name(
    server: Server, vcd: dict, peers: dict, request_: dict, words: list[str]
) -> None:
    act(server)
    sentence = refusal(server, vcd, peers, **request_)
    assert all(word in sentence for word in words), sentence
    by_settings = "restore_faces" in request_
    assert by_settings or not server.get("/probe/company")["runs"], "nobody else puts anything into the model"


@pytest.mark.parametrize(
    ("vcd", "peers"),
    [
        ({**MOTION, "motion_module": "none"}, {"AnimateDiff": {"args": ANIMATED}}),
        (MOTION, {"AnimateDiff": {"args": [{"enable": False}]}}),
        (MOTION, {"Regional Prompter": {"args": [True]}, "NegPiP": {"args": [True]}}),
        (WINDOWS, {"NegPiP": {"args": [True]}}),
    ],
    ids=["its motion alone", "off", "one window", "no negative weight"],
)
def test_what_can_go_with_a_video_does(server: Server, vcd: dict, peers: dict) -> None:
    section = {"VCD": {"args": [{"enabled": True, **vcd}]}}
    result = server.generate(None, alwayson_scripts=section | peers, **CHEAP)
    assert result.frames.shape[0] == vcd["frames"]


def test_layers_that_an_extension_has_replaced_are_refused_in_windows_alone(server: Server) -> None:
    act(server, "layers")
    assert "probe replaces layers" in refusal(server, WINDOWS)
    assert server.generate(MOTION, **CHEAP).frames.shape[0] == 4


def test_a_block_that_an_extension_has_put_into_the_unet_is_refused(server: Server) -> None:
    server.post("/probe/block", there=True).raise_for_status()
    assert "the block ForeignMotion" in refusal(server, MOTION)


# Inpainting: the left half is painted anew.
MASK = np.zeros((64, 64, 3), np.uint8)
MASK[:, :32] = 255
PICTURE = np.full((64, 64, 3), 128, np.uint8)
INPAINT = {"path": "img2img", "init_images": [as_base64(PICTURE)], "mask": as_base64(MASK), "mask_blur": 0}


def test_latent_noise_as_masked_content_is_the_same_in_all_frames(server: Server) -> None:
    act(server)
    ask = {**INPAINT, "inpaint_full_res": False, **CHEAP, "denoising_strength": 0.3}
    server.generate({**MOTION, "gamma": 0.0}, **ask, inpainting_fill=2)
    server.generate({**MOTION, "gamma": 0.0}, **ask, inpainting_fill=1)
    noise, original = (np.array(alike) for alike in server.get("/probe/company")["alike"])
    for products in (noise, original):
        # Up to what the WebUI's encoder draws for each frame.
        assert products.min() == pytest.approx(products.max(), rel=0.05)


def test_soft_inpainting_is_refused_where_there_is_a_mask(server: Server) -> None:
    soft = {"Soft Inpainting": {"args": [True]}}
    assert "Soft inpainting" in refusal(server, MOTION, soft, **INPAINT)
    without = {key: value for key, value in INPAINT.items() if "mask" not in key}
    section = {"VCD": {"args": [{"enabled": True, **MOTION}]}}
    assert server.generate(None, alwayson_scripts=section | soft, **without, **CHEAP).frames.shape[0] == 4


def test_colour_correction_of_each_frame_is_refused(server: Server) -> None:
    with server.options(img2img_color_correction=True):
        assert "Apply color correction" in refusal(server, MOTION, path="img2img", init_images=INPAINT["init_images"])
        assert server.generate(MOTION, **CHEAP).frames.shape[0] == 4
