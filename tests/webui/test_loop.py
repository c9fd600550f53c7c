"""Closed loops, FreeNoise, FreeInit and Speed in the WebUI: the frames of the other host, nothing left behind."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.waiting import PATIENCE, until
from tests.webui.server import Server, as_base64
from tests.webui.test_hosts_agree import standalone  # noqa: F401
from tests.webui.test_video import lsb
from vcd_ext import media
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.media.order import frame_order
from vcd_ext.settings import GenerateSettings, VideoSettings

PLAIN = {"motion_module": "mm_v2", "frames": 8, "context": 4, "overlap": 2, "gamma": 0.3}
TRIED: dict[str, dict[str, Any]] = {
    "a loop": {"loop": True, "order": "ping-pong"},
    "without FreeNoise": {"freenoise": False},
    "FreeInit": {"freeinit": 1},
    "fastest": {"speed": "fastest"},
    "all": {"loop": True, "freenoise": True, "freeinit": 1},
}


@pytest.mark.parametrize("tried", TRIED.values(), ids=TRIED.keys())
def test_both_hosts_make_the_same_frames_and_the_next_video_is_what_it_was(
    server: Server,
    standalone: Standalone,  # noqa: F811
    data: Path,
    tried: dict[str, Any],
) -> None:
    before = server.generate(PLAIN)
    theirs = server.generate({**PLAIN, **tried})
    wanted = GenerateSettings("a photo of a cat", "blurry", 64, 64, steps=2, cfg_scale=7.0, seed=7)
    asked = {name: value for name, value in {**PLAIN, **tried}.items() if name != "motion_module"}
    ours = standalone.generate(wanted, VideoSettings(**asked), data / "models/AnimateDiff/mm_v2.safetensors")
    assert lsb(ours.frames, theirs.frames) <= 1
    assert lsb(before.frames, theirs.frames) > (0 if "speed" in tried else 5), "the second of two steps is a small one"
    assert np.array_equal(server.generate(PLAIN).frames, before.frames)
    assert "VCD closed loop" not in before.infotext
    assert "VCD speed" not in before.infotext
    assert ("VCD speed: fastest" in theirs.infotext) == ("speed" in tried)
    assert ("VCD closed loop: True" in theirs.infotext) == ("loop" in tried)
    assert len(media.read(theirs.videos[0]).frames) == len(frame_order(8, tried.get("order", "forward")))


def test_free_init_is_several_jobs_and_an_interrupt_ends_all_of_them(server: Server) -> None:
    answers = []
    asked = {**PLAIN, "freeinit": 2}
    thread = threading.Thread(target=lambda: answers.append(server.ask(asked, steps=150, sampler_name="Euler a")))
    thread.start()
    until(lambda: server.get("/sdapi/v1/progress")["state"]["sampling_step"] > 0, every=0.1)
    assert server.get("/sdapi/v1/progress")["state"]["job_count"] == 3
    server.post("/sdapi/v1/interrupt").raise_for_status()
    thread.join(PATIENCE)
    assert len(answers[0].json()["images"]) == 8


def test_free_init_of_a_given_picture_is_refused(server: Server) -> None:
    picture = as_base64(np.full((64, 64, 3), 90, np.uint8))
    refused = server.ask({**PLAIN, "freeinit": 2}, "img2img", init_images=[picture])
    assert refused.status_code == 422
    assert "freeinit is 2; FreeInit samples again from pure noise" in refused.text
