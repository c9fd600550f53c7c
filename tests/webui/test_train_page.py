"""The tab Train ID of the real WebUI in Chromium: from photos to a prompt that uses what was learned."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import browsed
from tests.identity.toy_host import photo
from tests.waiting import until
from tests.webui.server import Server
from tests.webui.test_page import choose


def says(page: Page, name: str, words: str) -> None:
    """Wait until an element says something."""
    expect(page.locator(f"#vcd_train_{name}").last).to_contain_text(words)


@pytest.fixture(scope="module", autouse=True)
def _masks_from_small_pictures(server: Server) -> Iterator[None]:
    """Look at a quarter of the pixels: the UNet's attention takes a sixteenth of the time."""
    before = server.post("/probe/masks", pixels=256 * 256).json()
    yield
    server.post("/probe/masks", pixels=before).raise_for_status()


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Page]:
    with browsed(server.url, 1280, 900) as page:
        page.locator("#tabs > .tab-nav button", has_text="VCD").click()
        says(page, "estimate", "About")  # the page's script runs
        yield page
    for path in (server.data / "embeddings").glob("pageling*"):
        path.unlink()
    server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


def fill(page: Page, name: str, value: str, kind: str = "input[type=number]") -> None:
    field = page.locator(f"#vcd_train_{name}").locator(kind).first
    field.fill(value)
    field.press("Tab")


def test_dropped_photos_become_an_identity_that_a_prompt_uses(page: Page, server: Server, tmp_path: Path) -> None:
    before = server.generate(None).frames
    for i in range(2):
        Image.fromarray(photo(i).pixels).save(tmp_path / f"rex{i}.png")
    mask = photo(0).mask
    assert mask is not None
    Image.fromarray(mask).save(tmp_path / "rex0.mask.png")
    page.locator("#vcd_train_photos input[type=file]").set_input_files(sorted(tmp_path.iterdir()))
    captions = page.locator("#vcd_train_gallery .caption-label")
    expect(captions).to_have_text(["rex0.png", "rex1.png (no mask yet)"])

    fill(page, "class_word", "dog", "input")
    page.locator("#vcd_train_find_masks").click()
    expect(captions).to_have_text(["rex0.png", "rex1.png"])
    says(page, "about", "Mask from a file")
    page.locator("#vcd_train_gallery .thumbnail-item").nth(1).click()
    says(page, "about", "rex1.png")

    for name, value in {"steps": "10", "size": "64", "tokens": "2", "preview_every": "10"}.items():
        fill(page, name, value)
    says(page, "estimate", "About")
    page.locator("#vcd_train_start").click()
    says(page, "panel", "The name is empty")
    fill(page, "name", "pageling", "input")
    page.locator("#vcd_train_start").click()
    says(page, "panel", "pageling is ready after 10 steps")
    assert page.locator("#vcd_train_panel.prose svg").count() == 1
    says(page, "preview", "after step 10: photo of pageling dog")
    assert (server.data / "embeddings" / "pageling.safetensors").is_file()
    says(page, "identities", "pageling")

    assert np.array_equal(server.generate(None).frames, before), "the checkpoint is as it was"

    page.locator("#vcd_train_use").click()
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("photo of pageling dog on the beach")
    expect(page.locator("#txt2img_prompt textarea")).to_be_visible()
    expect(page.locator("#vcd_txt2img-visible-checkbox")).to_be_checked()
    expect(page.locator("#vcd_txt2img-checkbox input")).to_be_checked()
    expect(page.locator("#vcd_txt2img_identity input").first).to_have_value("pageling")
    # The first that can be used as it is: one file is broken, and AnimateLCM needs another sampler.
    expect(page.locator("#vcd_txt2img_motion_module input").first).to_have_value("mm_v2.safetensors")
    fill_txt2img(page, width=64, height=64, steps=1)
    page.locator("#txt2img_generate").click()
    expect(page.locator("#html_info_txt2img.prose")).to_contain_text("VCD motion module: mm_v2")


def fill_txt2img(page: Page, **values: int) -> None:
    for name, value in values.items():
        page.locator(f"#txt2img_{name} input[type=number]").first.fill(str(value))
    frames = page.locator("#vcd_txt2img_frames input[type=number]")
    frames.fill("2")
    frames.press("Tab")


def test_a_motion_module_that_was_chosen_stays_chosen(page: Page) -> None:
    choose(page, "motion_module", "mm_v3")
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    page.locator("#vcd_train_use").click()
    expect(page.locator("#txt2img_prompt textarea")).to_be_visible()
    page.wait_for_timeout(1000)
    expect(page.locator("#vcd_txt2img_motion_module input").first).to_have_value("mm_v3.safetensors")


def test_without_any_motion_module_the_section_says_where_to_put_one(page: Page, server: Server) -> None:
    choose(page, "motion_module", "none")
    folders = [server.data / "models/AnimateDiff", server.data / "extensions/sd-webui-animatediff/model"]
    away = [folder.with_name("away") for folder in folders]
    for here, there in zip(folders, away, strict=True):
        here.rename(there)
    try:
        page.locator("#tabs > .tab-nav button", has_text="VCD").click()
        page.locator("#vcd_train_use").click()
        advice = page.locator("#vcd_txt2img_advice.prose")
        expect(advice).to_contain_text("There is no motion module yet, and without one the frames do not move")
        expect(advice).to_contain_text(str(folders[0]))
    finally:
        for here, there in zip(folders, away, strict=True):
            there.rename(here)
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    page.locator("#vcd_train_use").click()
    expect(page.locator("#vcd_txt2img_motion_module input").first).to_have_value("mm_v2.safetensors")
    expect(advice).to_have_text("")


def test_an_identity_of_the_list_is_used_too(page: Page) -> None:
    page.locator("#txt2img_prompt textarea").fill("something else")
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    page.locator("#vcd_train_use_identity").click()
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("photo of pageling dog on the beach")


def _offers(page: Page, tab: str, identity: str) -> bool:
    """Open a tab's list of identities and say whether one is in it; what arrives later is not put into an open list."""
    page.locator(f"#vcd_{tab}_identity input").first.blur()
    page.locator(f"#vcd_{tab}_identity input").first.click()
    return page.locator(f"#vcd_{tab}_identity li", has_text=identity).count() > 0


def test_what_was_learned_can_be_chosen_in_the_other_tabs(page: Page) -> None:
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    for tab, title in (("face", "Face VCD"), ("tiled", "Tiled VCD")):
        page.locator("#vcd_tabs > .tab-nav button", has_text=title).click()
        until(lambda tab=tab: _offers(page, tab, "pageling"), every=0.2)
    page.locator("#vcd_tabs > .tab-nav button", has_text="Train ID").click()


def test_an_interrupted_training_is_resumed(page: Page, server: Server) -> None:
    page.locator("#tabs > .tab-nav button", has_text="VCD").click()
    fill(page, "name", "haltling", "input")
    fill(page, "steps", "2000")
    fill(page, "preview_every", "0")
    page.locator("#vcd_train_start").click()
    says(page, "panel", "loss")
    page.locator("#vcd_train_stop").click()
    says(page, "panel", "haltling stopped at step")
    expect(page.locator("#vcd_train_unfinished input")).to_have_value(re.compile(r"haltling: \d+ of 2000 steps"))
    page.locator("#vcd_train_resume").click()
    says(page, "panel", "loss")
    page.locator("#vcd_train_keep").click()
    says(page, "panel", "haltling is ready after")
    expect(page.locator("#vcd_train_unfinished input")).not_to_have_value(re.compile("haltling"))
    assert (server.data / "embeddings" / "haltling.safetensors").is_file()


def test_an_identity_is_deleted_after_a_question(page: Page, server: Server) -> None:
    page.locator("#vcd_train_delete").click()
    says(page, "confirm_row", "Delete haltling?")
    assert (server.data / "embeddings" / "haltling.safetensors").is_file()
    page.locator("#vcd_train_confirm").click()
    expect(page.locator("#vcd_train_identities.prose")).not_to_contain_text("haltling")
    assert not (server.data / "embeddings" / "haltling.safetensors").exists()
    assert "haltling" not in server.get("/vcd/v1/identities")


def test_no_class_is_suggested_where_blip_is_not_there(page: Page) -> None:
    expect(page.locator("#vcd_train_class_word")).to_be_visible()
    assert page.locator("#vcd_train_suggest:visible").count() == 0


def test_the_tab_explains_its_settings(page: Page) -> None:
    page.locator("#vcd_train_advanced .label-wrap").click()
    says(page, "gradient_checkpointing", "computed twice to save memory")


def test_the_tab_is_there_even_if_the_page_is_made_before_the_checkpoint_is_loaded(server: Server) -> None:
    assert "VCD" in server.get("/probe/tabs-while-loading")
