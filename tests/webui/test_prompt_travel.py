"""Prompt travel in the real WebUI: each frame has the conditions that its place among the key frames asks for.

Without motion module and gamma the frames do not meet: a key frame's picture is that of a video of its text alone.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.hosts.test_video import soft
from tests.webui.server import Result, Server, as_base64
from tests.webui.test_hosts_agree import standalone as generating
from tests.webui.test_v2v import MOVING, PRESENT, WORK, made
from tests.webui.test_v2v import standalone as remaking
from tests.webui.test_video import lsb
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import Tiling, VideoPass
from vcd_ext.settings import GenerateSettings, VideoSettings, from_infotext

__all__ = ["generating", "remaking"]

APART = {"motion_module": "none", "gamma": 0.0, "frames": 4, "formats": []}
PROMPT = "photo of,\n0: a cat\n3: a dog at night\ntinyperson"
FIRST, LAST = "photo of, a cat, tinyperson", "photo of, a dog at night, tinyperson"


def ends(server: Server, first: str, last: str, vcd: dict[str, Any] = APART, **request: Any) -> list[Result]:
    return [server.generate(vcd, prompt=text, **request) for text in (first, last)]


def check_ends(travelled: Result, first: Result, last: Result) -> None:
    assert np.array_equal(travelled.frames[0], first.frames[0])
    assert np.array_equal(travelled.frames[3], last.frames[3])
    assert not np.array_equal(first.frames[3], last.frames[3])
    for constant in (first, last):
        assert not np.array_equal(travelled.frames[1], constant.frames[1])
        assert not np.array_equal(travelled.frames[2], constant.frames[2])


def test_key_frames_are_those_of_their_texts_and_the_infotext_is_the_prompt(server: Server) -> None:
    result = server.generate(APART | {"prompt_travel": "slerp"}, prompt=PROMPT)
    check_ends(result, *ends(server, FIRST, LAST))
    assert result.infotext.startswith(f"{PROMPT}\nNegative prompt: blurry\n")
    assert "VCD prompt travel: slerp" in result.infotext
    assert from_infotext("prompt_travel", {"VCD prompt travel": "slerp", "VCD frames": "4"}) == "slerp"
    linear = server.generate(APART, prompt=PROMPT)
    assert "prompt travel" not in linear.infotext
    assert "VCD notes" not in linear.extra
    assert not np.array_equal(linear.frames[1], result.frames[1])
    assert np.array_equal(linear.frames[3], result.frames[3])


def test_the_second_pass_and_every_video_of_a_batch_travel(server: Server) -> None:
    hires = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.7, "n_iter": 2}
    travelled = server.generate(APART, prompt=PROMPT, **hires)
    first, last = ends(server, FIRST, LAST, **hires)
    assert travelled.frames.shape == (8, 128, 128, 3)
    for i, constant in ((0, first), (3, last), (4, first), (7, last)):
        assert np.array_equal(travelled.frames[i], constant.frames[i])
    own = server.generate(APART, prompt=PROMPT, **hires | {"n_iter": 1, "hr_prompt": LAST})
    assert np.array_equal(own.frames[3], last.frames[3])
    assert not np.array_equal(own.frames[0], travelled.frames[0])


def test_networks_and_styles_go_around_key_frames(server: Server, data: Path) -> None:
    lora = "<lora:tinylora:1>"
    result = server.generate(APART, prompt=f"photo of\n0: {lora} a cat\n3: {lora} a dog at night\ntinyperson")
    check_ends(result, *ends(server, f"{FIRST} {lora}", f"{LAST} {lora}"))
    some = server.generate(APART, prompt=f"photo of\n0: a cat\n3: {lora} a dog at night\ntinyperson")
    assert np.array_equal(some.frames, result.frames)
    painted = server.generate(APART, prompt=PROMPT, styles=["painted"])
    words = "oil of, photo of, {}, tinyperson, sharp"
    negative = {"negative_prompt": "blurry, ugly"}
    check_ends(painted, *ends(server, words.format("a cat"), words.format("a dog at night"), **negative))
    [note] = some.extra["VCD notes"]
    assert note == f"{lora} stands at a key frame; a network changes the model, so it is used in all frames."


def test_an_identity_is_written_for_all_frames(server: Server) -> None:
    result = server.generate(APART | {"identity": "tinyperson"}, prompt="photo of\n0: a cat\n3: a dog at night")
    check_ends(result, *ends(server, FIRST, LAST))
    assert result.infotext.startswith("photo of\n0: a cat\n3: a dog at night\ntinyperson\n")


def test_img2img_travels(server: Server) -> None:
    pictures = [as_base64((255 * frame).astype(np.uint8)) for frame in soft(4, 64, 64)]
    ask: dict[str, Any] = {"path": "img2img", "init_images": pictures, "denoising_strength": 0.8, "steps": 3}
    result = server.generate(APART, prompt=PROMPT, **ask)
    # The WebUI draws the init latents from the encoder's posterior without a seed.
    for i, constant in zip((0, 3), ends(server, FIRST, LAST, **ask), strict=True):
        assert lsb(result.frames[i], constant.frames[i]) <= 2
        assert lsb(result.frames[3 - i], constant.frames[3 - i]) > 2


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"prompt": "0: a\n4: b"}, "The prompt has the line '4: b', but the video's last frame is 3"),
        ({"negative_prompt": "0: a\n0: b"}, "The negative prompt has the line '0: b', but frame 0 has a text already"),
        ({"prompt": "-1: a"}, "The prompt has the line '-1: a', but frames count from 0"),
    ],
)
def test_a_wrong_key_frame_is_refused_before_anything_is_computed(
    server: Server, asked: dict[str, str], sentence: str
) -> None:
    server.post("/probe/parts").raise_for_status()
    answer = server.ask(APART, **asked)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert server.get("/probe/parts") == []


def test_faces_and_tiles_after_it_have_the_frames_own_texts(server: Server) -> None:
    small = {"face_size": 64, "face_min_face": 8, "tiled_tile": 128, "tiled_tile_overlap": 32,
             "tiled_upscaler": "Lanczos", "tiled_controlnet": "none", "face": True, "tiled": True}  # fmt: skip
    server.post("/probe/face", there=True).raise_for_status()
    try:
        result = server.generate(APART | small, prompt=PROMPT)
        first, last = ends(server, FIRST, LAST, APART | small)
    finally:
        server.post("/probe/face", there=False).raise_for_status()
    assert result.extra.get("VCD errors", []) == []
    assert result.infotext.startswith(PROMPT)
    # The colours of a face are calmed over its neighbours, so its frames are near to those of their texts alone.
    for i, near, far in ((0, first, last), (3, last, first)):
        apart = [np.abs(result.frames[i].astype(int) - each.frames[i]).mean() for each in (near, far)]
        assert apart[0] < apart[1] / 4, apart


@pytest.mark.parametrize(
    ("prompt", "mode"),
    [
        ("a photo of tinyperson\n0: (a cat:1.4)\n5: [a dog:a bird:0.5] in the rain\nat night", "linear"),
        ("0: a cat\n3: a dog AND tinyperson :0.6\n6: a bird", "slerp"),
        ("tinyperson\n2: a cat\n8: " + ", ".join(["a beautiful landscape"] * 24), "linear"),
    ],
    ids=["schedule", "parts", "chunks"],
)
def test_both_hosts_make_the_same_video(
    server: Server, generating: Standalone, data: Path, prompt: str, mode: str
) -> None:
    negative = "0: blurry\n4: (ugly:1.3)"
    wanted = GenerateSettings(prompt, negative, 64, 64, steps=3, cfg_scale=5.0, seed=7)
    video: dict[str, Any] = {"frames": 9, "context": 4, "overlap": 2, "prompt_travel": mode}
    asked = {"prompt": prompt, "negative_prompt": negative, "steps": 3, "width": 64, "height": 64, "cfg_scale": 5.0}
    theirs = server.generate({"motion_module": "mm_v2", **video}, **asked)
    module, embedding = data / "models/AnimateDiff/mm_v2.safetensors", data / "embeddings/tinyperson.safetensors"
    ours = generating.generate(wanted, VideoSettings(**video), module, [embedding])
    assert lsb(ours.frames, theirs.frames) <= 1


def test_both_hosts_make_the_same_of_some_frames_in_tiles_without_the_subject(
    server: Server, remaking: StandaloneVideo, data: Path
) -> None:
    frames = soft(5, 64, 128)
    tiling = {"size": 64, "overlap": 16, "elsewhere": "0: a beach\n9: a wood", "present": PRESENT}
    numbers = [3, 4, 5, 6, 8]
    work = WORK | MOVING | {"prompt": "tinyperson\n2: a cat\n7: a dog", "prompt_travel": "slerp"}
    theirs = made(server, frames, work | {"frame_numbers": numbers}, tiling=tiling)
    ours_work = work | {"motion_module": str(data / "models/AnimateDiff/mm_v2.safetensors"), "sampler": ""}
    ours_tiling = Tiling(64, 16, tiling["elsewhere"], np.array(PRESENT))
    ours = np.stack(list(remaking.denoise(frames, VideoPass(**ours_work, frame_numbers=numbers, tiling=ours_tiling))))
    assert np.abs(theirs - ours).max() < 0.02 / 255
    constant = made(server, frames, work | {"prompt": "tinyperson, a cat"}, tiling=tiling)
    assert np.abs(theirs - constant).max() > 0.5 / 255
