"""The page of the real WebUI in Chromium: what a person does and sees."""

import re
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser import browsed
from tests.waiting import until
from tests.webui.server import Server
from vcd_ext.settings import VideoSettings, describe


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Page]:
    yield from opened(server)


def opened(server: Server) -> Iterator[Page]:
    """Open the page with a small request filled in; closed at the end."""
    with browsed(server.url) as page:
        fill(page, "prompt", "a photo of a cat", area="textarea")
        for name, value in {"width": 64, "height": 64, "steps": 2, "seed": 7}.items():
            fill(page, name, str(value))
        yield page


def fill(page: Page, name: str, value: str, area: str = "input[type=number]") -> None:
    page.locator(f"#txt2img_{name} {area}").first.fill(value)


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"#vcd_txt2img_{name} input").first.click()
    page.locator(f"#vcd_txt2img_{name} li", has_text=value).first.click()


def set_number(page: Page, name: str, value: str) -> None:
    field = page.locator(f"#vcd_txt2img_{name} input[type=number]")
    field.fill(value)
    field.press("Tab")


def test_ticking_vcd_and_pressing_generate_plays_a_video(page: Page) -> None:
    page.locator("#vcd_txt2img .label-wrap").first.click()
    choose(page, "motion_module", "mm_v2")
    choose(page, "identity", "tinyperson")
    set_number(page, "frames", "4")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("a photo of a cat, tinyperson")
    page.locator("#txt2img_generate").click()
    video = page.locator("#vcd_txt2img_player video")
    video.wait_for()
    page.wait_for_function("document.querySelector('#vcd_txt2img_player video').currentTime > 0")
    state = video.evaluate("v => ({width: v.videoWidth, height: v.videoHeight, seconds: v.duration, error: v.error})")
    assert state == {"width": 64, "height": 64, "seconds": 0.5, "error": None}
    assert page.locator("#txt2img_gallery .thumbnails button").count() == 4
    expect(page.locator("#html_info_txt2img.prose")).to_contain_text("VCD frames: 4")
    expect(page.locator("#html_log_txt2img.prose")).to_contain_text("VCD video: ")


def test_a_frame_can_be_upscaled_from_the_gallery_as_a_picture(page: Page) -> None:
    page.locator("#txt2img_gallery .thumbnails button").nth(1).click()
    page.locator("#txt2img_upscale").click()
    # The WebUI puts the enlarged picture in the place of the frame.
    page.wait_for_function(
        "[...document.querySelectorAll('#txt2img_gallery .thumbnails img')].some(i => i.naturalWidth == 128)"
    )


def test_a_late_answer_takes_nothing_away_that_was_typed(page: Page) -> None:
    late: list[partial[None]] = []

    def held_back(socket: WebSocketRoute) -> None:
        def hear(message: str | bytes) -> None:
            say = partial(socket.send, message)
            late.append(say) if "process_completed" in str(message) else say()

        server = socket.connect_to_server()
        server.on_message(hear)
        server.on_close(lambda *_: None)  # the page itself closes what is answered

    choose(page, "identity", "none")
    fill(page, "prompt", "a photo of a cat", area="textarea")
    page.route_web_socket("**/queue/join", held_back)
    choose(page, "identity", "tinyperson")
    until(lambda: page.wait_for_timeout(100) or any("tinyperson" in str(say.args) for say in late))
    fill(page, "prompt", "a photo of a dog on the beach", area="textarea")
    for say in late:
        say()
    page.route_web_socket("**/queue/join", lambda socket: socket.connect_to_server())
    page.wait_for_timeout(1000)
    expect(page.locator("#txt2img_prompt textarea")).to_have_value("a photo of a dog on the beach")
    page.locator("#txt2img_generate").click()
    info = "document.querySelector('#html_info_txt2img.prose').innerText"
    page.wait_for_function(f"{info}.startsWith('a photo of a dog on the beach, tinyperson')")


def test_people_are_placed_by_choosing_and_by_drawing_on_the_last_picture(page: Page) -> None:
    page.locator("#vcd_txt2img_people_rows .label-wrap").click()
    people, words = (page.locator(f"#vcd_txt2img_{name} textarea") for name in ("people", "person_words"))
    choose(page, "person", "tinyperson")
    words.fill("woman, waving")
    page.locator("#vcd_txt2img_person_add").click()
    expect(people).to_have_value("tinyperson woman, waving @ left")
    shown = page.locator("#vcd_txt2img_people_map .vcd-map")
    expect(shown.locator(".vcd-region")).to_have_text("tinyperson woman, waving")
    page.wait_for_function("document.querySelector('.vcd-map').style.backgroundImage.startsWith('url')")
    sides = shown.bounding_box()
    assert sides is not None
    assert sides["width"] == pytest.approx(sides["height"], abs=2), "as the picture, 64x64"
    page.mouse.move(sides["x"] + 0.5 * sides["width"], sides["y"] + 0.25 * sides["height"])
    page.mouse.down()
    page.mouse.move(sides["x"] + sides["width"], sides["y"] + sides["height"])
    page.mouse.up()
    place = page.locator("#vcd_txt2img_person_place input").first
    expect(place).to_have_value(re.compile(r"0\.50 0\.25 (1\.00|0\.99) (1\.00|0\.99)"))
    choose(page, "person", "somebody without an identity")
    words.fill("dog")
    page.locator("#vcd_txt2img_person_add").click()
    expect(people).to_have_value(re.compile("^tinyperson woman, waving @ left\n- dog @ 0.50 0.25 "))
    expect(shown.locator(".vcd-region")).to_have_count(2)
    page.locator("#vcd_txt2img_person_remove").click()
    expect(shown.locator(".vcd-region")).to_have_count(1)
    people.fill("")
    expect(shown).to_contain_text("Nobody is placed yet")


def test_pasting_infotext_sets_the_section(page: Page) -> None:
    infotext = (
        "a photo of a dog\nSteps: 3, Sampler: Euler, Seed: 5, Size: 64x64, VCD motion module: mm_v3.safetensors, "
        "VCD frames: 6, VCD context: 5, VCD overlap: 2, VCD fps: 12.5, VCD gamma: 0.3, VCD correlate step noise: True, "
        "VCD formats: webp gif, VCD identity: tinyperson"
    )
    page.locator("#txt2img_prompt textarea").fill(infotext)
    page.locator("#txt2img_tools #paste").click()
    expect(page.locator("#vcd_txt2img_frames input[type=number]")).to_have_value("6")
    expect(page.locator("#vcd_txt2img_context input[type=number]")).to_have_value("5")
    expect(page.locator("#vcd_txt2img_overlap input[type=number]")).to_have_value("2")
    expect(page.locator("#vcd_txt2img_fps input[type=number]")).to_have_value("12.5")
    expect(page.locator("#vcd_txt2img_gamma input[type=number]")).to_have_value("0.3")
    expect(page.locator("#vcd_txt2img_motion_module input").first).to_have_value("mm_v3.safetensors")
    expect(page.locator("#vcd_txt2img_step_noise input")).to_be_checked()
    ticked = page.locator("#vcd_txt2img_formats input:checked")
    assert sorted(ticked.nth(i).evaluate("e => e.parentElement.innerText.trim()") for i in range(2)) == ["gif", "webp"]


def test_a_run_that_cannot_work_says_why_in_one_sentence(page: Page) -> None:
    set_number(page, "frames", "33")
    set_number(page, "context", "33")
    page.locator("#txt2img_generate").click()
    expect(page.locator("#html_log_txt2img.prose")).to_contain_text("holds at most 32")
    set_number(page, "frames", "4")
    set_number(page, "context", "16")


def test_what_will_not_fit_into_the_memory_is_said_before_the_start(server: Server, page: Page) -> None:
    server.post("/probe/free-memory", gib=0.5).raise_for_status()
    try:
        page.locator("#txt2img_generate").click()
        said = re.compile(r"T2V VCD needs about .* for 4 frames of 64x64 at a time, and 0\.5 GB are free")
        expect(page.locator(".toast-body")).to_contain_text(said)
        expect(page.locator("#html_log_txt2img.prose")).to_contain_text(said)
        expect(page.locator("#html_info_txt2img.prose")).to_contain_text("VCD frames: 4")
    finally:
        server.post("/probe/free-memory", gib=0).raise_for_status()


def test_interrupt_stops_a_video(page: Page) -> None:
    fill(page, "steps", "150")
    set_number(page, "frames", "16")
    page.locator("#txt2img_generate").click()
    page.locator("#txt2img_results .progress").wait_for()
    page.locator("#txt2img_interrupt").click()
    expect(page.locator("#html_info_txt2img.prose")).to_contain_text("VCD frames: 16")


def test_every_control_explains_itself(page: Page) -> None:
    for name, setting in describe(VideoSettings).items():
        if name == "enabled":
            continue
        tab = "txt2img" if page.locator(f"#vcd_txt2img_{name}").count() else "img2img"
        block = page.locator(f"#vcd_{tab}_{name}")
        assert block.count() == 1, name
        title = block.get_attribute("title") or ""
        assert setting.help in title or setting.help in block.inner_text(), name


def test_img2img_has_the_section_too(page: Page) -> None:
    assert page.locator("#vcd_img2img_motion_module").count() == 1


LIGHTNING = "Euler with schedule SGM Uniform"


@pytest.mark.parametrize(
    ("module", "version", "wanted", "sampler", "steps", "cfg_scale", "lora"),
    [
        ("mm_AnimateLCM", "AnimateLCM", "LCM", "LCM", 6, 2, " <lora:AnimateLCM_sd15_t2v_lora:0.8>"),
        ("animatediff_lightning_4step", "Lightning", LIGHTNING, "Euler, Schedule type: SGM Uniform", 4, 1, ""),
        ("animatediff_lightning_2step", "Lightning", LIGHTNING, "Euler, Schedule type: SGM Uniform", 2, 1, ""),
    ],
)
def test_a_module_for_few_steps_sets_the_webuis_fields_with_one_click(
    page: Page, module: str, version: str, wanted: str, sampler: str, steps: int, cfg_scale: int, lora: str
) -> None:
    fill(page, "prompt", "a photo of a cat", area="textarea")
    choose(page, "motion_module", module)
    line = page.locator("#vcd_txt2img_distilled.prose")
    expect(line).to_contain_text(
        f"{version} is made for sampler {wanted}, {steps} step{'s' * (steps > 1)}, CFG scale {cfg_scale}"
    )
    set_number(page, "frames", "2")
    page.locator("#vcd_txt2img_distilled_set").click()
    expect(line).to_contain_text("Set: ")
    expect(page.locator("#txt2img_steps input[type=number]")).to_have_value(str(steps))
    expect(page.locator("#txt2img_cfg_scale input[type=number]")).to_have_value(str(cfg_scale))
    expect(page.locator("#txt2img_prompt textarea")).to_have_value(f"a photo of a cat{lora}")
    page.locator("#txt2img_generate").click()
    shown = page.locator("#html_info_txt2img.prose")
    told = f"Steps: {steps}, Sampler: {sampler}, .*CFG scale: {cfg_scale},.*{module}"
    expect(shown).to_contain_text(re.compile(told))
    assert "blurred or burnt" not in page.locator("#html_log_txt2img.prose").inner_text()


def test_without_vcd_a_motion_lora_is_told_of(page: Page) -> None:
    page.locator("#vcd_txt2img-visible-checkbox").uncheck()
    fill(page, "prompt", "a cat <lora:v2_lora_PanLeft:0.8> <lora:tinylora:1>", area="textarea")
    page.locator("#txt2img_generate").click()
    shown = page.locator("#html_info_txt2img.prose")
    expect(shown).to_contain_text("a cat <lora:v2_lora_PanLeft")
    said = page.locator("#html_log_txt2img.prose")
    expect(said).to_contain_text("v2_lora_PanLeft is a motion LoRA, which changes a motion module: without VCD")
    assert "tinylora is" not in said.inner_text()
