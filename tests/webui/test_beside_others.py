"""Stages, the tabs' jobs and trainings beside what others do: their functions, merged tokens, another checkpoint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.hosts.test_video import soft
from tests.webui.server import Result, Server, as_base64
from tests.webui.test_pipeline import BOTH, notes
from tests.webui.test_safety import check
from tests.webui.test_training import SETTINGS
from tests.webui.test_v2v import ask, made, unpacked
from vcd_ext import media
from vcd_ext.media import Clip

TILES = {"work": {"motion_module": "mm_v2"}, "tiling": {"size": 64, "overlap": 16}}
FRAMES = soft(3, 64, 96)
SET_ASIDE = "What probe had put into the UNet was set aside, as it was made for another picture."
MEANWHILE = "The checkpoint another was chosen meanwhile; this was begun with tiny, and goes on with it."


pytestmark = pytest.mark.usefixtures("_a_face_in_each_picture")


@pytest.fixture(scope="module")
def tiles(server: Server) -> np.ndarray:
    """Return what a job of a tab gives when nothing is in its way."""
    return made(server, FRAMES, **TILES)


@pytest.fixture(scope="module")
def followed(server: Server) -> Result:
    """Return a video with Face VCD and Tiled VCD behind it."""
    return server.generate(BOTH)


@pytest.fixture
def another(server: Server) -> Iterator[str]:
    """Choose a second checkpoint of the same kind, by its title; the first is chosen again at the end."""
    file = tiny.checkpoint(server.data / "models/Stable-diffusion", "another", seed=5)
    server.post("/sdapi/v1/refresh-checkpoints").raise_for_status()
    titles = {model["model_name"]: model["title"] for model in server.get("/sdapi/v1/sd-models")}
    yield titles["another"]
    server.post("/sdapi/v1/options", sd_model_checkpoint=titles["tiny"]).raise_for_status()
    for path in (file, file.with_suffix(".yaml")):
        path.unlink()
    server.post("/sdapi/v1/refresh-checkpoints").raise_for_status()


@pytest.fixture
def hung(server: Server) -> Iterator[dict[str, Any]]:
    """Functions of another extension on the UNet; at the end what became of them."""
    left: dict[str, Any] = {}
    server.post("/probe/hang").raise_for_status()
    yield left
    left.update(server.post("/probe/unhang").json())
    assert left["there"], "they are there again"


def test_a_tabs_job_hears_nothing_of_what_an_extension_has_left_in_the_unet(
    server: Server, tiles: np.ndarray, hung: dict[str, Any]
) -> None:
    answer = ask(server, FRAMES, **TILES).json()
    assert np.array_equal(unpacked(answer["frames"]), tiles)
    assert answer["notes"] == [SET_ASIDE]
    server.post("/probe/raise", after=1).raise_for_status()
    assert ask(server, FRAMES, **TILES).status_code == 500
    hung.update(server.post("/probe/unhang").json())
    assert hung["there"], "also after an error"
    assert set(hung["calls"].values()) == {0}


def test_the_stages_after_a_video_hear_nothing_of_it_and_the_video_does(server: Server, hung: dict[str, Any]) -> None:
    result = server.generate(BOTH)
    assert notes(result) == [SET_ASIDE]
    assert result.extra.get("VCD errors", []) == []
    hung.update(server.post("/probe/unhang").json())
    assert hung["there"]
    assert hung["calls"]["UNet"] == hung["calls"]["model"] == 2, "the steps of the video itself"


def test_a_training_hears_nothing_of_it(server: Server, hung: dict[str, Any]) -> None:
    run = server.post("/probe/train").json()
    assert run["after"] == run["before"]
    hung.update(server.post("/probe/unhang").json())
    assert set(hung["calls"].values()) == {0}
    assert run["within"]["loss"] == server.post("/probe/train").json()["within"]["loss"]


def test_tokens_are_merged_in_no_stage_whatever_the_settings_say(
    server: Server, tiles: np.ndarray, followed: Result, before: tuple
) -> None:
    with server.options(token_merging_ratio=0.5, token_merging_ratio_img2img=0.5):
        assert np.array_equal(made(server, FRAMES, **TILES), tiles)
        assert server.generate(BOTH).extra.get("VCD errors", []) == []
    with server.options(token_merging_ratio_img2img=0.5):
        assert np.array_equal(server.generate(BOTH).frames, followed.frames)
    check(server, before)


def test_tokens_that_an_extension_merges_past_the_settings_are_merged_after_a_stage_only(
    server: Server, tiles: np.ndarray
) -> None:
    server.post("/probe/merge", ratio=0.5).raise_for_status()
    try:
        blocks = server.get("/probe/merging")
        assert np.array_equal(made(server, FRAMES, **TILES), tiles)
        assert server.get("/probe/merging") == blocks > 0
    finally:
        server.post("/probe/merge", ratio=0).raise_for_status()


def test_a_checkpoint_that_is_chosen_meanwhile_takes_effect_after_the_last_stage(
    server: Server, followed: Result, another: str
) -> None:
    server.post("/probe/choose", title=another, after=1).raise_for_status()
    result = server.generate(BOTH)
    assert np.array_equal(result.frames, followed.frames)
    assert notes(result) == [MEANWHILE]
    assert "Model: tiny," in result.infotext
    assert server.get("/probe/chosen") == another
    assert "Model: another," in server.generate(None).infotext


@pytest.mark.parametrize("path", ["txt2img", "img2img"])
def test_each_video_of_a_request_is_painted_with_the_first_ones_checkpoint(
    server: Server, another: str, before: tuple, path: str
) -> None:
    request: dict[str, Any] = {"n_iter": 2, "steps": 2}
    if path == "img2img":
        request |= {"init_images": [as_base64(before[1][0])], "denoising_strength": 1.0}
    vcd = {"motion_module": "mm_v2", "frames": 2}
    wanted = server.generate(vcd, path, **request)
    server.post("/probe/choose", title=another, after=1).raise_for_status()
    assert np.array_equal(server.generate(vcd, path, **request).frames, wanted.frames)


def test_a_job_that_waits_is_done_with_the_checkpoint_of_its_beginning(server: Server, another: str) -> None:
    source = media.write(server.data / "outputs/waits.mp4", Clip((255 * np.stack(FRAMES)).astype(np.uint8), 8))
    settings = {"tile": 128, "tile_overlap": 32, "steps": 2, "seed": 3, "upscaler": "Lanczos", "controlnet": "none"}
    request = {"work": "tiled", "source": str(source), "settings": settings}
    plain = server.post("/probe/waiting", **request).json()
    job = server.post("/probe/waiting", **request, title=another).json()
    assert (job["state"], job["error"]) == ("done", "")
    assert MEANWHILE in job["notes"]
    frames = [media.read(Path(done["files"][0])).frames for done in (plain, job)]
    assert np.array_equal(*frames)
    assert server.get("/probe/chosen") == another


def test_a_training_that_waits_is_done_with_the_checkpoint_of_its_beginning(server: Server, another: str) -> None:
    settings = SETTINGS | {"name": "waitling", "masked": False}
    job = server.post("/probe/waiting", work="train", settings=settings, title=another).json()
    assert (job["state"], job["error"]) == ("done", "")
    assert job["checkpoint"] == "tiny.safetensors"
    assert MEANWHILE in job["notes"]
    for path in (server.data / "embeddings").glob("waitling*"):
        path.unlink()
    server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


@pytest.mark.parametrize("work", ["tiled", "train"])
def test_a_job_that_waits_for_the_queue_ends_at_once_when_it_is_stopped(server: Server, work: str) -> None:
    source = media.write(server.data / "outputs/waits.mp4", Clip((255 * np.stack(FRAMES)).astype(np.uint8), 8))
    settings = {"seed": 3} if work == "tiled" else SETTINGS | {"name": "waitling"}
    job = server.post("/probe/waiting", work=work, source=str(source), settings=settings, stop=True).json()
    assert (job["state"], job["error"], job["files"]) == ("stopped", "", [])


def test_faces_are_found_in_their_turn_and_hear_no_interrupt_of_before(server: Server) -> None:
    source = media.write(server.data / "outputs/waits.mp4", Clip((255 * np.stack(FRAMES)).astype(np.uint8), 8))
    answer = server.post("/probe/find", source=str(source)).json()
    assert answer["early"] == [], "somebody else had the turn"
    [shape] = answer["found"]
    assert shape[2] == 3, "the sheet of the people"
