"""`generate` with motion LoRAs and other motion modules: by options and by the prompt, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.conftest import Files
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.face import Detection


@pytest.fixture
def call(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a small job in the current folder, with two LoRAs beside it."""
    monkeypatch.chdir(tmp_path)
    tiny.motion_lora(tmp_path / "loras", "pan", suffix=".ckpt")
    tiny.domain_adapter(tmp_path / "loras", "domain")
    models = {"checkpoint": files.checkpoint, "motion-module": files.motion_module, "loras": "loras"}
    sizes = {"width": 64, "height": 64, "steps": 1, "frames": 2, "cfg-scale": 1, "seed": 3, "face-size": 64}
    return ["generate", *(f"--{name}={value}" for name, value in {**models, **sizes}.items())]


def frames(call: list[str], *options: str) -> np.ndarray:
    assert main([*call, *options, "--out", "clip.png"]) == 0
    made = media.read(Path("clip")).frames
    for path in Path("clip").iterdir():
        path.unlink()
    Path("clip").rmdir()
    return made


def test_options_and_prompt_mean_the_same(call: list[str]) -> None:
    plain = frames(call, "--prompt=a photo")
    by_option = frames(call, "--prompt=a photo", "--motion-lora=pan", "--motion-lora-weight=0.5")
    by_prompt = frames(call, "--prompt=a photo<lora:pan:0.5>")
    both = frames(call, "--prompt=a photo<lora:pan:0.5><lora:domain:1>")
    assert not np.array_equal(plain, by_option)
    assert np.array_equal(by_prompt, by_option)
    assert not np.array_equal(both, by_option)


def test_face_vcd_after_it_reads_the_same_prompt(
    call: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vcd_ext.face.detector", lambda *_: lambda frame: [Detection((16.0, 24.0, 40.0, 48.0), 0.9)])
    prompt = "a photo <lora:pan:0.8>, <lora:domain:0.5>"
    assert main([*call, f"--prompt={prompt}", "--face", "--face-min-face=8", "--out=clip.mp4"]) == 0
    assert media.read(tmp_path / "clip.mp4").metadata["parameters"].startswith(prompt)


def test_a_module_of_version_1_and_one_for_few_steps(call: list[str], tmp_path: Path, capsys: Any) -> None:
    first = tiny.motion_module(tmp_path, "v1")
    lightning = tiny.motion_module(tmp_path, "v2", diffusers=True)
    lightning = lightning.rename(tmp_path / "animatediff_lightning_1step_diffusers.safetensors")
    assert frames(call, "--prompt=a", f"--motion-module={first}").std() > 10
    assert "made for" not in capsys.readouterr().err
    frames(call, "--prompt=a", f"--motion-module={lightning}", "--sampler=euler_sgm")
    assert "made for" not in capsys.readouterr().err
    frames(call, "--prompt=a", f"--motion-module={lightning}", "--sampler=ddim", "--steps=2")
    said = capsys.readouterr().err
    assert "is Lightning, which is made for sampler Euler with schedule SGM Uniform, 1 step, CFG scale 1;" in said


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--prompt=a <lora:gone:1>"], "has <lora:gone:1>, which is not among the LoRAs that were given"),
        (["--prompt=a <lora:pan:much>"], "whose weight is no number"),
        (["--prompt=a", "--motion-lora=gone.ckpt"], "There is no motion LoRA at gone.ckpt"),
        (["--prompt=a", "--loras=nowhere"], "There is no LoRA at nowhere"),
    ],
)
def test_what_cannot_be_is_one_sentence(call: list[str], capsys: Any, options: list[str], reason: str) -> None:
    assert main([*call, *options]) == 2
    said = capsys.readouterr().err.strip()
    assert reason in said
    assert len(said.splitlines()) == 1
    assert not Path("video.mp4").exists()
