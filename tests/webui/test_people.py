"""Several people in the real WebUI: regions hear their own words, as in the standalone host, and nothing is left."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.webui.probe.crossing import Crossing
from tests.webui.server import Server, as_base64
from tests.webui.test_hosts_agree import standalone
from tests.webui.test_video import lsb
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.shared.passes import generation_pass
from vcd_ext.people import RegionalTexts
from vcd_ext.progress import Callbacks
from vcd_ext.settings import GenerateSettings, VideoSettings, from_infotext
from vcd_ext.stages.following import followed_in_first_pass

__all__ = ["standalone"]

PEOPLE = "tinyperson, [a cat:a bird:0.5] @ left\n- (a dog at night:1.3) @ right"
CROSSING = PEOPLE.replace("@ ", "@ followed ")
FOUND_OUT = "A first pass finds out where those are who are followed."
FRAMES = 3
TWO: dict[str, Any] = {"motion_module": "mm_v2", "frames": 3, "people": PEOPLE}


@pytest.mark.parametrize(
    ("prompt", "negative", "video"),
    [
        ("a beach", "blurry", {"frames": 3, "people_base": 0.0, "people_border": 0.4}),
        ("a beach :0.7 AND " + "a long list, " * 30, "blurry, " * 30, {"frames": 3}),
        ("a wood\n0: a beach\n4: a street", "0: blurry\n3: ugly", {"frames": 5, "context": 3, "overlap": 1}),
    ],
    ids=["plain", "parts and chunks", "key frames in windows"],
)
def test_both_hosts_make_the_same_video(
    server: Server, standalone: Standalone, data: Path, prompt: str, negative: str, video: dict[str, Any]
) -> None:
    video = {"people": PEOPLE, **video}
    wanted = GenerateSettings(prompt, negative, 64, 64, steps=4, cfg_scale=5.0, seed=7)
    asked = {"prompt": prompt, "negative_prompt": negative, "steps": 4, "width": 64, "height": 64, "cfg_scale": 5.0}
    theirs = server.generate({"motion_module": "mm_v2", **video}, **asked, scheduler="Automatic")
    module, embedding = data / "models/AnimateDiff/mm_v2.safetensors", data / "embeddings/tinyperson.safetensors"
    ours = standalone.generate(wanted, VideoSettings(**video), module, [embedding])
    assert lsb(ours.frames, theirs.frames) <= 1


def test_faces_and_tiles_know_who_is_where_and_the_model_is_what_it_was(
    server: Server, before: tuple[dict[str, Any], np.ndarray]
) -> None:
    small = {"face_size": 64, "face_min_face": 8, "tiled_tile": 128, "tiled_tile_overlap": 32,
             "tiled_upscaler": "Lanczos", "tiled_controlnet": "none", "face": True, "tiled": True}  # fmt: skip
    server.post("/probe/face", there=True).raise_for_status()
    try:
        result = server.generate(TWO | small, prompt="two in a wood")
    finally:
        server.post("/probe/face", there=False).raise_for_status()
    assert result.extra.get("VCD errors", []) == []
    assert result.frames.shape[1:3] == (128, 128)
    assert result.infotext.startswith("two in a wood\n")
    assert from_infotext("people", {"VCD people": PEOPLE, "VCD frames": "3"}) == PEOPLE
    assert 'VCD people: "tinyperson' in result.infotext
    server.post("/probe/raise", after=1).raise_for_status()
    assert server.ask(TWO).status_code == 500
    assert server.get("/probe/fingerprint") == before[0]
    assert np.array_equal(server.generate(None).frames, before[1])


@pytest.fixture
def _crossing(server: Server) -> Iterator[None]:
    """Let two faces cross in whatever the WebUI looks at."""
    server.post("/probe/face", there=True, crossing=FRAMES).raise_for_status()
    yield
    server.post("/probe/face", there=False).raise_for_status()


@pytest.mark.usefixtures("_crossing")
@pytest.mark.parametrize("n_iter", [1, 2])
def test_who_is_followed_has_the_same_regions_in_both_hosts(
    server: Server, standalone: Standalone, data: Path, before: tuple[dict[str, Any], np.ndarray], n_iter: int
) -> None:
    picture = GenerateSettings("a beach", "blurry", 64, 64, steps=4, cfg_scale=5.0, seed=7 + FRAMES * (n_iter - 1))
    video = VideoSettings(frames=FRAMES, people=CROSSING)
    asked = {"prompt": "a beach", "steps": 4, "cfg_scale": 5.0, "n_iter": n_iter}
    theirs = server.generate({"motion_module": "mm_v2", "frames": FRAMES, "people": CROSSING}, **asked)
    module, embedding = data / "models/AnimateDiff/mm_v2.safetensors", data / "embeddings/tinyperson.safetensors"
    work = generation_pass(picture, video, module, regional=RegionalTexts.of(video.several))
    told, size = Callbacks(lambda _: None, lambda _: None, lambda: False), (64, 64)
    maker = StandaloneVideo(standalone, [embedding])
    regions = followed_in_first_pass(maker, size, FRAMES, work, Crossing(FRAMES), told).regions
    ours = standalone.generate(picture, video, module, [embedding], regions=regions)
    still = standalone.generate(picture, VideoSettings(frames=FRAMES, people=PEOPLE), module, [embedding])
    assert lsb(ours.frames, theirs.frames[-FRAMES:]) <= 1
    assert lsb(still.frames, theirs.frames[-FRAMES:]) > 1
    assert theirs.extra["VCD notes"].count(FOUND_OUT) == 1
    assert server.get("/probe/fingerprint") == before[0]
    assert np.array_equal(server.generate(None).frames, before[1])


@pytest.mark.usefixtures("_crossing")
def test_in_a_video_that_is_made_again_people_are_found_without_a_first_pass(server: Server) -> None:
    video: dict[str, Any] = {"motion_module": "mm_v2", "frames": FRAMES}
    request = {"path": "img2img", "init_images": [as_base64(np.full((64, 64, 3), 90, np.uint8))]}
    followed = server.generate(video | {"people": CROSSING}, **request)
    still = server.generate(video | {"people": PEOPLE}, **request)
    assert "VCD notes" not in followed.extra
    assert lsb(followed.frames, still.frames) > 1


def test_where_nobody_is_found_regions_stay_and_this_is_told(server: Server) -> None:
    video: dict[str, Any] = {"motion_module": "mm_v2", "frames": FRAMES}
    result = server.generate(video | {"people": CROSSING})
    still = server.generate(video | {"people": PEOPLE})
    assert result.extra["VCD notes"] == [
        FOUND_OUT,
        "tinyperson was not found in the first pass, so the region stays where it begins.",
        "(a dog at night:1.3) was not found in the first pass, so the region stays where it begins.",
    ]
    assert np.array_equal(result.frames, still.frames)


@pytest.mark.parametrize(
    ("vcd", "sentence"),
    [
        ({"people": "nobody @ left"}, "People has 'nobody', which is no identity that is here; there: "),
        ({"people": "tinyperson @ left\ntinyperson @ right"}, "People has tinyperson twice"),
        ({"people": "tinyperson @ left", "identity": "tinyperson"}, "tinyperson is the identity of the whole video"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(server: Server, vcd: dict[str, str], sentence: str) -> None:
    answer = server.ask({"frames": 2, **vcd})
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
