"""Video-to-video in the real WebUI: a real img2img of its own, with floats in and out."""

import base64
import io
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import torch

from tests.hosts.test_video import soft
from tests.waiting import PATIENCE, until
from tests.webui.server import Server, as_base64
from tests.webui.test_safety import check
from tests.webui.test_video import lsb
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import Tiling, VideoPass

WORK: dict[str, Any] = {
    "prompt": "a photo of a cat, tinyperson",
    "negative_prompt": "blurry",
    "steps": 4,
    "denoise": 0.5,
    "seed": 7,
    "cfg_scale": 7.0,
}


def packed(values: Any) -> str:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values))
    return base64.b64encode(buffer.getvalue()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.load(io.BytesIO(base64.b64decode(text)))


def ask(server: Server, frames: Any, work: dict[str, Any] | None = None, **request: Any) -> requests.Response:
    if "masks" in request:
        request["masks"] = packed(request["masks"])
    return server.post("/probe/video", frames=packed(frames), work=WORK | (work or {}), **request)


def made(server: Server, frames: Any, work: dict[str, Any] | None = None, **request: Any) -> np.ndarray:
    answer = ask(server, frames, work, **request)
    assert answer.status_code == 200, answer.text[:2000]
    return unpacked(answer.json()["frames"])


@pytest.fixture(scope="module")
def standalone(data: Path) -> StandaloneVideo:
    models = data / "models"
    host = Standalone.load(models / "Stable-diffusion" / "tiny.safetensors", device="cpu")
    return StandaloneVideo(host, [data / "embeddings" / "tinyperson.safetensors"])


MOVING = {"motion_module": "mm_v2", "context": 3, "context_overlap": 1}
MASK = np.zeros((64, 128), np.float32)
MASK[16:48, 20:100] = 1
PRESENT = [[True, False, True], [True, True, True], [False, True, True], [True, True, False], [False, False, False]]


@pytest.mark.parametrize(
    ("work", "options"),
    [
        ({"denoise": 1.0, "gamma": 0.0}, {}),
        ({"motion_module": "mm_v2", "gamma": 0.3}, {}),
        (MOVING, {}),
        ({}, {"masks": [MASK] * 5}),
        (MOVING, {"tiling": {"size": 64, "overlap": 16}}),
        ({}, {"tiling": {"size": 64, "overlap": 16, "elsewhere": "a beach", "present": PRESENT}}),
        ({**MOVING, "controlnet": "control_sd15_tile"}, {"tiling": {"size": 64, "overlap": 16}}),
        ({"controlnet": "other_sd15_tile.safetensors", "controlnet_weight": 0.5}, {}),
        ({"sampler": "DDIM"}, {}),
        ({"sampler": "DPM++ 2M Karras", "steps": 10, "denoise": 0.6}, {}),
        ({"sampler": "LCM", "steps": 5, "gamma": 0.3, "step_noise": True}, {"masks": [MASK] * 5}),
        ({"prompt": "tinyperson, " * 30}, {"tiling": {"size": 64, "overlap": 16, "present": PRESENT}}),
        ({"motion_module": "mm_v2"}, {"sides": (72, 88)}),
    ],
    ids=[
        *("all", "motion", "windows", "mask", "windows and tiles", "elsewhere", "ControlNet"),
        *("its extension's", "DDIM", "DPM++", "LCM", "two chunks", "odd latents"),
    ],
)
def test_both_hosts_make_the_same_video(
    server: Server, standalone: StandaloneVideo, data: Path, work: dict, options: dict
) -> None:
    sides = options.pop("sides", (64, 128))
    frames = soft(5, *sides)
    theirs = made(server, frames, work, **options)
    wanted = WORK | work
    names = {"DDIM": "ddim", "DPM++ 2M Karras": "dpmpp_2m", "LCM": "lcm"}
    wanted["sampler"] = names.get(work.get("sampler", ""), "")
    if "motion_module" in wanted:
        wanted["motion_module"] = str(data / "models/AnimateDiff/mm_v2.safetensors")
    if "controlnet" in wanted:
        [wanted["controlnet"]] = [str(path) for path in data.rglob(f"{Path(wanted['controlnet']).stem}.safetensors")]
    if "tiling" in options:
        tiling = dict(options["tiling"])
        present = tiling.pop("present", None)
        options = {"tiling": Tiling(**tiling, present=None if present is None else np.array(present))}
    ours = np.stack(list(standalone.denoise(frames, VideoPass(**wanted, **options))))
    assert theirs.shape == ours.shape == (5, *sides, 3)
    assert np.abs(theirs - ours).max() < 0.02 / 255
    assert np.abs(theirs - np.stack(frames)).mean() > 0.05, "nothing was denoised"


def test_without_motion_and_gamma_it_is_an_ordinary_img2img_of_the_webui(server: Server) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    # 3 * 0.7 is no whole number: there the WebUI runs as many steps as we do.
    ask = {"path": "img2img", "steps": 3, "denoising_strength": 0.7, "batch_size": 2}
    plain = server.generate(None, init_images=[as_base64(picture) for picture in pictures], **ask)
    work = {"prompt": "a photo of a cat", "steps": 3, "denoise": 0.7, "gamma": 0.0}
    ours = made(server, pictures.astype(np.float32) / 255, work)
    # The WebUI draws the init latents from the encoder's posterior without a seed; ours are its mean.
    assert lsb((ours * 255).astype(np.uint8), plain.frames[-2:]) <= 2


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("sampler", ["", "Euler a", "DPM++ 2M Karras", "DDIM", "UniPC", "LCM"])
def test_the_steps_that_the_strength_asks_for_are_run(server: Server, sampler: str, fixed: bool) -> None:
    with server.options(img2img_fix_steps=fixed):
        for steps, denoise, run in ((20, 0.2, 4), (10, 0.55, 6)):
            server.get("/probe/unet")
            made(server, soft(1), {"sampler": sampler, "steps": steps, "denoise": denoise})
            assert server.get("/probe/unet")["calls"] == run


def test_pictures_come_and_go_in_floating_point(server: Server, standalone: StandaloneVideo) -> None:
    bytes_ = np.round(soft(1)[0] * 255) / 255
    frames = [bytes_.astype(np.float32), (bytes_ + 0.4 / 255).astype(np.float32)]
    untouched = {"masks": [np.zeros((64, 64), np.float32)] * 2}
    theirs = made(server, frames, **untouched)
    assert np.abs(theirs[0] - theirs[1]).max() > 0.05 / 255
    ours = np.stack(list(standalone.denoise(frames, VideoPass("a cat", **untouched))))
    np.testing.assert_allclose(theirs, ours, atol=0.01 / 255)


def test_prompt_syntax_and_networks_are_the_webuis(server: Server) -> None:
    plain = made(server, soft(2), {"prompt": "a photo of a cat"})
    for prompt in ("a photo of a (cat:1.4)", "a photo of a cat <lora:tinylora:1>", "a photo AND a cat"):
        assert np.abs(made(server, soft(2), {"prompt": prompt}) - plain).max() > 1 / 255, prompt
    assert np.array_equal(made(server, soft(2), {"prompt": "a photo of a cat"}), plain)


def test_joined_prompts_in_windows_and_tiles_are_those_of_the_whole(server: Server) -> None:
    work = {"prompt": "a cat AND a dog :0.6", "sampler": "Euler a"}
    whole = made(server, soft(5), work)
    parts = made(server, soft(5), work | {"context": 2, "context_overlap": 1}, tiling={"size": 64, "overlap": 16})
    np.testing.assert_allclose(parts, whole, atol=2e-3)


def test_settings_of_the_webui_that_change_a_plain_picture_do_not_stop_a_pass(server: Server) -> None:
    frames = soft(5, 64, 128)
    tiling = {"size": 64, "overlap": 16, "elsewhere": "a beach", "present": PRESENT}
    long = {"negative_prompt": "blurry, " * 60}
    with server.options(pad_cond_uncond=True):
        padded = made(server, frames, long, tiling=tiling)
        everywhere = made(server, frames, long, tiling={"size": 64, "overlap": 16})
    assert np.abs(padded[4] - everywhere[4]).max() > 1 / 255, "the prompt elsewhere was not used"
    with server.options(hypertile_enable_unet=True, batch_cond_uncond=False, img2img_color_correction=True):
        server.generate(None)
        made(server, frames, {"motion_module": "mm_v2", "context": 3, "context_overlap": 1}, tiling=tiling)


def test_nothing_is_saved_and_the_last_picture_can_be_brought_back(server: Server, data: Path) -> None:
    server.generate(None, prompt="a lighthouse", save_images=True)
    saved = sorted(path for path in (data / "outputs").rglob("*") if path.is_file())
    made(server, soft(2))
    assert sorted(path for path in (data / "outputs").rglob("*") if path.is_file()) == saved
    assert (data / "params.txt").read_text().startswith("a lighthouse")


def test_progress_rises_to_its_total_through_two_passes_in_one_turn(server: Server) -> None:
    answer = ask(server, soft(2), passes=2).json()
    assert answer["progress"][0] == [0, 8]  # 2 frames: encoded, denoised by 2 steps, decoded
    assert [done for done, _ in answer["progress"]] == sorted({done for done, _ in answer["progress"]})
    assert answer["progress"][-1] == [8, 8]
    assert answer["jobs"] == ["vcd-video"]
    assert server.get("/sdapi/v1/progress?skip_current_image=true")["state"]["job"] == ""


@pytest.mark.parametrize("sampler", ["Heun", "DPM fast", "DPM adaptive"])
def test_progress_ends_at_its_total_also_where_the_sampler_makes_other_steps(server: Server, sampler: str) -> None:
    told = ask(server, soft(2), {"sampler": sampler}).json()["progress"]
    assert told == sorted(told)
    assert told[-3:] == [[6, 8], [7, 8], [8, 8]]  # denoised, then decoded one by one


def test_a_job_of_the_webui_runs_a_pass_of_its_own_at_its_end(server: Server) -> None:
    frames = soft(3)
    alone = made(server, frames, {"motion_module": "mm_v2"})
    request = {"frames": packed(frames), "work": WORK | {"motion_module": "mm_v2"}}
    server.post("/probe/video/inside", **request).raise_for_status()
    plain = server.generate({"motion_module": "mm_v2", "frames": 4})
    assert np.array_equal(unpacked(server.get("/probe/video/inside")["frames"]), alone)
    assert np.array_equal(server.generate({"motion_module": "mm_v2", "frames": 4}).frames, plain.frames)


HUNG = MOVING | {"controlnet": "control_sd15_tile"}
TILED = {"tiling": {"size": 64, "overlap": 16, "elsewhere": "a beach", "present": PRESENT}}


@pytest.mark.parametrize("stop_after", [None, 2, 5, 12])
def test_the_model_is_left_as_it_was_after_a_pass_and_after_an_interrupt(
    server: Server, before: tuple, stop_after: int | None
) -> None:
    answer = ask(server, soft(5, 64, 128), HUNG, stop_after=stop_after, **TILED)
    assert answer.status_code == (200 if stop_after is None else 409)
    check(server, before)


@pytest.mark.parametrize("call", [0, 9])
def test_after_an_exception_inside_the_unet(server: Server, before: tuple, call: int) -> None:
    server.post("/probe/raise", after=call).raise_for_status()
    answer = ask(server, soft(5, 64, 128), HUNG, **TILED)
    assert answer.status_code == 500
    assert "the UNet failed" in answer.text
    check(server, before)


@pytest.mark.parametrize("button", ["interrupt", "skip"])
def test_the_webuis_buttons_end_a_pass(server: Server, before: tuple, button: str) -> None:
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask(server, soft(8), {"steps": 900, "denoise": 1.0})))
    thread.start()
    until(lambda: server.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"] >= 2)
    server.post(f"/sdapi/v1/{button}").raise_for_status()
    thread.join(PATIENCE)
    assert answers[0].status_code == 409
    check(server, before)


@pytest.mark.parametrize(
    ("frames", "work", "request_", "sentence"),
    [
        (soft(1, 64, 68), {}, {}, "The frames are 68x64; both sides must be multiples of 8"),
        ([np.zeros((64, 64, 3), np.uint8)], {}, {}, "frames are float32"),
        (soft(1), {"sampler": "magic"}, {}, "sampler is 'magic', which the WebUI does not have; choose one of"),
        (soft(1), {"sampler": "Euler magic"}, {}, "sampler is 'Euler magic'"),
        (soft(1), {"motion_module": "missing"}, {}, "motion_module is 'missing'"),
        (soft(1), {"controlnet": "missing"}, {}, "controlnet is 'missing', which is not in"),
        (soft(1) * 40, {"motion_module": "mm_v2", "context": 33}, {}, "holds at most 32. Use a window of up to 32"),
        (soft(1), {"denoise": 0.0}, {}, "denoise is 0.0"),
        (soft(1), {"prompt": "a AND b"}, {"tiling": {"size": 64, "overlap": 8, "present": [[False]]}}, "joins parts"),
        (soft(1), {"prompt": "[a:b:2]"}, {"tiling": {"size": 64, "overlap": 8, "present": [[False]]}}, "changes while"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_in_one_sentence(
    server: Server, before: tuple, frames: Any, work: dict, request_: dict, sentence: str
) -> None:
    answer = ask(server, frames, work, **request_)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    check(server, before)


def test_a_special_checkpoint_is_refused(server: Server) -> None:
    flags = server.post("/probe/pretend", is_sdxl=True).json()
    try:
        answer = ask(server, soft(1))
    finally:
        server.post("/probe/pretend", **flags).raise_for_status()
    assert answer.status_code == 422
    assert "an SDXL model" in answer.json()["detail"]


def _esrgan(path: Path) -> None:
    """Write a network of the ESRGAN family that doubles pictures, small and random, in its original key names."""
    generator = torch.Generator().manual_seed(0)
    width, growth = 8, 4
    shapes = {"model.0": (width, 3), "model.1.sub.1": (width, width), "model.3": (width, width)}
    for block in (1, 2, 3):
        for number in range(1, 6):
            inputs, outputs = width + growth * (number - 1), growth if number < 5 else width
            shapes[f"model.1.sub.0.RDB{block}.conv{number}.0"] = (outputs, inputs)
    shapes |= {"model.5": (width, width), "model.7": (3, width)}
    state = {}
    for name, (outputs, inputs) in shapes.items():
        state[f"{name}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=generator) / (3 * inputs**0.5)
        state[f"{name}.bias"] = torch.zeros(outputs)
    state["model.7.bias"] += 0.5
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)


def test_the_webuis_networks_enlarge_and_lanczos_does_it_without_bytes(server: Server, data: Path) -> None:
    _esrgan(data / "models/ESRGAN/tinynet.pth")
    names = server.get("/probe/upscalers")
    assert names[0] == "tinynet"
    assert "Lanczos" in names
    assert names.index("Lanczos") < names.index("R-ESRGAN 4x+"), "what must be fetched comes behind it"
    picture = soft(1, 44, 60)[0]
    for name in ("tinynet", ""):
        answer = server.post("/probe/enlarge", picture=packed(picture), scale=2, upscaler=name)
        large = unpacked(answer.json())
        assert large.shape == (88, 120, 3)
        assert large.dtype == np.float32
    between = np.full((16, 16, 3), 100.37 / 255, np.float32)
    answer = server.post("/probe/enlarge", picture=packed(between), scale=2, upscaler="Lanczos")
    np.testing.assert_allclose(unpacked(answer.json()) * 255, 100.37, atol=1e-3)
    refused = server.post("/probe/enlarge", picture=packed(between), scale=2, upscaler="magic")
    assert refused.status_code == 422
    assert "upscaler is 'magic'" in refused.json()["detail"]
