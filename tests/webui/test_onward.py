"""Videos that go on from pictures and videos, in the real WebUI, and as the standalone host makes them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import browsed
from tests.webui.server import Server, as_base64
from tests.webui.test_hosts_agree import SAMPLERS
from tests.webui.test_video import lsb
from vcd_ext import media
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.media import Clip
from vcd_ext.settings import GenerateSettings, VideoSettings
from vcd_ext.stages.given_frames import Reader

PICTURE = GenerateSettings("a photo of a cat", "blurry", 64, 64, steps=2, cfg_scale=7.0, seed=7)
VIDEO: dict[str, Any] = {"frames": 4, "gamma": 0.3}
MOVING = {"motion_module": "mm_v2", **VIDEO}


@pytest.fixture(scope="module")
def standalone(data: Path) -> Standalone:
    return Standalone.load(data / "models/Stable-diffusion/tiny.safetensors")


@pytest.fixture(scope="module")
def earlier(server: Server, data: Path) -> Path:
    """Return a video that the WebUI has made, as frames that lose nothing, in a folder that it may read."""
    made = server.generate(MOVING)
    return media.write(data / "videos" / "earlier", Clip(made.frames, 8, {"parameters": made.infotext}))


@pytest.fixture(scope="module")
def shown(data: Path) -> tuple[Path, Path]:
    """Return two pictures."""
    files = data / "videos" / "one.png", data / "videos" / "two.png"
    for seed, file in enumerate(files):
        values = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(values).resize((64, 64)).save(file)
    return files


def ours(standalone: Standalone, data: Path, picture: GenerateSettings, video: dict[str, Any]) -> np.ndarray:
    """Return the frames that the other host makes, without those of the video that is gone on with."""
    settings = VideoSettings(**video)
    reader = Reader(lambda path, _: Path(path), ("CPU", "GPU"))
    given = reader.blended(settings, 64, 64) or reader.given(settings, 64, 64)
    assert given is not None
    seed = picture.seed if settings.onward.from_picture else given.seed(picture.seed)
    module = data / "models/AnimateDiff/mm_v2.safetensors"
    return standalone.generate(replace(picture, seed=seed), settings, module, given=given).frames


@pytest.mark.parametrize(("sampler", "freenoise"), [("euler", False), ("ddim", False), ("euler", True)])
def test_a_video_goes_on_in_both_hosts(
    server: Server, standalone: Standalone, data: Path, earlier: Path, sampler: str, freenoise: bool
) -> None:
    """In two windows: the known frames are those of the earlier video, and the rest is the same in both."""
    before = server.get("/probe/fingerprint")
    asked = VIDEO | {"frames": 6, "continue_video": str(earlier), "continue_frames": 2, "context": 4, "overlap": 2}
    asked |= {"freenoise": freenoise}
    name, schedule = SAMPLERS[sampler]
    theirs = server.generate({"motion_module": "mm_v2", **asked}, sampler_name=name, scheduler=schedule, steps=4)
    known = media.read(earlier).frames
    assert np.array_equal(theirs.frames[:2], known[2:])
    wanted = replace(PICTURE, sampler=sampler, steps=4)
    assert lsb(ours(standalone, data, wanted, asked), theirs.frames) <= 1
    assert len(media.read(theirs.videos[0]).frames) == 8
    noise = "4 from 7 at 0.3; " if freenoise else "8 from 7 at 0.3, "  # with FreeNoise their seeds once more
    for entry in ("VCD continues: earlier, ", f"VCD noise: {noise}", "VCD frames: 6, "):
        assert entry in theirs.infotext
    assert server.get("/probe/fingerprint") == before


def test_a_video_begins_and_ends_with_pictures_in_both_hosts(
    server: Server, standalone: Standalone, data: Path, shown: tuple[Path, Path]
) -> None:
    asked = VIDEO | {"start_picture": str(shown[0]), "end_picture": str(shown[1])}
    sent = MOVING | {"start_picture": as_base64(np.asarray(Image.open(shown[0]))), "end_picture": str(shown[1])}
    theirs = server.generate(sent)
    for place, file in ((0, shown[0]), (-1, shown[1])):
        assert np.array_equal(theirs.frames[place], np.asarray(Image.open(file)))
    assert lsb(ours(standalone, data, PICTURE, asked), theirs.frames) <= 1


def test_known_frames_stay_through_hires_fix(server: Server, shown: tuple[Path, Path]) -> None:
    hires = {
        "enable_hr": True,
        "hr_scale": 2,
        "hr_upscaler": "Latent",
        "denoising_strength": 0.6,
        "hr_second_pass_steps": 2,
    }
    made = server.generate(MOVING | {"start_picture": str(shown[0])}, **hires)
    assert made.frames.shape == (4, 128, 128, 3)
    fitting = Image.open(shown[0]).resize((128, 128), Image.Resampling.LANCZOS)
    assert np.array_equal(made.frames[0], np.asarray(fitting))


@pytest.mark.parametrize("windows", [{}, {"frames": 7, "context": 4, "overlap": 2}], ids=["one window", "several"])
def test_in_img2img_the_share_of_the_picture_falls_in_both_hosts(
    server: Server, standalone: Standalone, data: Path, shown: tuple[Path, Path], windows: dict[str, int]
) -> None:
    asked = VIDEO | windows | {"latent_scale": 3.0, "end_picture": str(shown[1])}
    first = as_base64(np.asarray(Image.open(shown[0])))
    theirs = server.generate(
        {"motion_module": "mm_v2", **asked}, "img2img", init_images=[first], steps=4, denoising_strength=0.7
    )
    wanted = replace(PICTURE, steps=4, denoise=0.7)
    other = ours(standalone, data, wanted, asked | {"from_picture": True, "start_picture": str(shown[0])})
    # The WebUI draws the init latents from the encoder's posterior without a seed.
    assert lsb(other, theirs.frames) <= 3
    assert "VCD latent scale: 3.0" in theirs.infotext.split(", ")


def test_files_are_interpolated_and_the_gallery_is_what_was_painted(server: Server) -> None:
    plain, made = server.generate(MOVING), server.generate(MOVING | {"interpolate": 2})
    assert np.array_equal(plain.frames, made.frames)
    clip = media.read(made.videos[0])
    assert (clip.fps, len(clip.frames)) == (16, 8)
    assert "VCD interpolate: 2" in made.infotext.split(", ")
    assert "interpolate" not in plain.infotext


def test_without_any_of_it_a_video_is_as_after_it(server: Server, earlier: Path) -> None:
    assert np.array_equal(server.generate(MOVING).frames, media.read(earlier).frames)


def test_what_cannot_be_is_refused_in_a_sentence(
    server: Server, earlier: Path, shown: tuple[Path, Path], data: Path
) -> None:
    glass = data / "videos" / "glass.png"
    Image.new("RGBA", (64, 64), (1, 2, 3, 100)).save(glass)
    picture = {"init_images": [as_base64(np.asarray(Image.open(shown[0])))]}
    cases: list[tuple[dict[str, Any], str, dict[str, Any], str]] = [
        ({"continue_video": str(earlier)}, "txt2img", {"width": 72}, "earlier is 64x64 and this video would be 72x64"),
        ({"continue_video": str(earlier), "fps": 12}, "txt2img", {}, "set 'FPS' to 8"),
        ({"continue_video": str(earlier)}, "txt2img", {}, "so that none is new"),
        ({"continue_video": str(earlier)}, "img2img", picture, "A video is continued in txt2img"),
        ({"start_picture": str(glass)}, "txt2img", {}, "start_picture is transparent in places"),
        ({"end_picture": str(data / "x.png")}, "txt2img", {}, "x.png"),
        ({"from_picture": True}, "txt2img", {}, "from_picture is for img2img"),
        ({"from_picture": True, "video": str(earlier)}, "img2img", picture, "leave one of the two away"),
    ]
    for vcd, path, request, sentence in cases:
        answer = server.ask(MOVING | vcd, path, **request)
        assert answer.status_code == 422, (vcd, answer.text[:300])
        assert sentence in answer.text


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Page]:
    with browsed(server.url) as page:
        page.locator("#txt2img_prompt textarea").first.fill("a photo of a cat")
        for name, value in {"width": 64, "height": 64, "steps": 2, "seed": 7}.items():
            page.locator(f"#txt2img_{name} input[type=number]").first.fill(str(value))
        page.locator("#vcd_txt2img .label-wrap").first.click()
        yield page


def test_on_the_page_a_dropped_video_goes_on(page: Page, earlier: Path, tmp_path: Path) -> None:
    clip = media.read(earlier)
    file = media.write(tmp_path / "walk.mp4", Clip(clip.frames, 8, clip.metadata))
    expect(page.locator("#vcd_txt2img_continue_video")).not_to_be_visible()
    page.locator("#vcd_txt2img_onward .label-wrap").click()
    page.locator("#vcd_txt2img_continue_video input[type=file]").set_input_files(file)
    expect(page.locator("#vcd_txt2img_continue_video")).to_contain_text("walk.mp4")
    length = page.locator("#vcd_txt2img_frames input[type=number]")
    length.fill("6")
    length.press("Tab")
    page.locator("#txt2img_generate").click()
    page.locator("#vcd_txt2img_player video").wait_for()
    assert page.locator("#txt2img_gallery .thumbnails button").count() == 6
    expect(page.locator("#html_info_txt2img.prose")).to_contain_text("VCD continues: walk.mp4")


def test_each_control_is_where_it_has_an_effect(page: Page) -> None:
    for tab, names in {
        "txt2img": ("start_picture", "continue_frames"),
        "img2img": ("from_picture", "latent_scale"),
    }.items():
        other = {"txt2img": "img2img", "img2img": "txt2img"}[tab]
        for name in names:
            assert page.locator(f"#vcd_{tab}_{name}").count() == 1
            assert page.locator(f"#vcd_{other}_{name}").count() == 0
