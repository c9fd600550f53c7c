"""Videos that are longer than a motion module holds: in windows, whichever way the WebUI calls the UNet."""

import threading

import numpy as np
import pytest

from tests.waiting import PATIENCE, until
from tests.webui.server import Result, Server, as_base64
from tests.webui.test_video import lsb
from vcd_ext import media

LONG = {"motion_module": "mm_v2", "frames": 9, "context": 4, "overlap": 2}  # four windows
CAT = "a photo of a cat"


@pytest.fixture(scope="module")
def usual(server: Server) -> Result:
    """Make the video in windows as the WebUI usually does: with cond and uncond together."""
    return server.generate(LONG, prompt=CAT)


def test_a_video_longer_than_the_module_holds(server: Server) -> None:
    server.post("/probe/parts").raise_for_status()
    result = server.generate({"motion_module": "mm_v2", "frames": 40})
    assert set(server.get("/probe/parts")) == {2 * 16}, "cond and uncond of one window, never more"
    assert result.frames.shape == (40, 64, 64, 3)
    assert media.read(result.videos[0]).frames.shape == (40, 64, 64, 3)
    assert "VCD frames: 40, VCD context: 16, VCD overlap: 4" in result.infotext


def test_within_the_context_it_is_the_video_of_one_window(server: Server, usual: Result) -> None:
    one = server.generate({**LONG, "context": 9})
    assert np.array_equal(server.generate({**LONG, "context": 32}).frames, one.frames)
    assert lsb(usual.frames, one.frames) > 0


@pytest.mark.parametrize("prompt", [CAT, f"{CAT} AND {'fur, ' * 60}"])
def test_cond_and_uncond_together_or_apart_make_the_same_video(server: Server, usual: Result, prompt: str) -> None:
    together = usual if prompt == CAT else server.generate(LONG, prompt=prompt)
    apart = server.generate(LONG, prompt=prompt, options={"batch_cond_uncond": False})
    assert lsb(together.frames, apart.frames) <= 1


def test_joined_prompts_that_say_the_same_are_the_single_prompt(server: Server, usual: Result) -> None:
    double = server.generate(LONG, prompt=f"{CAT} :0.5 AND {CAT} :0.5")
    assert lsb(usual.frames, double.frames) <= 1


def test_hires_fix_and_img2img_work_in_windows_as_well(server: Server) -> None:
    hires = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.6}
    assert server.generate(LONG, **hires).frames.shape == (9, 96, 96, 3)
    picture = as_base64(np.full((64, 64, 3), 90, np.uint8))
    assert server.generate(LONG, "img2img", init_images=[picture]).frames.shape == (9, 64, 64, 3)


def test_a_preview_comes_while_it_is_made(server: Server) -> None:
    answers = []
    with server.options(show_progress_every_n_steps=1):
        thread = threading.Thread(target=lambda: answers.append(server.ask(LONG, steps=500)))
        thread.start()
        until(lambda: server.get("/sdapi/v1/progress")["current_image"], every=0.1)
        server.post("/sdapi/v1/interrupt").raise_for_status()
        thread.join(PATIENCE)
    assert len(answers[0].json()["images"]) == 9
