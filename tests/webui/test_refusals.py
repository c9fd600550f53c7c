"""Bad requests get HTTP 422 and one sentence, and change nothing."""

import json
from typing import Any

import numpy as np
import pytest
import requests

from tests.webui.server import Server

MOTION = {"motion_module": "mm_v2", "frames": 4}


@pytest.mark.parametrize(
    ("vcd", "request_", "words"),
    [
        ({"frame": 4}, {}, ["'frame'", "frames"]),
        ({"frames": "four"}, {}, ["frames", "whole number"]),
        ({"frames": 4.5}, {}, ["frames", "whole number"]),
        ({"frames": True}, {}, ["frames", "whole number"]),
        ({"frames": 0}, {}, ["frames", "from 1"]),
        ({"gamma": "0.1"}, {}, ["gamma", "a number"]),
        ({"gamma": -0.1}, {}, ["gamma", "0 to 0.5"]),
        ({"gamma": 1.0}, {}, ["gamma", "0 to 0.5"]),
        ({"gamma": None}, {}, ["gamma", "a number"]),
        ({"fps": 0}, {}, ["fps", "0.1 to 120"]),
        ({"formats": "mp4"}, {}, ["formats", "list"]),
        ({"formats": ["avi"]}, {}, ["formats", "mp4"]),
        ({"enabled": "yes"}, {}, ["enabled", "true or false"]),
        ({"motion_module": 3}, {}, ["motion_module", "a text"]),
        ({"motion_module": "absent"}, {}, ["motion_module", "absent", "mm_v2.safetensors"]),
        ({"motion_module": "../../Stable-diffusion/tiny"}, {}, ["motion_module", "not in"]),
        ({"motion_module": "broken"}, {}, ["motion_module", "damaged"]),
        ({"motion_module": "mm_v2", "frames": 33, "context": 33}, {}, ["context", "33", "32", "may be longer"]),
        ({"motion_module": "mm_v2", "context": 8, "overlap": 8}, {}, ["overlap", "8 frames"]),
        ({"identity": "nobody"}, {}, ["identity", "nobody", "tinyperson"]),
        ({"identity": "toowide"}, {}, ["identity", "96", "64"]),
        (MOTION, {"width": 68}, ["width", "68", "64 or 72"]),
        (MOTION, {"height": 100}, ["height", "100", "96 or 104"]),
        (MOTION, {"refiner_checkpoint": "tiny", "refiner_switch_at": 0.5}, ["refiner"]),
        (MOTION, {"enable_hr": True, "hr_checkpoint_name": "tiny"}, ["checkpoint"]),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_it_is_refused_by_name(server: Server, vcd: dict, request_: dict[str, Any], words: list[str]) -> None:
    answer = server.ask(vcd, **request_)
    assert answer.status_code == 422, answer.text
    sentence = answer.json()["detail"]
    for word in words:
        assert word in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(server: Server, number: str) -> None:
    # requests itself refuses to write such numbers; other clients do.
    body = json.dumps({"steps": 1, "alwayson_scripts": {"VCD": {"args": [{"enabled": True, "gamma": float(number)}]}}})
    answer = requests.post(f"{server.url}/sdapi/v1/txt2img", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "gamma" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({"is_sd1": False, "is_sdxl": True}, "an SDXL model"),
        ({"is_sd1": False, "is_sd2": True}, "an SD2 model"),
        ({"is_sd1": False, "is_sd3": True}, "not an SD1.5 model"),
    ],
)
def test_other_model_families_are_refused(server: Server, flags: dict[str, bool], name: str) -> None:
    """The WebUI's own flags are set; a model of that size is not at hand."""
    before = server.post("/probe/pretend", **flags).json()
    try:
        answer = server.ask(MOTION)
    finally:
        server.post("/probe/pretend", **before).raise_for_status()
    assert answer.status_code == 422
    assert name in answer.json()["detail"]


def test_an_inpainting_checkpoint_chosen_by_the_request_is_refused(server: Server) -> None:
    """The checkpoint is loaded after `before_process`, so it is checked after that."""
    answer = server.ask(MOTION, override_settings={"sd_model_checkpoint": "tiny-inpainting"})
    assert answer.status_code == 422, answer.text
    assert "an inpainting model" in answer.json()["detail"]
    assert server.generate(MOTION).frames.shape[0] == 4  # and the WebUI is back on its own


def test_a_replaced_unet_is_refused(server: Server) -> None:
    with server.options(sd_unet="probe's UNet"):
        answer = server.ask(MOTION)
    assert answer.status_code == 422
    assert "probe's UNet" in answer.json()["detail"]


def test_context_and_overlap_do_not_hold_for_the_noise_prior_alone(server: Server) -> None:
    alone = {"frames": 40, "context": 4, "overlap": 9, "formats": []}
    assert server.generate(alone, steps=1).frames.shape[0] == 40


def test_a_disabled_request_is_a_plain_batch(server: Server) -> None:
    plain = server.generate(None, batch_size=2)
    disabled = server.generate({"enabled": False, **MOTION}, batch_size=2)
    assert np.array_equal(plain.frames, disabled.frames)
    assert "VCD" not in disabled.infotext


def test_the_lists_name_what_can_be_used(server: Server) -> None:
    assert server.get("/vcd/v1/identities") == ["tinyperson"]
    assert "mm_v2.safetensors" in server.get("/vcd/v1/motion-modules")
    assert "theirs.safetensors" in server.get("/vcd/v1/motion-modules"), "sd-webui-animatediff's folder counts too"
    assert server.get("/vcd/v1/health")["checkpoint"] == "tiny.safetensors"
