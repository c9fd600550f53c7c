"""Motion LoRAs on the command line's host: by setting, by prompt, in a video from text and in one made again."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests import tiny
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.loras import lora_files
from vcd_ext.hosts.diffusers.restyle import restyle
from vcd_ext.settings import GenerateSettings, VideoSettings

PICTURE = GenerateSettings("a photo of a cat", "", 64, 64, steps=1, cfg_scale=1.0, seed=7)
VIDEO = VideoSettings(frames=2)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("models")
    tiny.motion_lora(folder / "loras", "pan", suffix=".ckpt")
    tiny.motion_lora(folder / "loras", "zoom", names="peft", seed=1)
    return SimpleNamespace(
        checkpoint=tiny.checkpoint(folder), module=tiny.motion_module(folder), loras=lora_files([folder / "loras"])
    )


@pytest.fixture(scope="module")
def host(files: SimpleNamespace) -> Standalone:
    host = Standalone.load(files.checkpoint)
    host.loras = files.loras
    return host


def test_setting_and_prompt_mean_the_same_and_nothing_stays(host: Standalone, files: SimpleNamespace) -> None:
    def frames(prompt: str = PICTURE.prompt, **video: object) -> np.ndarray:
        clip = host.generate(replace(PICTURE, prompt=prompt), replace(VIDEO, **video), files.module)
        return clip.frames

    plain = frames()
    by_setting = frames(motion_lora=str(files.loras["pan"]), motion_lora_weight=0.5)
    assert not np.array_equal(by_setting, plain)
    assert np.array_equal(frames(f"{PICTURE.prompt}<lora:pan:0.5>"), by_setting)
    both = frames(f"{PICTURE.prompt}<lora:zoom:1>", motion_lora="pan", motion_lora_weight=0.5)
    assert not np.array_equal(both, by_setting)
    assert np.array_equal(frames(), plain)


def test_the_infotext_names_it_as_the_webui_does(host: Standalone, files: SimpleNamespace) -> None:
    video = replace(VIDEO, motion_lora=str(files.loras["pan"]), motion_lora_weight=-0.5)
    text = host.generate(PICTURE, video, files.module).metadata["parameters"]
    assert "VCD motion lora: pan, VCD motion lora weight: -0.5" in text
    assert "motion lora" not in host.generate(PICTURE, VIDEO, files.module).metadata["parameters"]


def test_a_video_that_is_made_again_has_them_too(host: Standalone, files: SimpleNamespace) -> None:
    source = host.generate(PICTURE, VIDEO, files.module)
    plain, moved = (
        restyle(host, source, "a.mp4", replace(PICTURE, prompt=f"{PICTURE.prompt}{lora}"), VIDEO, files.module).frames
        for lora in ("", "<lora:pan:1>")
    )
    assert not np.array_equal(plain, moved)


def test_without_a_motion_module_it_is_refused(host: Standalone) -> None:
    with pytest.raises(ValueError, match="pan is a motion LoRA, which changes a motion module, and there is none"):
        host.generate(replace(PICTURE, prompt="a cat <lora:pan:1>"), VIDEO)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no LoRA at .*gone"):
        lora_files([tmp_path / "gone"])
