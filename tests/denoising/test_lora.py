"""LoRAs of the UNet and the text encoder: as if W were W + weight * scale * up @ down, by hooks that come off."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests import tiny
from tests.motion.test_attach import assert_untouched, traces
from tests.unets import diffusers, ldm
from vcd_ext.denoising.lora import check_lora_fits, is_domain_adapter, layers, load, lora_attached

CHANGED = {  # by diffusers' names: layers of all kinds
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q": (32, 32),
    "up_blocks.2.attentions.1.transformer_blocks.0.attn2.to_out.0": (64, 64),
    "mid_block.attentions.0.proj_in": (128, 128, 1, 1),
    "down_blocks.1.downsamplers.0.conv": (64, 64, 3, 3),
}


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def kohya(path: Path) -> Path:
    """Write a LoRA of rank 4 and alpha 2."""
    tensors = {}
    for name, (outputs, inner, *kernel) in CHANGED.items():
        flat = f"lora_unet_{name.replace('.', '_')}"
        tensors[f"{flat}.lora_down.weight"] = normal(4, inner, *kernel) / 8
        tensors[f"{flat}.lora_up.weight"] = normal(outputs, 4, *[1 for _ in kernel])
        tensors[f"{flat}.alpha"] = torch.tensor(2.0)
    save_file(tensors, path)
    return path


def test_a_layer_is_as_if_its_weight_had_the_change(
    diffusers_unet: nn.Module,
    inputs: dict[str, Tensor],
    tmp_path: Path,
) -> None:
    lora = load(kohya(tmp_path / "style.safetensors")).weighted(0.7)
    merged = copy.deepcopy(diffusers_unet)
    for name, (outputs, inner, *kernel) in CHANGED.items():
        up, down = normal(outputs, 4, *[1 for _ in kernel]), normal(4, inner, *kernel) / 8
        weight = merged.get_submodule(name).weight
        weight.data += 0.7 * 0.5 * (up.flatten(1) @ down.flatten(1)).view_as(weight)
    before, plain = traces(diffusers_unet), diffusers(diffusers_unet, inputs)
    known = layers(diffusers_unet)
    check_lora_fits([lora], known)
    with lora_attached(known, [lora]):
        changed = diffusers(diffusers_unet, inputs)
    assert (changed - plain).norm() / plain.norm() > 0.01
    torch.testing.assert_close(changed, diffusers(merged, inputs), rtol=1e-3, atol=1e-4)
    assert_untouched(before, diffusers_unet)
    with pytest.raises(KeyError), lora_attached(known, [lora]):
        raise KeyError
    assert_untouched(before, diffusers_unet)
    assert torch.equal(diffusers(diffusers_unet, inputs), plain)


def test_a_domain_adapter_changes_both_unets_alike(
    ldm_unet: nn.Module,
    diffusers_unet: nn.Module,
    inputs: dict[str, Tensor],
    tmp_path: Path,
) -> None:
    path = tiny.domain_adapter(tmp_path)
    lora = load(path)
    assert is_domain_adapter(list(torch.load(path)["state_dict"]))
    assert not is_domain_adapter([f"lora_unet_{name}.lora_up.weight" for name in CHANGED])
    plain = ldm(ldm_unet, inputs)
    check_lora_fits([lora], layers(ldm_unet))
    with lora_attached(layers(ldm_unet), [lora]), lora_attached(layers(diffusers_unet), [lora]):
        a, b = ldm(ldm_unet, inputs), diffusers(diffusers_unet, inputs)
    assert (a - b).norm() / a.norm() < 1e-4
    assert (a - plain).norm() / a.norm() > 0.01


def test_what_does_not_fit_is_refused_in_a_sentence(diffusers_unet: nn.Module, tmp_path: Path) -> None:
    key = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    for name, layer, width in (("wide", key, 48), ("xl", key.replace("blocks_0_attn1", "blocks_9_attn1"), 32)):
        path = tmp_path / f"{name}.safetensors"
        save_file(
            {f"{layer}.lora_down.weight": torch.ones(1, width), f"{layer}.lora_up.weight": torch.ones(32, 1)}, path
        )
        with pytest.raises(ValueError, match=f"{name} is a LoRA for another kind of model") as refusal:
            check_lora_fits([load(path)], layers(diffusers_unet))
        assert "\n" not in str(refusal.value)
    save_file({f"{key}.hada_w1_a": torch.ones(2, 2)}, tmp_path / "hada.safetensors")
    with pytest.raises(ValueError, match="hada.safetensors is of an unknown kind"):
        load(tmp_path / "hada.safetensors")
