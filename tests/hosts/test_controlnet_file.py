"""Reading a ControlNet: both layouts, and one sentence for whatever cannot be used."""

import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tests import tiny
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.shared import controlnet_file

State = dict[str, Tensor]
GIGABYTE = 2**30


@pytest.fixture(scope="module")
def unet(host: Standalone) -> nn.Module:
    return host.unet


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.controlnet(tmp_path_factory.mktemp("controlnet"))


def values(network: nn.Module) -> State:
    return dict(network.state_dict())


def saved(path: Path, state: State) -> Path:
    save_file(state, path)
    return path


def test_ldms_layout_plain_prefixed_and_pickled_and_diffusers_are_the_same(
    unet: nn.Module, file: Path, tmp_path: Path
) -> None:
    plain, state = values(controlnet_file.load(file, unet)), load_file(file)
    with_checkpoint = {f"control_model.{key}": value for key, value in state.items()}
    with_checkpoint["model.diffusion_model.out.2.bias"] = torch.zeros(4)
    torch.save({"state_dict": with_checkpoint}, tmp_path / "control_sd15.pth")
    for other in (tmp_path / "control_sd15.pth", saved(tmp_path / "diffusers.safetensors", plain)):
        read = values(controlnet_file.load(other, unet))
        assert read.keys() == plain.keys()
        assert all(torch.equal(read[key], plain[key]) for key in plain)


def test_it_has_the_layers_of_the_real_one(unet: nn.Module, file: Path) -> None:
    network: Any = controlnet_file.load(file, unet)
    assert (len(network.controlnet_down_blocks), network.config.block_out_channels) == (12, [32, 64, 128, 128])
    assert network.mid_block.attentions[0].transformer_blocks[0].attn2.heads == 8
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_of_several_the_first_that_fits_is_taken_and_told_why_the_others_are_not(
    unet: nn.Module, file: Path, tmp_path: Path
) -> None:
    large, notes = tiny.controlnet(tmp_path, "large", width=64), list[str]()
    candidates = {"large": large, "gone": tmp_path / "gone.pth", "file": file, "again": file}
    assert controlnet_file.first_fitting(candidates, unet, notes.append) == "file"
    assert [note.split()[0] for note in notes] == ["large.safetensors", "There"]
    assert all(note.endswith("It is not used.") for note in notes)
    assert controlnet_file.first_fitting({"large": large}, unet, notes.append) == "none"


def without(key: str) -> Callable[[State], State]:
    return lambda state: {name: value for name, value in state.items() if name != key}


def changed(**more: Tensor) -> Callable[[State], State]:
    return lambda state: state | {name.replace("__", "."): value for name, value in more.items()}


WRONG: dict[str, tuple[Callable[[State], State], str]] = {
    "lacking": (without("middle_block_out.0.bias"), "does not have the layers of a ControlNet for SD1.5"),
    "lacking sizes": (without("input_blocks.4.0.in_layers.2.bias"), "or is damaged"),
    "of other shapes": (changed(middle_block_out__0__bias=torch.zeros(5)), "or is damaged"),
    "with more": (changed(zero_convs__12__0__bias=torch.zeros(5)), "or is damaged"),
    "sdxl": (changed(label_emb__0__0__weight=torch.zeros(5)), "is a ControlNet for SDXL, not a ControlNet for SD1.5"),
    "difference": (changed(difference=torch.zeros(5)), "is the difference of a ControlNet"),
    "lora": (lambda _: {"lora_unet_x.alpha": torch.zeros(1)}, "is a LoRA, not a ControlNet"),
    "checkpoint": (lambda _: {"model.diffusion_model.out.2.bias": torch.zeros(1)}, "is a whole checkpoint"),
    "else": (lambda _: {"conv.weight": torch.zeros(1)}, r"something else \(it holds 'conv.weight'\)"),
    "empty": (lambda _: {}, "is empty, not a ControlNet"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", WRONG)
def test_a_file_of_another_kind_is_refused_in_one_sentence(
    unet: nn.Module, file: Path, tmp_path: Path, mistake: str
) -> None:
    change, sentence = WRONG[mistake]
    refused(saved(tmp_path / "net.safetensors", change(load_file(file))), unet, sentence)


def refused(path: Path, unet: nn.Module, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refusal:
        controlnet_file.load(path, unet)
    assert path.name in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"text": 1024}, "made for SD2"),
        ({"width": 64}, r"UNet of \(64, 128, 256, 256\) channels and texts 64 wide; this one has \(32, 64, 128, 128\)"),
        ({"hint": 4}, "takes pictures of 4 channels instead of 3"),
    ],
)
def test_one_of_other_sizes_is_refused(unet: nn.Module, tmp_path: Path, sizes: dict[str, int], sentence: str) -> None:
    refused(tiny.controlnet(tmp_path, **sizes), unet, sentence)  # type: ignore[arg-type]


def test_a_file_that_is_not_there_damaged_or_runs_code_is_refused(unet: nn.Module, file: Path, tmp_path: Path) -> None:
    refused(tmp_path / "missing.pth", unet, "There is no ControlNet at .*; put the file there or choose another")
    refused(tmp_path / "net.onnx", unet, "its name must end in .safetensors, .pth")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(file.read_bytes()[:100_000])
    refused(cut, unet, "is damaged or incomplete; copy or download it again")
    evil = tmp_path / "evil.pth"
    evil.write_bytes(pickle.dumps(print))
    refused(evil, unet, "holds more than tensors")


def test_whether_it_fits_is_told_by_the_header_of_its_file_alone(unet: nn.Module, file: Path, tmp_path: Path) -> None:
    controlnet_file.check_fits(file, unet)  # which loads diffusers
    large = tmp_path / "large.safetensors"
    _with_hole(file, large, GIGABYTE)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
    before = _memory("VmRSS")
    with pytest.raises(ValueError, match=r"large.safetensors does not have the layers of a ControlNet for SD1.5"):
        controlnet_file.check_fits(large, unet)
    assert _memory("VmHWM") - before < GIGABYTE / 10


def _with_hole(file: Path, larger: Path, size: int) -> None:
    """Copy a .safetensors file and put a tensor of `size` bytes into it, which take no room on the disk."""
    data = file.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header, values = json.loads(data[8:end]), data[end:]
    header["zero_convs.12.0.bias"] = {
        "dtype": "F32", "shape": [size // 4], "data_offsets": [len(values), len(values) + size]
    }  # fmt: skip
    text = json.dumps(header).encode()
    larger.write_bytes(len(text).to_bytes(8, "little") + text + values)
    os.truncate(larger, larger.stat().st_size + size)


def _memory(kind: str) -> int:
    """Bytes that are resident (VmRSS), or were at most (VmHWM)."""
    return int(Path("/proc/self/status").read_text().split(f"{kind}:")[1].split()[0]) * 1024


def test_without_diffusers_one_sentence_says_how_to_get_it(
    unet: nn.Module, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controlnet_file.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="needs the package diffusers, which is not installed: pip install"):
        controlnet_file.load(file, unet)


@pytest.mark.parametrize(
    ("name", "tile"),
    [
        ("control_v11f1e_sd15_tile.pth", True),
        ("Control_v11f1e_SD15_Tile_fp16.safetensors", True),
        ("control_v11p_sd15_canny.pth", False),
        ("ttplanet_sdxl_tile.safetensors", False),
        ("control_v11f1e_sd15_tile.yaml", False),
    ],
)
def test_a_tile_controlnet_is_known_by_its_name(name: str, tile: bool) -> None:
    assert controlnet_file.is_tile(Path(name)) is tile


def test_another_diffusers_costs_the_controlnet_alone_and_it_is_told(
    unet: nn.Module, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.27 reads LDM's layout by a function of another kind; with a newer hub it cannot even be imported."""

    def other(checkpoint: State, original_config: dict[str, Any], checkpoint_path: str) -> None:
        pytest.fail("it takes other arguments")

    monkeypatch.setattr(controlnet_file, "version", lambda name: "0.27.2")
    utils = "diffusers.loaders.single_file_utils"
    for name, value in ((f"{utils}.convert_controlnet_checkpoint", other), (None, None)):
        with monkeypatch.context() as patched:
            if name:
                patched.setattr(name, value)
            else:
                patched.setitem(sys.modules, utils, None)  # cannot be imported
            notes: list[str] = []
            assert controlnet_file.first_fitting({"one": file, "two": file}, unet, notes.append) == "none"
            [note] = notes
            for words in ("diffusers 0.31.0", "0.27.2 is installed", "pip install", "no ControlNet is used"):
                assert words in note
            with pytest.raises(ValueError, match=r"0\.27\.2 is installed"):
                controlnet_file.load(file, unet)
