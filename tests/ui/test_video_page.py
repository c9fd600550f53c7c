"""The tabs Face VCD and Tiled VCD in Chromium, on the toy studio: what a person does and sees."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests import film
from tests.toy_studio import ToyStudio
from tests.waiting import PATIENCE

# Keeps all that an element shows from now on.
RECORD = """(element) => {
    window.recorded = [];
    new MutationObserver(() => recorded.push(element.textContent)).observe(element, {subtree: true, childList: true});
}"""
NEWS_COME = 8000  # milliseconds of the page's clock, more than from news to news
STATE = """(video) => ({at: video.currentTime, paused: video.paused, width: video.videoWidth, error: video.error})"""


def open_tab(page: Page, title: str) -> None:
    page.locator("#vcd_tabs > .tab-nav button", has_text=title).click()


def set_numbers(page: Page, tab: str, values: dict[str, Any]) -> None:
    page.locator(f"#vcd_{tab}_advanced .label-wrap").click()
    for name, value in values.items():
        field = page.locator(f"#vcd_{tab}_{name} input[type=number]").first
        field.fill(str(value))
        field.press("Tab")
    page.locator(f"#vcd_{tab}_advanced .label-wrap").click()


def says(page: Page, tab: str, words: str) -> None:
    expect(page.locator(f"#vcd_{tab}_panel").last).to_contain_text(words)


def test_a_dropped_video_gets_its_faces_repaired(page: Page, folder: Path) -> None:
    open_tab(page, "Face VCD")
    page.locator("#vcd_face_start").click()
    says(page, "face", "There is no video yet")
    # Long enough that it is still playing when it is looked at.
    page.locator("#vcd_face_file input[type=file]").set_input_files(film.film(folder / "walk.mp4", 40, faces=2))
    page.locator("#vcd_face_about video").wait_for()
    set_numbers(page, "face", film.SMALL_FACES)
    page.locator("#vcd_face_find").click()
    page.locator("#vcd_face_sheet img").wait_for()
    page.locator("#vcd_face_start").click()
    says(page, "face", "Face VCD of walk.mp4 is ready.")
    link = page.locator("#vcd_face_result .vcd-files a")
    expect(link).to_have_attribute("href", f"file={folder / 'videos/walk-face.mp4'}")


def test_before_and_after_play_in_time_and_the_border_follows_the_slider(page: Page) -> None:
    after, before = (page.locator(f"#vcd_face_result video.vcd-{name}") for name in ("after", "before"))
    page.wait_for_function("document.querySelector('#vcd_face_result .vcd-after').currentTime > 0.5")
    states = [video.evaluate(STATE) for video in (after, before)]
    assert [(state["width"], state["error"], state["paused"]) for state in states] == [(film.WIDTH, None, False)] * 2

    page.locator("#vcd_face_result .vcd-play").click()
    expect(page.locator("#vcd_face_result .vcd-play")).to_have_text("Play")
    page.locator("#vcd_face_result .vcd-time").evaluate(
        "(slider) => { slider.value = 0.25; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    videos = "[...document.querySelectorAll('#vcd_face_result video')]"
    page.wait_for_function(f"{videos}.every(v => v.paused && Math.abs(v.currentTime - 1) < 0.06)")
    width = page.locator("#vcd_face_result .vcd-stage").bounding_box()
    assert width is not None
    page.mouse.click(width["x"] + width["width"] / 5, width["y"] + width["height"] / 2)
    cut = page.locator("#vcd_face_result .vcd-compare").evaluate("(e) => parseFloat(e.style.getPropertyValue('--cut'))")
    assert 15 < cut < 25
    clip = before.evaluate("(video) => getComputedStyle(video).clipPath")
    assert clip.startswith("inset(")
    page.locator("#vcd_face_result .vcd-mute").click()
    assert after.evaluate("(video) => video.muted") is False


def test_a_result_is_sent_to_the_other_tab_and_enlarged(page: Page, folder: Path) -> None:
    page.locator("#vcd_face_result .vcd-send").click()
    field = page.locator("#vcd_tiled_path").locator("textarea, input")
    expect(field).to_have_value(str(folder / "videos/walk-face.mp4"))
    page.locator("#vcd_tiled_about video").wait_for()
    set_numbers(page, "tiled", {"tile": 64, "tile_overlap": 16})
    page.locator("#vcd_tiled_start").click()
    says(page, "tiled", "Tiled VCD of walk-face.mp4 is ready.")
    page.wait_for_function("document.querySelector('#vcd_tiled_result .vcd-after').videoWidth == 192")
    assert (folder / "videos" / "walk-face-tiled.mp4").is_file()
    assert (folder / "videos" / "walk-face.mp4").is_file(), "each stage is kept"


def test_interrupt_shows_how_far_it_is_and_keeps_what_is_finished(page: Page, page_studio: ToyStudio) -> None:
    page_studio.video.at = lambda frame: page_studio.go_on.wait(PATIENCE) if frame == 2 else None
    page.locator("#vcd_tiled_start").click()
    says(page, "tiled", "enlarging and painting")
    page.locator("#vcd_tiled_stop").click()
    says(page, "tiled", "Stopping after this step")
    page_studio.go_on.set()
    says(page, "tiled", "Stopped: 3 of 40 frames are finished.")
    page_studio.video.at = lambda frame: None


@pytest.fixture
def held_up(page_studio: ToyStudio) -> Iterator[threading.Event]:
    """Videos wait in their middle until this is set."""
    go_on = threading.Event()
    page_studio.video.at = lambda frame: go_on.wait(PATIENCE) if frame == 2 else None
    yield go_on
    go_on.set()
    page_studio.video.at = lambda frame: None


def test_an_answer_from_before_a_start_that_comes_late_is_mended(page: Page, held_up: threading.Event) -> None:
    late: list[tuple[Route, APIResponse]] = []
    page.route("**/run/predict*", lambda route: late.append((route, route.fetch())), times=1)  # the next news
    page.locator("#vcd_tiled_tick").evaluate("(button) => button.click()")
    while not late:
        page.wait_for_timeout(50)
    page.locator("#vcd_tiled_start").click()
    page.locator("#vcd_tiled_panel .vcd-active").wait_for()
    page.locator("#vcd_tiled_panel").last.evaluate(RECORD)
    route, answer = late[0]
    route.fulfill(response=answer)
    page.wait_for_function("recorded.join().includes('was stopped')")
    page.clock.run_for(NEWS_COME)
    says(page, "tiled", "enlarging and painting")
    assert "was stopped" in page.evaluate("recorded.join()"), "what the late answer says of the job before was shown"
    held_up.set()
    says(page, "tiled", "Tiled VCD of walk-face.mp4 is ready.")


def test_what_went_wrong_stays_on_the_page_while_news_come(page: Page, held_up: threading.Event) -> None:
    page.locator("#vcd_tiled_start").click()
    says(page, "tiled", "enlarging and painting")
    open_tab(page, "Face VCD")
    page.locator("#vcd_face_start").click()
    busy = "Tiled VCD of walk-face.mp4 is under way; wait for the end"
    says(page, "face", busy)
    news = page.locator("#vcd_face_panel .vcd-active")
    for _ in range(2):
        expect(news).not_to_have_attribute("data-at", news.get_attribute("data-at") or "")
    says(page, "face", busy)
    held_up.set()
    expect(page.locator("#vcd_face_start")).to_be_enabled()
    expect(page.locator("#vcd_face_panel .vcd-error")).to_have_count(0)


def test_every_setting_explains_itself(page: Page) -> None:
    open_tab(page, "Face VCD")
    page.locator("#vcd_face_advanced .label-wrap").click()
    expect(page.locator("#vcd_face_smoothing")).to_contain_text("How calm the crop moves.")
