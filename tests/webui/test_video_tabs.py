"""The tabs Face VCD and Tiled VCD of the real WebUI in Chromium, and their API: from a video to a better one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import Page, expect

from tests import tiny
from tests.browser import browsed
from tests.waiting import until
from tests.webui.server import Server
from vcd_ext import media
from vcd_ext.media import Clip
from vcd_ext.settings import FaceSettings, TiledSettings, TrainSettings, default

FRAMES, SIDE = 4, 128
FACES = {"min_face": 8, "min_track": 2, "size": 96, "seed": 3}


def walk(path: Path) -> Path:
    """Return a face that moves a little, 8 frames a second: an astronaut's (NASA, public domain)."""
    photo = Image.fromarray(skimage.data.astronaut()[:256, 100:356])
    picture = np.asarray(photo.resize((SIDE, SIDE)))
    return media.write(path, Clip(np.stack([np.roll(picture, i, axis=1) for i in range(FRAMES)]), 8))


@pytest.fixture(scope="module")
def misfit(server: Server) -> Iterator[str]:
    """Put a ControlNet Tile in place for larger checkpoints than the one that is loaded."""
    file = tiny.controlnet(server.data / "models/ControlNet", "wide_sd15_tile", width=64)
    yield file.name
    file.unlink()


@pytest.fixture(scope="module")
def page(server: Server, misfit: str) -> Iterator[Page]:
    with browsed(server.url, height=1300) as shown:
        yield shown


def open_tab(page: Page, title: str) -> None:
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    page.locator("#vcd_tabs > .tab-nav button", has_text=title).click()


def set_number(page: Page, tab: str, name: str, value: Any) -> None:
    field = page.locator(f"#vcd_{tab}_{name} input[type=number]").first
    field.fill(str(value))
    field.press("Tab")


def choose(page: Page, tab: str, name: str, value: str) -> None:
    page.locator(f"#vcd_{tab}_{name} input").first.click()
    page.locator(f"#vcd_{tab}_{name} li", has_text=value).first.click()


def says(page: Page, tab: str, words: str) -> None:
    expect(page.locator(f"#vcd_{tab}_panel.prose")).to_contain_text(words)


def test_each_tab_has_its_own_defaults(page: Page, server: Server) -> None:
    wrong: list[tuple[str, str, float]] = []
    for tab, cls in (("train", TrainSettings), ("face", FaceSettings), ("tiled", TiledSettings)):
        page.locator(f"#vcd_{tab}_start").wait_for(state="attached")  # now everything of the page is there
        for name, kind in get_type_hints(cls).items():
            if kind in (int, float):
                shown = float(page.locator(f"#vcd_{tab}_{name} input[type=number]").first.input_value())
                wrong += [(tab, name, shown)] if shown != pytest.approx(default(cls, name)) else []
    assert wrong == []
    for tab in ("face", "tiled"):  # and not the damaged file that comes before it, nor those that are refused
        assert page.locator(f"#vcd_{tab}_motion_module input").first.input_value() == "mm_v2.safetensors"
    saved = json.loads((server.data / "ui-config.json").read_text())
    assert saved["customscript/vcd_tiled/vcd/Denoise/value"] == 0.2
    assert saved["customscript/vcd_face/vcd/Denoise/value"] == 0.8
    assert not [key for key in saved if key.startswith("customscript/vcd_face") and "Motion module" in key]


def test_a_dropped_video_gets_its_face_repaired(page: Page, server: Server, tmp_path: Path) -> None:
    before = server.generate(None).frames
    open_tab(page, "Face VCD")
    page.locator("#vcd_face_file input[type=file]").set_input_files(walk(tmp_path / "walk.mp4"))
    page.locator("#vcd_face_about video").wait_for()
    page.locator("#vcd_face_prompt textarea").fill("photo of a dog")
    choose(page, "face", "identity", "tinyperson")
    choose(page, "face", "motion_module", "mm_v2")
    set_number(page, "face", "steps", 2)
    page.locator("#vcd_face_advanced .label-wrap").click()
    for name, value in FACES.items():
        set_number(page, "face", name, value)
    page.locator("#vcd_face_advanced .label-wrap").click()

    page.locator("#vcd_face_find").click()
    page.locator("#vcd_face_sheet img").wait_for()
    page.locator("#vcd_face_start").click()
    says(page, "face", "Face VCD of walk.mp4 is ready.")
    page.wait_for_function("document.querySelector('#vcd_face_result .vcd-after').currentTime > 0")
    page.wait_for_function("document.querySelector('#vcd_face_result .vcd-before').currentTime > 0")

    result = media.read(server.data / "outputs" / "vcd" / "walk-face.mp4")
    assert result.frames.shape == (FRAMES, SIDE, SIDE, 3)
    assert result.fps == 8
    infotext = result.metadata["parameters"]
    for words in ("photo of a dog", "Face VCD identity: tinyperson", "Face VCD motion module: mm_v2.safetensors"):
        assert words in infotext
    assert np.array_equal(server.generate(None).frames, before), "the checkpoint is as it was"


def test_the_result_is_sent_on_and_enlarged(page: Page, server: Server) -> None:
    before = server.generate(None).frames
    open_tab(page, "Face VCD")
    page.locator("#vcd_face_result .vcd-send").click()
    page.locator("#vcd_tiled_about video").wait_for()
    choose(page, "tiled", "motion_module", "mm_v2")
    set_number(page, "tiled", "steps", 2)
    choose(page, "tiled", "upscaler", "Lanczos")
    choose(page, "tiled", "controlnet", "none")
    page.locator("#vcd_tiled_start").click()
    says(page, "tiled", "Tiled VCD of walk-face.mp4 is ready.")
    page.wait_for_function("document.querySelector('#vcd_tiled_result .vcd-after').videoWidth == 256")
    result = media.read(server.data / "outputs" / "vcd" / "walk-face-tiled.mp4")
    assert result.frames.shape == (FRAMES, 2 * SIDE, 2 * SIDE, 3)
    for words in ("Face VCD denoise: 0.8", "Tiled VCD denoise: 0.2", "Tiled VCD upscaler: Lanczos"):
        assert words in result.metadata["parameters"]
    assert "controlnet" not in result.metadata["parameters"]
    assert np.array_equal(server.generate(None).frames, before), "the checkpoint is as it was"
    expect(page.locator("#vcd_tiled_infotext textarea")).to_have_value(re.compile("Face VCD denoise: 0.8"))
    page.locator("#vcd_tiled_use_infotext").click()
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("photo of a dog")


def test_a_controlnet_that_does_not_fit_is_refused_in_the_tab_before_a_job_begins(page: Page, misfit: str) -> None:
    open_tab(page, "Tiled VCD")
    choose(page, "tiled", "controlnet", misfit)
    page.locator("#vcd_tiled_start").click()
    says(page, "tiled", f"{misfit} is made for a UNet of")
    says(page, "tiled", "Tiled VCD of walk-face.mp4 is ready.")  # still the job before
    choose(page, "tiled", "controlnet", "none")


def test_what_cannot_work_is_said_in_the_tab(page: Page) -> None:
    open_tab(page, "Tiled VCD")
    choose(page, "tiled", "motion_module", "broken")
    page.locator("#vcd_tiled_start").click()
    says(page, "tiled", "broken.safetensors is damaged")
    choose(page, "tiled", "motion_module", "mm_v2")


def test_interrupt_ends_a_job(page: Page, server: Server) -> None:
    before = server.generate(None).frames
    open_tab(page, "Tiled VCD")
    set_number(page, "tiled", "steps", 1000)
    page.locator("#vcd_tiled_start").click()
    says(page, "tiled", "enlarging and painting")
    page.locator("#vcd_tiled_stop").click()
    says(page, "tiled", "Stopped: 0 of 4 frames are finished.")
    set_number(page, "tiled", "steps", 2)
    assert np.array_equal(server.generate(None).frames, before), "the checkpoint is as it was"


def test_the_video_under_the_gallery_is_sent_to_a_tab(page: Page) -> None:
    page.locator("#tabs > .tab-nav button", has_text="txt2img").click()
    for name, value in {"width": 64, "height": 64, "steps": 1}.items():
        page.locator(f"#txt2img_{name} input[type=number]").first.fill(str(value))
    page.locator("#vcd_txt2img .label-wrap").first.click()
    page.locator("#vcd_txt2img-checkbox input").check()
    frames = page.locator("#vcd_txt2img_frames input[type=number]")
    frames.fill("2")
    frames.press("Tab")
    page.locator("#txt2img_generate").click()
    page.locator("#vcd_txt2img_player video").wait_for()
    page.locator("#vcd_txt2img_player .vcd-send", has_text="Face VCD").click()
    expect(page.locator("#vcd_face_path").locator("textarea, input")).to_have_value(
        page.locator("#vcd_txt2img_player .vcd-send").first.get_attribute("data-path") or "none"
    )
    expect(page.locator("#vcd_face_about video")).to_be_visible()


def ended(server: Server, path: str) -> dict[str, Any]:
    """Wait for a job's end, and return what is told of it."""
    until(lambda: (told := server.get(path))["state"] in ("done", "stopped", "failed") and told, every=0.2)
    return dict(server.get(path))


def test_the_api_makes_a_video_from_a_path_of_the_webuis_folders(server: Server) -> None:
    source = walk(server.data / "outputs" / "api.mp4")
    settings = {"steps": 2, "motion_module": "mm_v2", "upscaler": "Lanczos", "seed": 1}
    answer = server.post("/vcd/v1/tiled", video=str(source), settings=settings, formats=["webm"])
    assert answer.status_code == 200, answer.text
    told = ended(server, f"/vcd/v1/tiled/{answer.json()['id']}")
    assert (told["state"], told["error"]) == ("done", "")
    assert [(Path(one["path"]).name, one["mime"]) for one in told["videos"]] == [("api-tiled.webm", "video/webm")]
    assert "ControlNet: control_sd15_tile.safetensors, with weight 1." in told["notes"]
    made = media.read(told["videos"][0]["path"])
    assert made.frames.shape == (FRAMES, 256, 256, 3)
    assert "Tiled VCD controlnet: control_sd15_tile.safetensors" in made.metadata["parameters"]


def test_what_was_generated_goes_on_as_it_was_and_not_as_its_file_shows_it(server: Server) -> None:
    made = server.generate({"motion_module": "mm_v2", "frames": 3})
    source = made.videos[0]
    assert not np.array_equal(media.read(source).frames, made.frames), "or the format loses nothing"
    answer = server.post("/vcd/v1/face", video=str(source), settings=FACES, formats=["png"])
    assert answer.status_code == 200, answer.text
    told = ended(server, f"/vcd/v1/face/{answer.json()['id']}")
    assert "the video is as it was" in " ".join(told["notes"])
    assert np.array_equal(media.read(told["videos"][0]["path"]).frames, made.frames)


def test_a_controlnet_that_does_not_fit_is_refused_by_the_api(server: Server, misfit: str) -> None:
    source = walk(server.data / "outputs" / "api.mp4")
    answer = server.post("/vcd/v1/tiled", video=str(source), settings={"controlnet": misfit})
    assert answer.status_code == 422
    assert f"{misfit} is made for a UNet of" in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("face", {"video": "/etc"}, "not in a folder that videos may be read from"),
        ("face", {"settings": {"motion_module": "mm_v9"}}, "motion_module is 'mm_v9'"),
        ("face", {"settings": {"sampler": "magic"}}, "sampler is 'magic'"),
        ("face", {"settings": {"identity": "nobody"}}, "identity is 'nobody'"),
        ("face", {"settings": {"denoise": 3}}, "denoise is 3.0"),
        ("tiled", {"settings": {"controlnet": "magic"}}, "controlnet is 'magic', which is not in"),
    ],
)
def test_the_api_says_what_is_wrong_in_one_sentence(
    server: Server, kind: str, body: dict[str, Any], words: str
) -> None:
    source = walk(server.data / "outputs" / "api.mp4")
    answer = server.post(f"/vcd/v1/{kind}", **{"video": str(source), **body})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
