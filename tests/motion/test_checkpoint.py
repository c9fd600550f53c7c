"""Motion module files: what is read, and what is refused with which words."""

import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import MotionAdapter
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tests import layouts, tiny
from vcd_ext.motion import load


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    return tiny.motion_module(tmp_path, "v2")


@pytest.fixture
def state(v2: Path) -> dict[str, Tensor]:
    return load_file(v2)


def saved(state: dict[str, Any], path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt", ".pth"])
@pytest.mark.parametrize(
    ("version", "frames", "blocks"), [("v1", 24, 20), ("v2", 32, 21), ("v3", 32, 20), ("AnimateLCM", 64, 21)]
)
def test_each_version_is_told_by_its_tensors(
    tmp_path: Path, version: str, frames: int, blocks: int, suffix: str
) -> None:
    module = load(tiny.motion_module(tmp_path, version, suffix=suffix))
    assert (module.version, module.max_frames, len(module.blocks)) == (version, frames, blocks)
    assert module.channels == (32, 64, 128, 128)
    assert not module.training
    assert not any(p.requires_grad for p in module.parameters())


def test_its_key_names_are_the_original_s(v2: Path, state: dict[str, Tensor]) -> None:
    loaded = load(v2).state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


def test_half_precision_is_kept(tmp_path: Path) -> None:
    module = load(tiny.motion_module(tmp_path, dtype=torch.float16))
    assert {p.dtype for p in module.parameters()} == {torch.float16}


def test_longer_position_tables_allow_longer_videos(state: dict[str, Tensor], tmp_path: Path) -> None:
    longer = {k: v.repeat(1, 3, 1) if k.endswith("pe") else v for k, v in state.items()}
    assert load(saved(longer, tmp_path / "long.safetensors")).max_frames == 96


def test_the_training_script_s_wrappings_are_taken_off(state: dict[str, Tensor], tmp_path: Path) -> None:
    wrapped = {"epoch": 1, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    assert load(saved(wrapped, tmp_path / "wrapped.ckpt")).version == "v2"
    configured = {"animatediff_config": {"a": 1}, **state}
    assert load(saved(configured, tmp_path / "configured.ckpt")).version == "v2"


def refused(path: Path, *words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(path.name)) as refusal:
        load(path)
    sentence = str(refusal.value)
    for word in words:
        assert word in sentence
    assert "\n" not in sentence


def test_a_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors", "There is no motion module")


def test_a_folder_and_another_kind_of_file(tmp_path: Path) -> None:
    refused(tmp_path, "must end in .safetensors, .ckpt")
    (tmp_path / "clip.mp4").write_bytes(b"video")
    refused(tmp_path / "clip.mp4", "must end in .safetensors, .ckpt")


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_diffusers_names_make_the_very_same_module(tmp_path: Path, version: str) -> None:
    own = load(tiny.motion_module(tmp_path / "own", version))
    other = load(tiny.motion_module(tmp_path / "diffusers", version, diffusers=True))
    assert (other.version, other.max_frames) == (version, own.max_frames)
    expected, state = own.state_dict(), other.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], expected[key]) for key in expected)


def test_what_diffusers_itself_writes_is_read(tmp_path: Path) -> None:
    made = MotionAdapter(block_out_channels=(32, 64, 128, 128))
    made.save_pretrained(tmp_path / "AnimateLCM")
    module = load(tmp_path / "AnimateLCM" / "diffusion_pytorch_model.safetensors")
    assert (module.version, module.max_frames, len(module.blocks)) == ("AnimateLCM", 32, 21)
    theirs = dict(made.named_parameters())
    place = "mid_block.motion_modules.0"
    block = module.blocks[place].transformer_blocks[0]
    assert torch.equal(block.attention_blocks[1].to_q.weight, theirs[f"{place}.transformer_blocks.0.attn2.to_q.weight"])
    assert torch.equal(block.ff_norm.bias, theirs[f"{place}.transformer_blocks.0.norm3.bias"])


@pytest.mark.parametrize("diffusers", [False, True])
@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_lightning_is_read_in_both_layouts(tmp_path: Path, steps: int, diffusers: bool) -> None:
    kind = "diffusers" if diffusers else "comfyui"
    path = tiny.motion_module(tmp_path, "v2", diffusers=diffusers, dtype=torch.float16)
    path = path.rename(tmp_path / f"animatediff_lightning_{steps}step_{kind}.safetensors")
    assert load(path).version == "Lightning"


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file(tmp_path: Path, suffix: str, share: float) -> None:
    path = tiny.motion_module(tmp_path, suffix=suffix)
    os.truncate(path, int(path.stat().st_size * share))
    refused(path)


def test_a_pickle_with_code_which_does_not_run(tmp_path: Path, state: dict[str, Tensor]) -> None:
    ran = tmp_path / "ran"

    class Malicious:
        def __reduce__(self) -> tuple:
            return os.system, (f"touch {ran}",)

    for name, save in {"zip.ckpt": torch.save, "plain.ckpt": lambda o, p: p.write_bytes(pickle.dumps(o))}.items():
        save({**state, "payload": Malicious()}, tmp_path / name)
        refused(tmp_path / name, "could run code", ".safetensors")
    assert not ran.exists()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["model.diffusion_model.input_blocks.0.0.weight"], "a whole checkpoint"),
        (["conv_in.weight", "mid_block.motion_modules.0.temporal_transformer.norm.weight"], "a PIA module"),
        (["down_blocks.0.temporal_attentions.0.norm.weight"], "a HotShot-XL module"),
        (["lora_unet_down_blocks_0.lora_up.weight"], "a LoRA"),
        (["control_model.input_blocks.0.weight"], "a ControlNet"),
        (["weight"], "something else (it holds 'weight')"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path: Path, keys: list[str], words: str) -> None:
    refused(saved({key: torch.zeros(2, 2) for key in keys}, tmp_path / "other.safetensors"), words)


def test_an_empty_file_and_no_dictionary(tmp_path: Path) -> None:
    refused(saved({}, tmp_path / "empty.safetensors"), "empty")
    torch.save(torch.zeros(3), tmp_path / "tensor.ckpt")
    refused(tmp_path / "tensor.ckpt", "holds a Tensor")
    refused(saved({"a": "text"}, tmp_path / "text.ckpt"), "no tensor of numbers")


@pytest.mark.parametrize(
    "key",
    [
        "down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.processor."
        "to_q_lora.down.weight",
        "lora_unet_down_blocks_0_motion_modules_0_temporal_transformer_proj_in.lora_up.weight",
    ],
)
def test_a_motion_lora_is_named(tmp_path: Path, key: str) -> None:
    refused(
        saved({key: torch.zeros(2, 32)}, tmp_path / "v2_lora_ZoomIn.ckpt"), "a motion LoRA", "<lora:v2_lora_ZoomIn:0.8>"
    )


def test_values_that_are_no_numbers(tmp_path: Path, state: dict[str, Tensor]) -> None:
    key = "up_blocks.1.motion_modules.0.temporal_transformer.proj_out.bias"
    state[key][3] = torch.nan
    refused(saved(state, tmp_path / "nan.safetensors"), key, "no numbers", "use another copy")


def test_a_module_for_sdxl(state: dict[str, Tensor], tmp_path: Path) -> None:
    three = {k: v for k, v in state.items() if "_blocks.3." not in k and not k.startswith("mid")}
    refused(saved(three, tmp_path / "xl.safetensors"), "made for SDXL")
    theirs = {layouts.in_diffusers(k): v for k, v in three.items() if layouts.in_diffusers(k)}
    refused(saved(theirs, tmp_path / "xl_diffusers.safetensors"), "made for SDXL")


def test_missing_unknown_and_misshapen_tensors(state: dict[str, Tensor], tmp_path: Path) -> None:
    key = "down_blocks.0.motion_modules.0.temporal_transformer.proj_out.weight"
    refused(saved({k: v for k, v in state.items() if k != key}, tmp_path / "a.safetensors"), "lacks", key)
    extra = {**state, key.replace("proj_out", "proj_more"): state[key].clone()}
    refused(saved(extra, tmp_path / "b.safetensors"), "unknown tensor", "proj_more")
    refused(saved({**state, key: torch.zeros(3, 32)}, tmp_path / "c.safetensors"), key, "[3, 32]", "[32, 32]")
    narrow = {**state, key.replace("proj_out", "proj_in"): torch.zeros(20, 20)}
    refused(saved(narrow, tmp_path / "d.safetensors"), "20 channels")


def test_it_is_read_while_the_webui_loads_a_checkpoint(
    state: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then all modules have its own `load_state_dict`, which takes no tensors over."""
    path = saved(state, tmp_path / "mm.safetensors")
    monkeypatch.setattr(nn.Module, "load_state_dict", lambda module, state_dict, strict=True: None)
    assert all(torch.equal(value, state[key]) for key, value in load(path).state_dict().items())
