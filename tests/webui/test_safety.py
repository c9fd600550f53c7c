"""However a video ends, the WebUI's model is what it was before."""

import threading

import numpy as np
import pytest

from tests.waiting import PATIENCE, until
from tests.webui.server import Server, as_base64

MOTION = {"motion_module": "mm_v2", "frames": 4}
LONG = {**MOTION, "frames": 9, "overlap": 2, "context": 4}  # four windows


def check(server: Server, before: tuple[dict, np.ndarray]) -> None:
    assert server.get("/probe/fingerprint") == before[0]
    assert np.array_equal(server.generate(None).frames, before[1])


def test_after_a_video(server: Server, before: tuple) -> None:
    server.generate({**MOTION, "step_noise": True}, sampler_name="Euler a")
    check(server, before)


def test_after_hires_fix_and_joined_prompts(server: Server, before: tuple) -> None:
    server.generate(
        MOTION, prompt="a cat AND a dog", enable_hr=True, hr_scale=1.5, hr_upscaler="Latent", denoising_strength=0.6
    )
    check(server, before)


def test_after_a_long_video_of_joined_prompts(server: Server, before: tuple) -> None:
    server.generate({**LONG, "step_noise": True}, prompt="a cat AND a dog", sampler_name="Euler a")
    check(server, before)


@pytest.mark.parametrize("video", [MOTION, LONG], ids=["one window", "windows"])
@pytest.mark.parametrize("path", ["txt2img", "img2img"])
@pytest.mark.parametrize("call", [0, 5])
def test_after_an_exception_inside_the_unet(server: Server, before: tuple, path: str, call: int, video: dict) -> None:
    picture = {} if path == "txt2img" else {"init_images": [as_base64(before[1][0])]}
    server.post("/probe/raise", after=call).raise_for_status()
    answer = server.ask(video, path, steps=20, **picture)
    assert answer.status_code == 500
    assert "the UNet failed" in answer.text
    check(server, before)


def test_after_running_out_of_memory_which_is_told_with_what_to_do(server: Server, before: tuple) -> None:
    words = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
    server.post("/probe/raise", after=1, words=words).raise_for_status()
    answer = server.ask(LONG)
    assert answer.status_code == 500
    assert answer.json()["errors"].startswith("The memory is too small for 4 frames of 64x64 at a time; choose")
    check(server, before)


def test_after_an_interrupt_which_stops_at_once_and_returns_what_there_is(server: Server, before: tuple) -> None:
    answers = []
    server.post("/probe/parts").raise_for_status()
    thread = threading.Thread(target=lambda: answers.append(server.ask({**MOTION, "frames": 8}, steps=500)))
    thread.start()
    until(lambda: server.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"] >= 2)
    server.post("/sdapi/v1/interrupt").raise_for_status()
    thread.join(PATIENCE)
    assert answers[0].status_code == 200
    assert len(answers[0].json()["images"]) == 8
    assert len(server.get("/probe/parts")) < 500, "it stopped at once"
    check(server, before)


def test_after_an_interrupt_between_the_windows_of_a_step(server: Server, before: tuple) -> None:
    server.post("/probe/parts", interrupt_after=6).raise_for_status()
    answer = server.ask(LONG, steps=20)
    assert len(server.get("/probe/parts")) == 6, "not even the step is finished"
    assert answer.status_code == 200
    assert len(answer.json()["images"]) == 9
    check(server, before)


def test_after_a_skip_the_next_video_of_the_batch_is_made(server: Server, before: tuple) -> None:
    server.post("/probe/parts", skip_after=2).raise_for_status()
    assert server.generate(MOTION, steps=6, n_iter=2).frames.shape == (8, 64, 64, 3)
    assert len(server.get("/probe/parts")) == 2 + 6, "the first ends at once, the second has all its steps"
    check(server, before)


def test_after_a_refusal(server: Server, before: tuple) -> None:
    assert server.ask({**MOTION, "frames": 33, "context": 33}).status_code == 422
    check(server, before)


def test_after_a_video_that_could_not_be_written_its_frames_are_there_and_one_sentence(
    server: Server, before: tuple
) -> None:
    folder = f"{server.data}/config.json/videos"  # below a file, where nobody can write, not even root
    with server.options(outdir_txt2img_samples=folder):
        result = server.generate(MOTION)
    assert result.frames.shape[0] == 4
    assert result.videos == []
    [sentence] = result.extra["VCD errors"]
    assert "a video was not written" in sentence
    assert "a part of its path is a file, not a folder; choose another folder" in sentence
    check(server, before)
