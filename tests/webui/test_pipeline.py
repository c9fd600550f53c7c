"""T2V, Face VCD and Tiled VCD with one click: in one request, one queue, and what is finished is kept."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests import tiny
from tests.webui.server import Result, Server, as_base64
from tests.webui.test_page import choose, fill, opened, set_number
from tests.webui.test_safety import check
from tests.webui.test_video_tabs import walk
from vcd_ext import media
from vcd_ext.settings import VideoSettings, describe, from_infotext

SMALL = {"face_size": 64, "face_min_face": 8, "tiled_tile": 128, "tiled_tile_overlap": 32, "tiled_upscaler": "Lanczos"}
MOTION = {"motion_module": "mm_v2", "frames": 4, "identity": "tinyperson"}
BOTH = {**MOTION, **SMALL, "face": True, "tiled": True}  # calls of the UNet with two steps: 2, 2 and 1
MIDDLE, BORDER = np.s_[:, 28:36, 28:36], np.s_[:, :4]


pytestmark = pytest.mark.usefixtures("_a_face_in_each_picture")


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Page]:
    yield from opened(server)


@pytest.fixture(scope="module")
def plain(server: Server) -> Result:
    """Return the video without what may follow it."""
    return server.generate({**MOTION, "formats": ["webm"]})


def notes(result: Result) -> list[str]:
    """Return what is told of a run, but for the ControlNet that Tiled VCD takes if one is there."""
    return [note for note in result.extra.get("VCD notes", []) if "ControlNet" not in note]


def entries(infotext: str) -> dict[str, str]:
    line = infotext.splitlines()[-1]
    return {key: value for key, _, value in (entry.partition(": ") for entry in line.split(", "))}


def restored(infotext: str) -> dict[str, Any]:
    """Return the settings of the section that pasting gives, of those that are not usual."""
    found = {name: from_infotext(name, entries(infotext)) for name in describe(VideoSettings)}
    usual = vars(VideoSettings())
    return {name: value for name, value in found.items() if value is not None and value != usual[name]}


def test_the_consoles_total_progress_ends_full(server: Server) -> None:
    before = len(server.log.read_text())
    server.generate({**BOTH, "formats": []}, steps=3)
    told = re.findall(r"Total progress: +(\d+)%[^\r\n]*?(\d+)/(\d+)", server.log.read_text()[before:])
    assert told[-1] == ("100", "7", "7"), "3 of the generation, 3 of the faces, 1 of the tiles"


def test_one_request_generates_repairs_and_enlarges(server: Server, before: tuple, plain: Result) -> None:
    server.post("/probe/parts").raise_for_status()
    result = server.generate({**BOTH, "save_stages": True, "formats": ["webm", "png"]}, save_images=True)
    assert server.get("/probe/parts") == [8, 8, 16, 16, 8], "8 frames are repaired, as the 4 go back and forth"
    assert result.frames.shape == (4, 128, 128, 3), "the answer's images are the final ones"
    final, *earlier = result.extra["VCD videos"]
    assert [video["stage"] for video in earlier] == ["Face VCD", "T2V VCD"]
    stem = Path(final["path"]).stem
    assert [Path(video["path"]).name for video in earlier] == [f"{stem}-face.webm", f"{stem}-t2v.webm"]
    assert media.read(final["path"]).frames.shape == (4, 128, 128, 3)
    repaired, generated = (media.read(video["path"]) for video in earlier)
    assert np.array_equal(generated.frames, media.read(plain.videos[0]).frames)
    assert not np.array_equal(repaired.frames, generated.frames)
    assert notes(result) == result.extra.get("VCD errors", []) == []

    used = {"tiled_controlnet": "control_sd15_tile.safetensors"}  # by 'auto'
    wanted = {**BOTH, **used, "enabled": True, "save_stages": True, "formats": ("webm", "png")}
    assert restored(result.infotext) == wanted
    assert "VCD tiled" not in repaired.metadata["parameters"]
    assert restored(generated.metadata["parameters"]).keys() == {"enabled", "motion_module", "frames", "identity",
                                                                 "formats"}  # fmt: skip
    told = server.get("/probe/told")
    texts = [text for text, _, _ in told]
    assert texts[0] == "T2V VCD, stage 1 of 3"
    assert texts[2].startswith("Face VCD: repairing face 1, ")
    assert texts[3].endswith("left (stage 2 of 3)")
    assert texts[4].startswith("Tiled VCD: enlarging and painting, ")
    assert [job for _, *job in told] == [[0, 3], [0, 3], [1, 3], [1, 3], [2, 3]]
    assert server.get("/sdapi/v1/progress?skip_current_image=true")["state"]["job"] == ""
    check(server, before)


def test_faces_have_a_prompt_and_tiles_a_controlnet_of_their_own(server: Server, before: tuple) -> None:
    folder, third = server.data / "models/ControlNet/mine", "third_sd15_tile.safetensors"
    tiny.controlnet(folder, "third_sd15_tile", seed=2)
    controlled = {**BOTH, "tiled_controlnet": f"mine/{third}", "tiled_controlnet_weight": 0.5}
    try:
        own = server.generate({**controlled, "face_prompt": "close up of tinyperson, asleep", "save_stages": True})
        # Without the folder, as its infotext names it.
        again = server.generate({**controlled, "tiled_controlnet": third, "save_stages": True})
    finally:
        shutil.rmtree(folder)
    assert f"ControlNet: {third}, with weight 0.5." in " ".join(own.extra["VCD notes"])
    assert 'VCD face prompt: "close up of tinyperson, asleep"' in own.infotext
    for result in (own, again):
        assert entries(result.infotext)["VCD tiled controlnet"] == third
        assert entries(result.infotext)["VCD tiled controlnet weight"] == "0.5"
    (face, first), (other, same) = ([media.read(video["path"]).frames for video in result.extra["VCD videos"][1:]]
                                    for result in (own, again))  # fmt: skip
    # libx264 does not always encode the same frames to the same bytes.
    assert np.abs(first.astype(int) - same).mean() < 1, "the video itself has its own prompt"
    assert not np.array_equal(face[MIDDLE], other[MIDDLE])
    without = server.generate({**BOTH, "tiled_controlnet": "none"})
    assert entries(without.infotext)["VCD tiled controlnet"] == "none"
    assert not np.array_equal(without.frames, again.frames)
    check(server, before)


@pytest.mark.parametrize(
    ("calls", "stage", "sentences"),
    [
        (1, "T2V VCD", ["Stopped before Face VCD and Tiled VCD."]),
        (3, "Face VCD", ["Face VCD: Stopped: no face is finished; everything else is as it was.",
                         "Stopped before Tiled VCD."]),
        (5, "Tiled VCD", ["Tiled VCD: Stopped: 0 of 4 frames are finished."]),
    ],
)  # fmt: skip
def test_an_interrupt_keeps_what_is_finished(
    server: Server, before: tuple, plain: Result, calls: int, stage: str, sentences: list[str]
) -> None:
    server.post("/probe/parts", interrupt_after=calls).raise_for_status()
    result = server.generate(BOTH)
    assert len(server.get("/probe/parts")) == calls, "it ends at once"
    assert notes(result) == sentences
    assert result.frames.shape == (4, 64, 64, 3)
    assert len(result.videos) == 1
    assert ("VCD face" in result.infotext) == (stage == "Tiled VCD")
    assert "VCD tiled" not in result.infotext
    changed = np.abs(result.frames.astype(int) - plain.frames)
    if stage == "Face VCD":
        assert not changed.any()
    if stage == "Tiled VCD":
        assert changed[MIDDLE].any()
        assert not changed[BORDER].any(), "what is no face is the generated video's, bit for bit"
    check(server, before)


@pytest.mark.parametrize(("calls", "stage"), [(2, "Face VCD"), (4, "Tiled VCD")])
def test_an_error_keeps_the_video_before_it_and_gives_one_sentence(
    server: Server, before: tuple, plain: Result, calls: int, stage: str
) -> None:
    server.post("/probe/raise", after=calls).raise_for_status()
    result = server.generate(BOTH)
    reason = "RuntimeError: probe: the UNet failed"
    assert result.extra["VCD errors"] == [f"{stage} failed, and the video before it is kept. {reason}"]
    assert result.frames.shape == (4, 64, 64, 3)
    assert np.array_equal(result.frames, plain.frames) == (stage == "Face VCD")
    check(server, before)


def test_too_little_memory_in_one_tile_leads_to_shorter_windows(server: Server, before: tuple) -> None:
    server.post("/probe/raise", after=4, words="CUDA out of memory. Tried to allocate 2 GiB").raise_for_status()
    result = server.generate({**BOTH, "frames": 8})
    assert notes(result) == [
        "Tiled VCD: The memory was too small; it goes on with windows of 4 frames and tiles of 128."
    ]
    assert result.frames.shape == (8, 128, 128, 3)
    assert result.extra.get("VCD errors", []) == []
    check(server, before)


def test_a_skip_ends_a_stage_and_the_others_go_on(server: Server, before: tuple, plain: Result) -> None:
    server.post("/probe/parts", skip_after=3).raise_for_status()
    result = server.generate({**BOTH, "save_stages": True}, n_iter=2)
    assert len(server.get("/probe/parts")) == 2 + 1 + 1 + 5
    assert result.frames.shape == (8, 128, 128, 3)
    assert notes(result) == ["Video 1: Face VCD: Stopped: no face is finished; everything else is as it was."]
    stages = [video.get("stage", "") for video in result.extra["VCD videos"]]
    assert stages == ["", "T2V VCD", "", "Face VCD", "T2V VCD"]
    texts = result.info["infotexts"]
    assert ["VCD face" in texts[i] for i in (0, 4)] == [False, True]
    second = server.generate(BOTH, seed=7 + 4)  # the second video's own seed
    assert np.array_equal(second.frames, result.frames[4:])
    check(server, before)


@pytest.mark.parametrize(
    ("calls", "done", "sentences"),
    [
        (1, 2, ["Stopped before Face VCD and Tiled VCD."]),
        (3, 4, ["Stopped before Tiled VCD."]),
        (5, 5, []),
    ],
)
def test_interrupt_after_current_ends_the_stage_in_which_it_is_pressed(
    server: Server, before: tuple, calls: int, done: int, sentences: list[str]
) -> None:
    server.post("/probe/parts", stop_after=calls).raise_for_status()
    result = server.generate(BOTH, n_iter=2)
    assert len(server.get("/probe/parts")) == done, "the stage is finished, and no other video is begun"
    assert notes(result) == [f"Video 1: {sentence}" for sentence in sentences]
    assert result.frames.shape == ((4, 64, 64, 3) if sentences else (4, 128, 128, 3))
    assert ("VCD face" in result.infotext) == (calls > 1)
    check(server, before)


def test_a_drawn_video_is_made_again_repaired_and_enlarged_in_img2img(server: Server, before: tuple) -> None:
    source = walk(server.data / "outputs" / "again.mp4")
    vcd = {**SMALL, "video": str(source), "frames": 2, "face": True, "face_detector": "drawn", "tiled": True}
    size = {"denoising_strength": 0.01, "steps": 2, "width": 128, "height": 128}
    server.post("/probe/face", there=False).raise_for_status()
    try:
        result = server.generate({**vcd, "tiled_tile": 256}, "img2img", init_images=[as_base64(before[1][0])], **size)
    finally:
        server.post("/probe/face", there=True).raise_for_status()
    assert result.frames.shape == (2, 256, 256, 3)
    assert result.extra.get("VCD errors", []) == []
    check(server, before)


@pytest.mark.parametrize(
    ("vcd", "sentence"),
    [
        ({"face": 1}, "face is 1; it must be true or false."),
        ({"face_denoise": 2}, "face_denoise is 2.0; it must be from 0.01 to 1."),
        ({"tiled_upscaler": "magic"}, "upscaler is 'magic', which is not there; choose one of "),
        ({"tiled_controlnet": "magic"}, "controlnet is 'magic', which is not in "),
        ({"tiled_controlnet_weight": 3}, "tiled_controlnet_weight is 3.0; it must be from 0 to 2."),
        ({"face_prompt": 1}, "face_prompt is 1; it must be a text."),
        ({"tiled_tile_overlap": 128}, "Tiled VCD: tile_overlap is 128, which is no less than the tiles themselves"),
        ({"face_people": "rex"}, "Face VCD: People has 'rex', in which no face gets its words"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_generated(server: Server, vcd: dict, sentence: str) -> None:
    server.get("/probe/unet")
    answer = server.ask({**BOTH, **vcd})
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert server.get("/probe/unet")["calls"] == 0


def test_a_controlnet_that_does_not_fit_is_refused_before_anything_is_generated(server: Server) -> None:
    lora = server.data / "models/ControlNet/lora_sd15_tile.safetensors"
    shutil.copy(server.data / "models/Lora/tinylora.safetensors", lora)
    try:
        server.get("/probe/unet")
        answer = server.ask({**BOTH, "tiled_controlnet": lora.name})
        assert answer.status_code == 422
        assert "lora_sd15_tile.safetensors is a LoRA, not a ControlNet for SD1.5." in answer.json()["detail"]
        assert server.get("/probe/unet")["calls"] == 0
        result = server.generate(BOTH)
    finally:
        lora.unlink()
    assert result.extra.get("VCD errors", []) == [], "by itself it takes one that fits"


def test_ticking_the_boxes_and_pressing_generate_plays_the_large_video(page: Page, server: Server) -> None:
    page.locator("#vcd_txt2img .label-wrap").first.click()
    choose(page, "motion_module", "mm_v2")
    set_number(page, "frames", "4")
    for name in ("face", "tiled", "save_stages"):
        page.locator(f"#vcd_txt2img_{name} input").check()
    page.locator("#vcd_txt2img_stages .label-wrap").click()
    for name in ("face_min_face", "face_size", "tiled_tile", "tiled_tile_overlap"):
        set_number(page, name, str(SMALL[name]))
    choose(page, "tiled_upscaler", "Lanczos")
    choose(page, "tiled_controlnet", "other_sd15_tile")
    set_number(page, "tiled_controlnet_weight", "0.5")
    face_prompt = page.locator("#vcd_txt2img_face_prompt textarea, #vcd_txt2img_face_prompt input").first
    face_prompt.fill('photo of a cat, "asleep": in bed')
    page.locator("#txt2img_generate").click()
    page.locator("#vcd_txt2img_player video").first.wait_for()
    page.wait_for_function("document.querySelector('#vcd_txt2img_player video').videoWidth == 128")
    expect(page.locator("#vcd_txt2img_player figure")).to_have_count(3)
    expect(page.locator("#vcd_txt2img_player.prose")).to_contain_text("Before that: Face VCD")
    expect(page.locator("#html_info_txt2img.prose")).to_contain_text("VCD tiled: True")
    assert page.locator("#txt2img_gallery .thumbnails button").count() == 4

    infotext = page.locator("#html_info_txt2img.prose").inner_text()
    for name in ("face", "tiled"):
        page.locator(f"#vcd_txt2img_{name} input").uncheck()
    set_number(page, "face_size", "512")
    choose(page, "tiled_controlnet", "none")
    face_prompt.fill("")
    fill(page, "prompt", infotext.replace("\nSave", ""), area="textarea")
    page.locator("#txt2img_tools #paste").click()
    for name in ("face", "tiled"):
        expect(page.locator(f"#vcd_txt2img_{name} input")).to_be_checked()
    expect(page.locator("#vcd_txt2img_face_size input[type=number]")).to_have_value("64")
    expect(page.locator("#vcd_txt2img_tiled_upscaler input").first).to_have_value("Lanczos")
    expect(page.locator("#vcd_txt2img_tiled_controlnet input").first).to_have_value("other_sd15_tile.safetensors")
    expect(page.locator("#vcd_txt2img_tiled_controlnet_weight input[type=number]")).to_have_value("0.5")
    expect(face_prompt).to_have_value('photo of a cat, "asleep": in bed')


def test_hypertile_of_an_earlier_picture_stops_no_stage(server: Server) -> None:
    """The last test: hypertile's functions stay on the model's layers, where fingerprints find them."""
    with server.options(hypertile_enable_unet=True):
        server.generate(None)
    result = server.generate(BOTH)
    assert result.extra.get("VCD errors", []) == []
    assert result.frames.shape == (4, 128, 128, 3)
