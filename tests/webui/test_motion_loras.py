"""Motion LoRAs and more motion modules in the real WebUI, against the command line's host on the same files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.webui.server import Server
from tests.webui.test_hosts_agree import SAMPLERS
from tests.webui.test_video import lsb, vcd_part
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.loras import lora_files
from vcd_ext.settings import GenerateSettings, VideoSettings

PROMPT = "a photo of a cat"
LCM_PROMPT = f"{PROMPT} <lora:AnimateLCM_sd15_t2v_lora:0.8>"
PICTURE = {"sampler", "steps", "cfg_scale"}  # the others are the video's settings
BOTH = f"{PROMPT} <lora:v2_lora_PanLeft:0.8> <lora:zoom_out:0.5>"


@pytest.fixture(scope="module")
def standalone(data: Path) -> Standalone:
    host = Standalone.load(data / "models/Stable-diffusion/tiny.safetensors")
    host.loras = lora_files([data / "models/Lora", data / "models/MotionLora"])
    return host


def made(standalone: Standalone, data: Path, module: str, prompt: str = PROMPT, **asked: Any) -> np.ndarray:
    picture = {"steps": 2, "cfg_scale": 7.0} | {name: asked.pop(name) for name in PICTURE & {*asked}}
    wanted = GenerateSettings(prompt, "blurry", 64, 64, seed=7, **picture)
    path = data / "models/AnimateDiff" / f"{module}.safetensors"
    return standalone.generate(wanted, VideoSettings(frames=3, gamma=0.15, **asked), path).frames


def test_motion_loras_move_both_hosts_alike_and_are_off_afterwards(
    server: Server, standalone: Standalone, data: Path, before: tuple[dict, np.ndarray]
) -> None:
    plain = server.generate({"motion_module": "mm_v2", "frames": 3})
    chosen = {"motion_lora": "v2_lora_PanLeft", "motion_lora_weight": 0.7}
    two = server.generate({"motion_module": "mm_v2", "frames": 3}, prompt=BOTH)
    one = server.generate({"motion_module": "mm_v2", "frames": 3, **chosen})
    again = server.generate({"motion_module": "mm_v2", "frames": 3})
    assert lsb(plain.frames, one.frames) > 3
    assert lsb(one.frames, two.frames) > 3
    assert np.array_equal(plain.frames, again.frames)
    assert lsb(two.frames, made(standalone, data, "mm_v2", BOTH)) <= 1
    assert lsb(one.frames, made(standalone, data, "mm_v2", **chosen)) <= 1
    assert "VCD motion lora: v2_lora_PanLeft, VCD motion lora weight: 0.7" in vcd_part(one.infotext)
    assert two.info["prompt"] == BOTH
    assert "Lora hashes" not in two.extra, "the WebUI's own LoRAs were told nothing of them"
    assert "motion lora" not in vcd_part(plain.infotext)
    fingerprint, picture = before
    assert server.get("/probe/fingerprint") == fingerprint
    assert np.array_equal(server.generate(None).frames, picture)


def test_other_loras_and_the_domain_adapter_make_the_same_frames_in_both_hosts(
    server: Server, standalone: Standalone, data: Path, before: tuple[dict, np.ndarray]
) -> None:
    plain = server.generate({"motion_module": "mm_v3", "frames": 3})
    for lora in ("<lora:tinylora:0.7>", "<lora:v3_sd15_adapter:0.8>"):
        theirs = server.generate({"motion_module": "mm_v3", "frames": 3}, prompt=f"{PROMPT} {lora}")
        assert lsb(theirs.frames, plain.frames) > 3
        assert lsb(theirs.frames, made(standalone, data, "mm_v3", f"{PROMPT} {lora}")) <= 1
    fingerprint, picture = before
    assert np.array_equal(server.generate(None).frames, picture)
    assert server.get("/probe/fingerprint")["hooks"] == fingerprint["hooks"]


def test_what_cannot_be_is_refused_in_a_sentence(server: Server) -> None:
    for vcd, prompt, words in (
        ({"motion_lora": "for_wide"}, PROMPT, "for_wide is a motion LoRA for another motion module"),
        ({"motion_module": "mm_v3"}, BOTH, "v2_lora_PanLeft is a motion LoRA for another motion module"),
        ({"motion_lora": "gone"}, PROMPT, "motion_lora is 'gone', which is not in the folders of LoRAs"),
        ({}, f"{PROMPT} <lora:zoom_out:much>", "whose weight is no number"),
    ):
        answer = server.ask({"motion_module": "mm_v2", "frames": 3} | vcd, prompt=prompt)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]


def test_version_1_and_diffusers_names_make_the_same_frames_in_both_hosts(
    server: Server, standalone: Standalone, data: Path, before: tuple[dict, np.ndarray]
) -> None:
    first = server.generate({"motion_module": "mm_v1", "frames": 3})
    assert lsb(first.frames, made(standalone, data, "mm_v1")) <= 1
    theirs = server.generate({"motion_module": "zz_in_diffusers_names", "frames": 3})
    assert np.array_equal(theirs.frames, server.generate({"motion_module": "mm_v2", "frames": 3}).frames)
    fingerprint, picture = before
    assert server.get("/probe/fingerprint") == fingerprint
    assert np.array_equal(server.generate(None).frames, picture)


@pytest.mark.parametrize(
    ("module", "sampler", "asked"),
    [
        ("mm_AnimateLCM", "lcm", {"steps": 6, "cfg_scale": 2.0, "prompt": LCM_PROMPT}),
        ("animatediff_lightning_4step_comfyui", "euler_sgm", {"steps": 4, "cfg_scale": 1.0}),
        ("animatediff_lightning_2step_diffusers", "euler_sgm", {"steps": 2, "cfg_scale": 1.0}),
    ],
)
def test_modules_for_few_steps_make_the_same_frames_in_both_hosts(
    server: Server, standalone: Standalone, data: Path, module: str, sampler: str, asked: dict[str, Any]
) -> None:
    """With what *Set all of it* sets; with other settings a sentence says what they are made for."""
    video = {"motion_module": module, "frames": 3}
    name, schedule = SAMPLERS[sampler]
    theirs = server.generate(video, sampler_name=name, scheduler=schedule, **asked)
    assert "VCD notes" not in theirs.extra
    assert lsb(theirs.frames, made(standalone, data, module, sampler=sampler, **asked)) <= 1
    [note] = server.generate(video, steps=1).extra["VCD notes"]
    assert note.endswith("with other settings it is blurred or burnt.")


def test_stages_after_the_video_leave_motion_loras_alone(server: Server, before: tuple[dict, np.ndarray]) -> None:
    tiled = {"tiled": True, "tiled_upscaler": "Lanczos", "tiled_tile": 64, "tiled_tile_overlap": 16}
    vcd = {"motion_module": "mm_v2", "frames": 2, **tiled}
    result = server.generate(vcd, prompt=f"{BOTH} <lora:v3_sd15_adapter:0.8>", steps=1)
    assert "VCD errors" not in result.extra
    assert result.frames.shape == (2, 128, 128, 3)
    assert server.get("/probe/fingerprint")["hooks"] == before[0]["hooks"]
