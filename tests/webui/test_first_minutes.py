"""The first five minutes on the page of the real WebUI, without a motion module and without a command line."""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from tests import tiny
from tests.browser import browsed
from tests.storage.test_download import serve as serve_files
from tests.storage.test_download import whole
from tests.waiting import PATIENCE
from tests.webui.conftest import start
from tests.webui.server import REPOSITORY, WEBUI, Server
from tests.webui.test_video import lsb
from vcd_ext import toyworld
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.settings import DRAWN, GenerateSettings, VideoSettings
from vcd_ext.ui.tabs import TABS

serve = serve_files  # the fixture


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a WebUI with a checkpoint and this extension, and nothing else."""
    if not (WEBUI / "venv/bin/python").is_file():
        pytest.skip(f"there is no WebUI at {WEBUI} (set VCD_WEBUI to test against one)")
    folder = tmp_path_factory.mktemp("bare")
    (folder / "models" / "Stable-diffusion").mkdir(parents=True)
    (folder / "embeddings").mkdir()
    (folder / "extensions").mkdir()
    tiny.checkpoint(folder / "models" / "Stable-diffusion")
    (folder / "extensions" / "vcd-webui").symlink_to(REPOSITORY)
    (folder / "extensions" / "probe").symlink_to(Path(__file__).with_name("probe"))
    running = start(folder)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def page(bare: Server) -> Iterator[Page]:
    """Open the page once: it takes a while to be built, and a person stays on it as well."""
    with browsed(bare.url, height=1500) as shown:
        yield shown


def offered(page: Page, name: str) -> list[str]:
    page.locator(f"#vcd_txt2img_{name} input").first.click()
    found = page.locator(f"#vcd_txt2img_{name} li").all_inner_texts()
    page.keyboard.press("Escape")
    return [text.strip().removeprefix("✓").strip() for text in found]


def test_each_tab_has_a_small_help(page: Page) -> None:
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    for title, name, _ in TABS:
        page.locator("#vcd_tabs > .tab-nav button", has_text=title).first.click()
        shown = page.locator(f"#vcd_{name.removesuffix('_id')}_help")
        expect(shown.locator("img")).not_to_be_visible()
        shown.locator(".label-wrap").click()
        expect(shown.locator("img")).to_be_visible()
        expect(shown.locator("li")).to_have_count(3)
    page.locator("#tabs > .tab-nav button", has_text="txt2img").click()


def test_a_motion_module_is_got_by_a_button(bare: Server, page: Page, tmp_path: Path, serve: Any) -> None:
    """From a server of this machine, whose connection breaks once; where it lies then is the right folder."""
    file = tiny.motion_module(tmp_path, suffix=".ckpt").rename(tmp_path / "mm_sd_v15_v2.ckpt")
    content = file.read_bytes()
    server = serve(lambda handler, start: whole(handler, start, content, None if start else len(content) // 2))
    sums = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "url": server.url}
    bare.post("/probe/publish", name=file.name, **sums).raise_for_status()
    page.locator("#vcd_txt2img .label-wrap").first.click()
    modules = page.locator("#vcd_txt2img_modules")
    expect(modules).to_contain_text("There is no motion module yet")
    expect(modules).to_contain_text("CreativeML Open RAIL-M")
    expect(page.locator("#vcd_txt2img_modules_get")).to_have_text("Get mm_sd_v15_v2.ckpt")
    page.locator("#vcd_txt2img_modules_get").click()
    expect(page.locator("#vcd_txt2img_modules_message.prose")).to_contain_text("mm_sd_v15_v2.ckpt is in ")
    expect(page.locator("#vcd_txt2img_motion_module input").first).to_have_value("mm_sd_v15_v2.ckpt")
    assert (bare.data / "models/AnimateDiff/mm_sd_v15_v2.ckpt").read_bytes() == content
    assert server.starts == [0, len(content) // 2], "what had come was kept"
    assert bare.generate({"motion_module": "mm_sd_v15_v2", "frames": 2}).frames.shape == (2, 64, 64, 3)


def test_a_first_video_takes_one_button(page: Page, tmp_path: Path) -> None:
    page.locator("#vcd_txt2img_stages .label-wrap").click()
    assert DRAWN not in offered(page, "face_detector")
    page.screenshot(path=tmp_path / "before.png", full_page=True)
    page.locator("#vcd_txt2img_drawn").click()
    video = page.locator("#vcd_txt2img_player video")
    video.wait_for(timeout=1_500_000)
    page.wait_for_function("document.querySelector('#vcd_txt2img_player video').videoWidth > 0")
    state = video.evaluate("v => ({width: v.videoWidth, seconds: v.duration})")
    assert state == {"width": 128, "seconds": 2}
    prompt = "photo of drawn_ada woman in a meadow, waving, facing right"
    expect(page.locator("#txt2img_prompt textarea")).to_have_value(prompt)
    expect(page.locator("#vcd_txt2img_motion_module input").first).to_have_value("toyworld_motion.safetensors")
    expect(page.locator("#html_info_txt2img.prose")).to_contain_text("Model: toyworld")
    assert page.locator("#setting_sd_model_checkpoint input").first.input_value().startswith("toyworld.safetensors")
    assert page.locator("#quicksettings .error").count() == 0
    assert DRAWN in offered(page, "face_detector")
    page.screenshot(path=tmp_path / "after.png", full_page=True)
    print(tmp_path)


def test_the_first_video_is_the_other_hosts_as_well(bare: Server, page: Page) -> None:
    pictures = page.locator("#txt2img_gallery .thumbnails img").evaluate_all("found => found.map(each => each.src)")
    shown = [Image.open(BytesIO(requests.get(source, timeout=PATIENCE).content)).convert("RGB") for source in pictures]
    prompt = page.locator("#txt2img_prompt textarea").input_value()
    wanted = GenerateSettings(prompt, "", 128, 128, steps=10, cfg_scale=4.5, sampler="dpmpp_2m", seed=1)
    identity = bare.data / "embeddings/drawn_ada.safetensors"
    host = Standalone.load(toyworld.checkpoint())
    ours = host.generate(wanted, VideoSettings(), toyworld.motion_module(), [identity])
    assert lsb(ours.frames, np.stack([np.asarray(picture) for picture in shown])) <= 1


def test_likeness_of_each_frame_is_drawn_under_the_player(page: Page) -> None:
    """By the judges that came with the drawn world."""
    page.locator("#vcd_txt2img_likeness_measure").click()
    shown = page.locator("#vcd_txt2img_likeness.prose")
    expect(shown.locator("svg polyline.vcd-average")).to_have_count(1)
    expect(shown).to_contain_text("Likeness (drawn): each frame beside frames 0 to 7")


def test_an_identity_is_compared_with_photos(page: Page) -> None:
    """After the first video the drawn world is the chosen checkpoint, which brings its measures along."""
    mara = next(subject for subject in toyworld.subjects() if subject.name == "mara")
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    page.locator("#vcd_tabs > .tab-nav button", has_text="Compare").click()
    photos = [path for path in sorted(mara.folder.glob("*.png")) if "mask" not in path.name]
    page.locator("#vcd_compare_photos input[type=file]").set_input_files(photos[:2])
    page.locator("#vcd_compare_class").locator("textarea, input").first.fill("woman")
    page.locator("#vcd_compare_refresh").click()
    page.locator("#vcd_compare_names .loader, #vcd_compare_names .generating").first.wait_for(state="detached")
    page.locator("#vcd_compare_names input").first.click()
    page.locator("#vcd_compare_names li", has_text="drawn_ada").click()
    page.locator("#vcd_compare_prompts textarea").fill("photo of {subject} on the beach")
    for name, value in {"seeds": 1, "size": 128}.items():
        field = page.locator(f"#vcd_compare_{name} input[type=number]").first
        field.fill(str(value))
        field.press("Tab")
    page.locator("#vcd_compare_start").click()
    expect(page.locator("#vcd_compare_table.prose")).to_contain_text("drawn_ada")
    assert page.locator("#vcd_compare_table img").count() == 1
