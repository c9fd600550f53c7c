"""V2V in img2img of the real WebUI: a video in place of init images, through the API and on the page."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests import film
from tests.browser import browsed
from tests.toy_studio import until
from tests.webui.server import Result, Server, as_base64
from tests.webui.test_video import lsb, vcd_part
from vcd_ext import media
from vcd_ext.settings import VideoSettings, describe

# 3 * 0.7 is no whole number: there the WebUI by itself runs as many steps as we do.
ASK: dict[str, Any] = {"path": "img2img", "init_images": [], "steps": 3, "denoising_strength": 0.7}


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (5, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(data: Path, frames: np.ndarray) -> Path:
    """Return the video as PNG frames, which lose nothing, in a folder that the WebUI may read."""
    return media.write(data / "videos" / "walk", media.Clip(frames, "12.5"))


def test_the_frames_of_a_video_are_the_init_images(server: Server, folder: Path, frames: np.ndarray) -> None:
    settings = {"motion_module": "mm_v2", "frames": 4}
    pictures = [as_base64(frame) for frame in frames[:4]]
    one_by_one = server.generate(settings, **ASK | {"init_images": pictures})
    video = server.generate({**settings, "video": str(folder)}, **ASK)
    # The WebUI draws the init latents from the encoder's posterior without a seed: two runs differ that much.
    assert lsb(video.frames, one_by_one.frames) <= 2


def test_a_video_brings_its_length_and_rate_and_is_named(server: Server, folder: Path) -> None:
    result = server.generate({"frames": 9, "fps": 3, "video": str(folder)}, **ASK)
    assert result.frames.shape[0] == 5
    clip = media.read(result.videos[0])
    assert clip.frames.shape[0] == 5
    assert clip.fps == 12.5
    for entry in ("VCD frames: 5", "VCD fps: 12.5", "VCD source: walk", "Denoising strength: 0.7"):
        assert entry in result.infotext.split(", ")
    assert "VCD notes" not in result.extra


def test_a_video_that_is_longer_than_asked_for_is_cut_and_this_is_said(server: Server, folder: Path) -> None:
    result = server.generate({"frames": 2, "video": str(folder)}, **ASK)
    assert result.frames.shape[0] == 2
    assert result.extra["VCD notes"] == ["VCD: walk has 5 frames; the first 2 were used, as 'Frames' says."]


def test_a_part_of_a_video_is_used_and_written_down(server: Server, folder: Path, frames: np.ndarray) -> None:
    asked = {"video": str(folder), "first_frame": 2, "last_frame": 4}
    result = server.generate(asked, **ASK)
    one_by_one = server.generate({"frames": 3}, **ASK | {"init_images": [as_base64(frame) for frame in frames[1:4]]})
    assert lsb(result.frames, one_by_one.frames) <= 2
    for entry in ("VCD frames: 3", "VCD first frame: 2", "VCD last frame: 4"):
        assert entry in result.infotext.split(", ")
    cut = server.generate(asked | {"frames": 2, "last_frame": 0}, **ASK)
    assert cut.extra["VCD notes"] == ["VCD: walk has 5 frames; 2 to 3 were used, as 'Frames' says."]
    refused = server.ask({"video": str(folder), "first_frame": 4, "last_frame": 2}, **ASK)
    assert refused.status_code == 422
    assert "choose a last frame from 4 on, or 0" in refused.text


def test_a_video_of_another_shape_is_squeezed_and_this_is_said(server: Server, data: Path) -> None:
    wide = media.write(data / "videos" / "wide.mp4", media.Clip(np.zeros((2, 64, 112, 3), np.uint8), 8))
    squeezed = server.generate({"video": str(wide)}, **ASK)
    assert squeezed.frames.shape == (2, 64, 64, 3)
    assert "wide.mp4 is 112x64 and was squeezed into 64x64" in squeezed.extra["VCD notes"][0]
    assert "VCD notes" not in server.generate({"video": str(wide)}, **ASK, resize_mode=1).extra


@pytest.mark.parametrize("sent", [False, True])
def test_the_sound_of_a_video_is_kept(server: Server, folder: Path, tmp_path: Path, sent: bool) -> None:
    with_tone = film.film((tmp_path if sent else folder.parent) / "tone.mp4")
    video = base64.b64encode(with_tone.read_bytes()).decode() if sent else str(with_tone)
    result = server.generate({"video": video, "formats": ["mp4", "gif"]}, **ASK)
    assert [media.has_sound(path) for path in result.videos] == [True, False]


def test_sound_that_is_gone_when_the_video_is_written_is_said(server: Server, folder: Path) -> None:
    with_tone = film.film(folder.parent / "moved.mp4")
    with ThreadPoolExecutor() as pool:
        made = pool.submit(server.generate, {"video": str(with_tone)}, **ASK | {"steps": 60, "resize_mode": 1})
        until(lambda: server.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"])
        with_tone.unlink()
    result = made.result()
    [note] = result.extra["VCD notes"]
    assert note.startswith("VCD: The sound is left out: ")
    assert "moved.mp4 does not exist" in note
    assert [media.has_sound(path) for path in result.videos] == [False]


def test_what_is_lost_of_a_file_is_said(server: Server, data: Path) -> None:
    drawn = data / "videos" / "drawn"
    drawn.mkdir()
    Image.new("RGBA", (64, 64), (255, 0, 0, 100)).save(drawn / "0.png")
    [note] = server.generate({"video": str(drawn)}, **ASK).extra["VCD notes"]
    assert note.startswith("VCD: The video is transparent in places")


@pytest.mark.parametrize("suffix", ["mp4", "webm", "gif", "webp"])
@pytest.mark.parametrize("head", ["", "data:video/x;base64,"])
def test_a_video_may_be_sent_in_base64(
    server: Server, tmp_path: Path, frames: np.ndarray, suffix: str, head: str
) -> None:
    path = media.write(tmp_path / f"clip.{suffix}", media.Clip(frames, 10))
    sent = head + base64.b64encode(path.read_bytes()).decode()
    result = server.generate({"video": sent}, **ASK | {"steps": 1})
    assert result.frames.shape[0] == 5
    assert "VCD source: sent" in result.infotext
    assert sent[-40:] not in result.infotext


@pytest.mark.parametrize("end", ["done", "interrupted", "refused", "damaged", "failed in the UNet"])
def test_nothing_is_left_of_a_video_that_was_sent(server: Server, tmp_path: Path, frames: np.ndarray, end: str) -> None:
    """However the request ends, and while the WebUI still holds what the request was."""
    before = set(server.temporary.glob("vcd*"))  # of jobs of other tests, kept until the next
    data = film.film(tmp_path / "walk.mp4").read_bytes()
    sent = base64.b64encode(data[:2000] if end == "damaged" else data).decode()
    request: dict[str, Any] = ASK | ({"width": 68} if end == "refused" else {})
    if end == "failed in the UNet":
        server.post("/probe/raise", after=0).raise_for_status()
    if end == "interrupted":
        server.post("/probe/parts", interrupt_after=1).raise_for_status()
    answer = server.ask({"frames": 2, "video": sent}, **request)
    server.get("/probe/parts")
    assert answer.status_code == {"done": 200, "interrupted": 200, "failed in the UNet": 500}.get(end, 422), answer.text
    assert set(server.temporary.glob("vcd*")) <= before


@pytest.mark.parametrize(("fixed", "run"), [(False, 2), (True, 4)])
def test_the_steps_that_the_strength_asks_for_are_run(server: Server, folder: Path, fixed: bool, run: int) -> None:
    with server.options(img2img_fix_steps=fixed):
        server.get("/probe/unet")
        server.generate({"frames": 2, "video": str(folder)}, **ASK | {"steps": 4, "denoising_strength": 0.5})
        assert server.get("/probe/unet")["calls"] == run


def test_pasted_infotext_restores_all_but_the_video(server: Server, folder: Path) -> None:
    first = server.generate({"motion_module": "mm_v2", "frames": 3, "gamma": 0.3, "video": str(folder)}, **ASK)
    picture = as_base64(first.frames[0])
    # The WebUI itself does not take the size from the infotext here.
    request = {"infotext": first.infotext, "init_images": [picture], "width": 64, "height": 64}
    again = Result(server.post("/sdapi/v1/img2img", **request).json())
    assert again.frames.shape[0] == 3
    assert vcd_part(again.infotext) == vcd_part(first.infotext).replace(", VCD source: walk", "")


@pytest.mark.parametrize(
    ("path", "video", "sentence"),
    [
        ("img2img", "/etc/passwd", "video: /etc/passwd is not in a folder that videos may be read from"),
        ("img2img", "{data}/videos/gone.mp4", "gone.mp4 does not exist"),
        ("img2img", "{data}/ui-config.json", "has the unknown suffix '.json'"),
        ("img2img", "data:video/mp4;base64,bm90aGluZw==", "what was sent is no video"),
        ("img2img", "data:video/mp4;base64,?", "what was sent is no video"),
        ("txt2img", "{data}/videos/walk", "made again in img2img"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    server: Server, folder: Path, data: Path, path: str, video: str, sentence: str
) -> None:
    request = ASK if path == "img2img" else {}
    answer = server.ask({"video": video.format(data=data)}, **{**request, "path": path})
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Page]:
    with browsed(server.url) as page:
        page.locator("#tabs button", has_text="img2img").first.click()
        page.locator("#img2img_prompt textarea").first.fill("a photo of a cat")
        for name, value in {"width": 64, "height": 64, "steps": 2, "seed": 7}.items():
            page.locator(f"#img2img_{name} input[type=number]").first.fill(str(value))
        yield page


def test_a_dropped_video_is_made_again(page: Page, tmp_path: Path, frames: np.ndarray) -> None:
    clip = media.write(tmp_path / "walk.mp4", media.Clip(frames, 12))
    page.locator("#vcd_img2img .label-wrap").first.click()
    page.locator("#vcd_img2img_video input[type=file]").set_input_files(clip)
    expect(page.locator("#vcd_img2img_video")).to_contain_text("walk.mp4")
    length = page.locator("#vcd_img2img_frames input[type=number]")
    length.fill("4")
    length.press("Tab")
    emptied = page.locator("#vcd_img2img_first_frame input")
    emptied.fill("")
    emptied.press("Tab")
    page.locator("#img2img_generate").click()
    video = page.locator("#vcd_img2img_player video")
    video.wait_for()
    assert page.locator("#img2img_gallery .thumbnails button").count() == 4
    expect(page.locator("#html_info_img2img.prose")).to_contain_text("VCD source: walk.mp4")
    expect(page.locator("#html_log_img2img.prose")).to_contain_text("walk.mp4 has 5 frames; the first 4 were used")


def test_the_control_is_in_img2img_alone_and_explains_itself(page: Page) -> None:
    assert page.locator("#vcd_txt2img_video").count() == 0
    for name in ("video", "first_frame", "last_frame"):
        block = page.locator(f"#vcd_img2img_{name}")
        assert describe(VideoSettings)[name].help in (block.get_attribute("title") or "") + block.inner_text()
