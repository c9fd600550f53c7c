"""Motion LoRAs: W + weight * up @ down while they are on, and bit for bit what it was after that."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tests import tiny
from tests.unets import diffusers, ldm
from vcd_ext.motion import MotionModule, attached, is_motion_lora, load, load_lora

LAYER = "up_blocks.1.motion_modules.2.temporal_transformer.transformer_blocks.0.attention_blocks.1.to_out.0.weight"
OWN = LAYER.replace("to_out.0.weight", "processor.to_out_lora.{}.weight")


@pytest.fixture
def module(tmp_path: Path) -> MotionModule:
    return load(tiny.motion_module(tmp_path))


def weights(module: MotionModule) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_each_weight_is_its_own_plus_up_times_down(ldm_unet: nn.Module, module: MotionModule, tmp_path: Path) -> None:
    before = weights(module)
    path = tiny.motion_lora(tmp_path)
    parts = load_file(path)
    with attached(ldm_unet, module, 4, loras=[load_lora(path).weighted(0.8)]):
        during = weights(module)
    changed = [key for key in before if not torch.equal(before[key], during[key])]
    assert len(changed) == 21 * 2 * 4, "all projections of all attentions, and nothing else"
    for key in changed:
        start, _, projection = key.removesuffix(".weight").removesuffix(".0").rpartition(".")
        down, up = (parts[f"{start}.processor.{projection}_lora.{side}.weight"] for side in ("down", "up"))
        expected = before[key].double() + 0.8 * up.double() @ down.double()
        torch.testing.assert_close(during[key].double(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("names", ["diffusers", "peft", "kohya"])
def test_all_names_mean_the_same(ldm_unet: nn.Module, module: MotionModule, tmp_path: Path, names: str) -> None:
    """Kohya's have an alpha, 1 of rank 2 here: half."""
    own, other = tiny.motion_lora(tmp_path, "own"), tiny.motion_lora(tmp_path, names, names=names)
    with attached(ldm_unet, module, 4, loras=[load_lora(own).weighted(0.5 if names == "kohya" else 1.0)]):
        expected = weights(module)
    with attached(ldm_unet, module, 4, loras=[load_lora(other)]):
        assert same(weights(module), expected)


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".safetensors"])
def test_the_files_of_its_authors_are_read(module: MotionModule, tmp_path: Path, suffix: str) -> None:
    path = tiny.motion_lora(tmp_path, suffix=suffix)
    if suffix != ".safetensors":
        tensors = torch.load(path)
        torch.save({"state_dict": {f"module.{key}": value for key, value in tensors.items()}, "epoch": 1}, path)
    assert is_motion_lora(path)
    assert len(load_lora(path).changes) == 21 * 2 * 4
    assert not is_motion_lora(tiny.motion_module(tmp_path))


def test_several_add_up_and_opposites_cancel(ldm_unet: nn.Module, module: MotionModule, tmp_path: Path) -> None:
    before = weights(module)
    left, zoom = (load_lora(tiny.motion_lora(tmp_path, name, seed=i)) for i, name in enumerate(("left", "zoom")))
    changes = []
    for loras in ([left], [zoom.weighted(0.5)], [left, zoom.weighted(0.5)]):
        with attached(ldm_unet, module, 4, loras=loras):
            changes.append(module.get_parameter(LAYER) - before[LAYER])
    torch.testing.assert_close(changes[2], changes[0] + changes[1], rtol=1e-4, atol=1e-6)
    with attached(ldm_unet, module, 4, loras=[left, left.weighted(-1)]):
        torch.testing.assert_close(module.get_parameter(LAYER).data, before[LAYER])


def test_a_module_can_learn_while_it_is_attached(ldm_unet: nn.Module, module: MotionModule, tmp_path: Path) -> None:
    for loras in ([], [load_lora(tiny.motion_lora(tmp_path))]):
        with attached(ldm_unet, module, 4, loras=loras):
            assert torch.is_grad_enabled()


def test_both_unets_show_it_and_agree(
    ldm_unet: nn.Module, diffusers_unet: nn.Module, module: MotionModule, inputs: dict[str, Tensor], tmp_path: Path
) -> None:
    lora = load_lora(tiny.motion_lora(tmp_path))
    with attached(ldm_unet, module, 4):
        plain = ldm(ldm_unet, inputs)
    with attached(ldm_unet, module, 4, loras=[lora]):
        a = ldm(ldm_unet, inputs)
    with attached(diffusers_unet, module, 4, loras=[lora]):
        b = diffusers(diffusers_unet, inputs)
    assert (a - b).norm() / a.norm() < 1e-4
    assert (a - plain).norm() / a.norm() > 0.01
    with attached(ldm_unet, module, 4, loras=[lora.weighted(0)]):
        assert torch.equal(ldm(ldm_unet, inputs), plain)
    with attached(ldm_unet, module, 4):
        assert torch.equal(ldm(ldm_unet, inputs), plain)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_it_comes_off_bit_for_bit(
    ldm_unet: nn.Module, module: MotionModule, tmp_path: Path, dtype: torch.dtype
) -> None:
    module.to(dtype)
    before = weights(module)
    lora = load_lora(tiny.motion_lora(tmp_path)).weighted(0.7)
    for _ in range(2):
        with attached(ldm_unet, module, 4, dtype=dtype, loras=[lora]):
            assert module.get_parameter(LAYER).dtype == dtype
            assert not torch.equal(module.get_parameter(LAYER), before[LAYER])
        assert same(weights(module), before)


def test_it_comes_off_after_an_exception(ldm_unet: nn.Module, module: MotionModule, tmp_path: Path) -> None:
    before = weights(module)
    lora = load_lora(tiny.motion_lora(tmp_path))
    with pytest.raises(RuntimeError, match="out of memory"), attached(ldm_unet, module, 4, loras=[lora]):
        raise RuntimeError("out of memory")
    assert same(weights(module), before)


def test_it_comes_off_when_adding_fails_half_way(
    ldm_unet: nn.Module, module: MotionModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = weights(module)
    lora = load_lora(tiny.motion_lora(tmp_path))
    made = []

    def fail(*_: object) -> None:
        made.append(1)
        if len(made) > 50:
            raise MemoryError
        return 0

    monkeypatch.setattr("vcd_ext.motion.lora._sum", fail)
    with pytest.raises(MemoryError), attached(ldm_unet, module, 4, loras=[lora]):
        pass
    assert same(weights(module), before)


@pytest.mark.parametrize(("version", "width"), [("v3", 32), ("v2", 64)])
def test_one_for_another_module_is_refused_in_a_sentence(
    ldm_unet: nn.Module, tmp_path: Path, version: str, width: int
) -> None:
    """That for v2 has the middle, which v3 lacks."""
    module = load(tiny.motion_module(tmp_path, version))
    before = weights(module)
    lora = load_lora(tiny.motion_lora(tmp_path, width=width))
    with (
        pytest.raises(ValueError, match="v2_lora_PanLeft is a motion LoRA for another motion module") as refusal,
        attached(ldm_unet, module, 4, loras=[lora]),
    ):
        pass
    assert "\n" not in str(refusal.value)
    assert same(weights(module), before)


def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    tensors = load_file(tiny.motion_lora(tmp_path))
    bad = {
        "half": {key: value for key, value in tensors.items() if key != OWN.format("up")},
        "ranks": {**tensors, OWN.format("up"): torch.zeros(64, 3)},
        "nan": {**tensors, OWN.format("up"): tensors[OWN.format("up")] * torch.nan},
        "other": {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight": torch.zeros(2, 2)},
        "empty": {},
    }
    for name, state in bad.items():
        save_file(state, tmp_path / f"{name}.safetensors")
        with pytest.raises(ValueError, match=f"^{name}.safetensors ") as refusal:
            load_lora(tmp_path / f"{name}.safetensors")
        assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match="There is no motion LoRA at"):
        load_lora(tmp_path / "gone.ckpt")
