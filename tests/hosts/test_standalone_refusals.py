"""What the standalone host refuses, in one sentence and before it computes anything."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import tiny
from vcd_ext import toyworld
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.picture_settings import complete
from vcd_ext.settings import GenerateSettings, SettingError, VideoSettings

PICTURE = GenerateSettings(prompt="a photo of tinyperson", width=64, height=72, steps=2, seed=5)
VIDEO = VideoSettings(frames=3)

WRONG_SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "width": ({"width": 100}, {}, r"width is 100; it must be a multiple of 8, for example 96\."),
    "height": ({"height": 129}, {}, "height is 129.*for example 128"),
    "too small": ({"width": 8}, {}, "width is 8; it must be from 64"),
    "sampler": ({"sampler": "magic"}, {}, "choose one of euler"),
    "cfg_scale": ({"cfg_scale": 0.5}, {}, "cfg_scale is 0.5"),
    "steps": ({"steps": 0}, {}, "steps is 0"),
    "gamma": ({}, {"gamma": 0.9}, "gamma is 0.9"),
    "frames": ({}, {"frames": 0}, "frames is 0"),
    "context": ({}, {"context": 0}, "context is 0"),
    "overlap": ({}, {"overlap": -1}, "overlap is -1"),
    "key frame": ({"prompt": "0: a\n3: b"}, {}, "line '3: b', but the video's last frame is 2"),
    "negative key frame": ({"negative_prompt": "3: b"}, {}, "The negative prompt has the line '3: b'"),
}


@pytest.fixture
def _idle(host):
    """Whatever is refused is refused before the UNet works."""

    def fail(*_: Any) -> None:
        raise AssertionError("the UNet was called")

    hook = host.unet.register_forward_pre_hook(fail)
    yield
    hook.remove()


@pytest.mark.usefixtures("_idle")
@pytest.mark.parametrize("case", WRONG_SETTINGS)
def test_settings_that_cannot_work_are_refused(host, case):
    picture, video, reason = WRONG_SETTINGS[case]
    with pytest.raises(ValueError, match=reason):
        host.generate(replace(PICTURE, **picture), replace(VIDEO, **video))


@pytest.mark.usefixtures("_idle")
def test_refused_settings_are_named(host):
    with pytest.raises(SettingError) as caught:
        host.generate(replace(PICTURE, steps=0), VIDEO)
    assert caught.value.key == "steps"


@pytest.mark.usefixtures("_idle")
def test_a_context_longer_than_the_module_holds_is_refused_with_its_limit(host, files):
    with pytest.raises(SettingError, match=r"context is 40; mm_v2.*at most 32 frames together.*the video may be") as no:
        host.generate(PICTURE, replace(VIDEO, frames=33, context=40), files.motion_module)
    assert no.value.key == "context"


@pytest.mark.usefixtures("_idle")
@pytest.mark.parametrize("overlap", [4, 5])
def test_an_overlap_that_is_no_less_than_the_context_is_refused(host, files, overlap):
    with pytest.raises(ValueError, match=rf"overlap is {overlap}; it must be .* below the 4 frames"):
        host.generate(PICTURE, replace(VIDEO, context=4, overlap=overlap), files.motion_module)


@pytest.mark.usefixtures("_idle")
def test_files_that_do_not_fit_the_checkpoint_are_refused(host, tmp_path):
    with pytest.raises(ValueError, match="made for a UNet"):
        host.generate(PICTURE, VIDEO, tiny.motion_module(tmp_path, width=64))
    with pytest.raises(ValueError, match=r"wide has 768 values a vector, tiny\.safetensors needs 64"):
        host.generate(PICTURE, VIDEO, None, [tiny.embedding(tmp_path, "wide", width=768)])
    with pytest.raises(ValueError, match="76 vectors; a prompt holds at most 75"):
        host.generate(PICTURE, VIDEO, None, [tiny.embedding(tmp_path, "long", vectors=76)])


@pytest.mark.usefixtures("_idle")
def test_missing_files_are_refused(host):
    with pytest.raises(ValueError, match="There is no motion module"):
        host.generate(PICTURE, VIDEO, Path("missing.safetensors"))
    with pytest.raises(ValueError, match="There is no embedding"):
        host.generate(PICTURE, VIDEO, None, [Path("missing.safetensors")])


def test_nan_is_not_passed_off_as_black_frames(files, tmp_path):
    state = load_file(files.checkpoint)
    state["model.diffusion_model.out.2.bias"][:] = torch.finfo(torch.float32).max
    save_file(state, tmp_path / "broken.safetensors")
    with pytest.raises(ValueError, match=r"broken\.safetensors made NaN"):
        Standalone.load(tmp_path / "broken.safetensors", device="cpu").generate(PICTURE, VIDEO)


def test_a_checkpoint_of_other_words_without_the_folder_that_explains_them_is_refused(tmp_path: Path) -> None:
    alone = shutil.copy(toyworld.checkpoint(), tmp_path / "alone.safetensors")
    with pytest.raises(ValueError, match=r"alone\.safetensors knows \d+ tokens.*copy the yaml and the folder"):
        Standalone.load(alone, device="cpu")


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
@pytest.mark.usefixtures("_idle")
def test_a_network_of_the_webuis_is_refused_by_name(host, field):
    with pytest.raises(ValueError, match="<lora:rexly:0.8>, which is not among the LoRAs that were given"):
        host.generate(replace(PICTURE, **{field: "a dog <lora:rexly:0.8>"}), VIDEO)


@pytest.mark.parametrize(("name", "prompt"), [("ann (1)", r"a dog, ann \(1\)"), ("[a|b]", r"a dog, \[a\|b\]")])
def test_the_name_of_an_embedding_is_written_so_that_it_is_read(host, tmp_path, name, prompt):
    path = tiny.embedding(tmp_path, name)
    made = complete(replace(PICTURE, prompt="a dog"), [path])
    assert made.prompt == prompt
    vectors = host.vectors([path])
    [chunk] = host.prompts.chunks(prompt, vectors)
    assert [token.tolist() for token in chunk.tokens if isinstance(token, torch.Tensor)] == vectors[name].tolist()


def test_the_prompt_chooses_among_the_concepts_of_a_file(host, tmp_path):
    path = tmp_path / "learned_embeds.bin"
    torch.save({"<rex>": torch.ones(2, 64), "<ann>": torch.zeros(1, 64)}, path)
    assert complete(replace(PICTURE, prompt="a photo of <ann>"), [path]).prompt == "a photo of <ann>"
    assert host.vectors([path]).keys() == {"<rex>", "<ann>"}
    with pytest.raises(
        ValueError, match="several concepts; write the one that is meant into the prompt: <ann> or <rex>"
    ):
        complete(replace(PICTURE, prompt="a photo"), [path])
