"""Two independent ways to the same video: the WebUI's LDM UNet and samplers, and the standalone host's diffusers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.webui.server import Server
from tests.webui.test_video import lsb
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.settings import GenerateSettings, VideoSettings

SAMPLERS = {  # as the WebUI names them, with their schedules
    "euler": ("Euler", "Automatic"),
    "ddim": ("DDIM", "Automatic"),
    "dpmpp_2m": ("DPM++ 2M", "Karras"),
    "lcm": ("LCM", "Automatic"),
    "euler_sgm": ("Euler", "SGM Uniform"),
}


@pytest.fixture(scope="module")
def standalone(data: Path) -> Standalone:
    return Standalone.load(data / "models/Stable-diffusion/tiny.safetensors")


@pytest.mark.parametrize(
    ("module", "picture", "video"),
    [
        *(("mm_v2", {}, {"frames": 4, "gamma": gamma}) for gamma in (0.0, 0.3)),
        ("mm_v3", {}, {"frames": 4, "gamma": 0.3}),
        ("none", {}, {"frames": 4, "gamma": 0.3}),
        ("mm_v2", {}, {"frames": 9, "context": 4, "overlap": 2}),
        ("mm_v2", {"sampler": "lcm", "steps": 5}, {"frames": 3, "gamma": 0.3, "step_noise": True}),
        ("mm_v2", {"sampler": "euler_sgm", "cfg_scale": 1.0}, {"frames": 2}),
        ("mm_v2", {"sampler": "dpmpp_2m", "steps": 6}, {"frames": 2}),
        ("none", {"sampler": "ddim", "steps": 12}, {"frames": 2}),
        ("mm_v2", {"height": 72, "width": 88}, {"frames": 2}),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(f"{name} {value[name]}" for name in value),
)
def test_the_same_files_and_settings_make_the_same_frames(
    server: Server, standalone: Standalone, data: Path, module: str, picture: dict[str, Any], video: dict[str, Any]
) -> None:
    wanted = GenerateSettings("a photo of a cat, tinyperson", "blurry", 64, 64, steps=4, cfg_scale=7.0, seed=7)
    wanted = replace(wanted, **picture)
    sampler, schedule = SAMPLERS[wanted.sampler]
    theirs = server.generate(
        {"motion_module": module, **video},
        prompt=wanted.prompt,
        steps=wanted.steps,
        width=wanted.width,
        height=wanted.height,
        cfg_scale=wanted.cfg_scale,
        sampler_name=sampler,
        scheduler=schedule,
    )
    ours = standalone.generate(
        wanted,
        VideoSettings(**video),
        None if module == "none" else data / "models/AnimateDiff" / f"{module}.safetensors",
        [data / "embeddings" / "tinyperson.safetensors"],
    )
    assert lsb(ours.frames, theirs.frames) <= 1


@pytest.mark.parametrize(
    "prompt",
    [
        "a photo of (a cat:1.4), [blurry], tinyperson",
        "a photo of [a cat:a dog:0.5], [tinyperson|a bird] at night",
        "a cat AND a dog :0.6 AND tinyperson on the beach :-0.3",
        "a cat BREAK tinyperson AND " + "a long list, " * 30 + "with a word that [begins:2] late",
        "a photo of (tinyperson:1.3), " + ", ".join(["a beautiful landscape"] * 24) + " and more :1.2",
    ],
    ids=["emphasis", "editing", "parts", "chunks", "long"],
)
def test_a_prompt_in_the_webuis_syntax_makes_the_same_frames(
    server: Server, standalone: Standalone, data: Path, prompt: str
) -> None:
    negative = "[blurry:ugly:2], (bad:1.3) AND worse"
    wanted = GenerateSettings(prompt, negative, 64, 64, steps=5, cfg_scale=5.0, seed=7)
    video: dict[str, Any] = {"frames": 2, "gamma": 0.3}
    asked = {"prompt": prompt, "negative_prompt": negative, "steps": 5, "width": 64, "height": 64, "cfg_scale": 5.0}
    theirs = server.generate({"motion_module": "mm_v2", **video}, **asked, scheduler="Automatic")
    module, embedding = data / "models/AnimateDiff/mm_v2.safetensors", data / "embeddings/tinyperson.safetensors"
    ours = standalone.generate(wanted, VideoSettings(**video), module, [embedding])
    assert lsb(ours.frames, theirs.frames) <= 1
