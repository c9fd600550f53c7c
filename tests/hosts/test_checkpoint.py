"""Checkpoints for the standalone host: the same numbers as LDM, and a sentence for every file that cannot work."""

import os
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextModel

from tests import tiny
from tests.conftest import Files
from vcd_ext.hosts.diffusers import checkpoint

UNET_INPUT = "model.diffusion_model.input_blocks.0.0.weight"
TEXT = "cond_stage_model.transformer.text_model"


@pytest.fixture(scope="module")
def state(files: Files) -> dict[str, Tensor]:
    return load_file(files.checkpoint)


@pytest.fixture(scope="module")
def models(files: Files) -> checkpoint.Models:
    return checkpoint.load(files.checkpoint)


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def relative_difference(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def predicted(unet: torch.nn.Module, sides: tuple[int, int] = (16, 16)) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    latents, text = torch.randn(2, 4, *sides, generator=generator), torch.randn(2, 77, 64, generator=generator)
    with torch.no_grad():
        made = unet(latents, torch.tensor([900, 20]), text)
    return getattr(made, "sample", made)


class Fitting:
    """torch as the WebUI gives it to LDM's UNet: the first of two pictures is resized to the second to be joined."""

    def __getattr__(self, name):
        return getattr(torch, name)

    def cat(self, pictures, dim):
        first, second = pictures
        return torch.cat([F.interpolate(first, second.shape[-2:], mode="nearest"), second], dim)


@pytest.mark.parametrize("sides", [(16, 16), (9, 13), (17, 10), (1, 2)])
def test_the_unet_agrees_with_ldms(files, state, models, monkeypatch, sides):
    openaimodel = pytest.importorskip("ldm.modules.diffusionmodules.openaimodel")
    monkeypatch.setattr(openaimodel, "th", Fitting())
    params = OmegaConf.load(files.checkpoint.with_suffix(".yaml")).model.params
    unet = openaimodel.UNetModel(**params.unet_config.params).eval()
    unet.load_state_dict(part(state, "model.diffusion_model."))
    # Norms over one or two values make much of a rounding, which is 2e-4 on a processor with AMX.
    most = 1e-4 if min(sides) > 1 else 1e-3
    assert relative_difference(predicted(models.unet, sides), predicted(unet, sides)) < most


def test_the_decoder_agrees_with_ldms(files, state, models):
    ldm = pytest.importorskip("ldm.modules.diffusionmodules.model")
    params = OmegaConf.load(files.checkpoint.with_suffix(".yaml")).model.params.first_stage_config.params
    decoder = ldm.Decoder(**params.ddconfig).eval()
    decoder.load_state_dict(part(state, "first_stage_model.decoder."))
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    post = part(state, "first_stage_model.post_quant_conv.")
    with torch.no_grad():
        theirs = decoder(torch.nn.functional.conv2d(latents, post["weight"], post["bias"]))
        ours = models.vae.decode(latents).sample
    assert relative_difference(ours, theirs) < 1e-4
    assert models.vae.config.scaling_factor == 0.18215


def test_the_text_encoder_has_the_tensors_and_heads_of_the_file(state, models):
    assert isinstance(models.text_encoder, CLIPTextModel)
    assert models.text_encoder.config.num_attention_heads == 4
    loaded = models.text_encoder.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in part(state, "cond_stage_model.transformer.").items())


def same_tensors(one, other):
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs.pop(name)) for name, tensor in one.state_dict().items()) and not theirs


def test_no_yaml_is_needed(tmp_path, state, models):
    save_file(state, tmp_path / "alone.safetensors")
    alone = checkpoint.load(tmp_path / "alone.safetensors")
    assert same_tensors(alone.unet, models.unet)
    assert alone.unet.mid_block.attentions[0].transformer_blocks[0].attn1.heads == 8  # SD1.5's
    assert alone.text_encoder.config.num_attention_heads == 1  # CLIP's heads have 64 values
    assert alone.prediction_type == "epsilon"


def test_sizes_come_from_the_tensors(tmp_path):
    path = tiny.checkpoint(tmp_path, width=64)
    path.with_suffix(".yaml").unlink()
    assert checkpoint.load(path).unet.config.block_out_channels == [64, 128, 256, 256]


def test_the_yaml_can_ask_for_v_prediction(tmp_path, state):
    save_file(state, tmp_path / "v.safetensors")
    OmegaConf.save({"model": {"params": {"parameterization": "v"}}}, tmp_path / "v.yaml")
    assert checkpoint.load(tmp_path / "v.safetensors").prediction_type == "v_prediction"


@pytest.mark.parametrize("wrapped", [True, False])
def test_ckpt_files_are_read_as_tensors(tmp_path, state, models, wrapped):
    torch.save({"state_dict": state, "global_step": 840000} if wrapped else state, tmp_path / "a.ckpt")
    assert same_tensors(checkpoint.load(tmp_path / "a.ckpt").unet, models.unet)


def test_what_mergers_leave_in_and_take_out_does_not_matter(tmp_path, state):
    merged = {key: value.half() for key, value in state.items() if not key.endswith("position_ids")}
    merged |= {"model_ema.decay": torch.ones(1), f"{TEXT.rpartition('.')[0]}.text_projection.weight": torch.ones(2)}
    save_file(merged, tmp_path / "merged.safetensors")
    loaded = checkpoint.load(tmp_path / "merged.safetensors")
    assert loaded.unet.dtype == torch.float16
    assert loaded.text_encoder.text_model.embeddings.position_ids.dtype == torch.int64


def minimal(channels: int) -> dict[str, Tensor]:
    keys = {"first_stage_model.encoder.conv_in.bias": (32,), f"{TEXT}.final_layer_norm.bias": (64,)}
    return {key: torch.zeros(shape) for key, shape in {UNET_INPUT: (32, channels, 3, 3), **keys}.items()}


OTHER_KINDS = {
    "SDXL": {"conditioner.embedders.0.transformer.text_model.final_layer_norm.bias": torch.zeros(2)},
    "Stable Diffusion 2": minimal(4) | {"cond_stage_model.model.ln_final.weight": torch.zeros(2)},
    "Stable Diffusion 3": {"model.diffusion_model.joint_blocks.0.x_block.attn.proj.bias": torch.zeros(2)},
    "Flux": {"double_blocks.0.img_attn.norm.key_norm.scale": torch.zeros(2)},
    "inpainting": minimal(9),
    "pix2pix": minimal(8),
    "ControlNet": {"control_model.time_embed.0.weight": torch.zeros(2)},
    "LoRA": {"lora_unet_down_blocks_0_attentions_0_proj_in.alpha": torch.zeros(2)},
    "motion module": {"down_blocks.0.motion_modules.0.temporal_transformer.norm.weight": torch.zeros(2)},
    "diffusers": {"down_blocks.0.resnets.0.conv1.weight": torch.zeros(2)},
    "no UNet": {"first_stage_model.encoder.conv_in.bias": torch.zeros(2)},
    "no VAE": {UNET_INPUT: torch.zeros(32, 4, 3, 3)},
    "no text encoder": {key: value for key, value in minimal(4).items() if not key.startswith(TEXT)},
    "does not have SD1.5's layers": minimal(4),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_other_kinds_of_file_are_refused_by_name(tmp_path, kind):
    save_file(OTHER_KINDS[kind], tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=rf"other\.safetensors .*{re.escape(kind)}.*Stable Diffusion 1\.5"):
        checkpoint.load(tmp_path / "other.safetensors")


@pytest.mark.parametrize("change", ["missing", "extra", "another shape"])
def test_a_checkpoint_that_does_not_fit_exactly_is_refused(tmp_path, state, change):
    key = "model.diffusion_model.input_blocks.5.0.in_layers.0.bias"
    changed = dict(state)
    if change == "missing":
        del changed[key]
    elif change == "extra":
        changed["model.diffusion_model.input_blocks.5.0.in_layers.9.bias"] = state[key].clone()
    else:
        changed[key] = torch.zeros(7)
    save_file(changed, tmp_path / "odd.safetensors")
    with pytest.raises(ValueError, match=r"odd\.safetensors does not have SD1\.5's layers"):
        checkpoint.load(tmp_path / "odd.safetensors")


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("size", [0, 100, 1_000_000])
def test_truncated_files_are_refused(tmp_path, files, state, suffix, size):
    path = tmp_path / f"cut{suffix}"
    if suffix == ".ckpt":
        torch.save(state, path)
        content = path.read_bytes()[:size]
    else:
        content = files.checkpoint.read_bytes()[:size]
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("prefix", ["model.diffusion_model.", "first_stage_model.decoder.", TEXT])
def test_values_that_are_no_numbers_are_refused(tmp_path, state, prefix):
    key = next(key for key in state if key.startswith(prefix) and key.endswith("weight"))
    save_file(state | {key: torch.full_like(state[key], torch.nan)}, tmp_path / "nan.safetensors")
    with pytest.raises(ValueError, match=rf"nan\.safetensors has values in '{re.escape(key)}' that are no numbers"):
        checkpoint.load(tmp_path / "nan.safetensors")


def test_missing_files_and_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no checkpoint at"):
        checkpoint.load(tmp_path / "missing.safetensors")
    with pytest.raises(ValueError, match="must end in"):
        checkpoint.load(tmp_path / "picture.png")
    with pytest.raises(ValueError, match="must end in"):
        checkpoint.load(tmp_path)


def test_a_pickle_of_something_else_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(ValueError, match="list, not a checkpoint"):
        checkpoint.load(tmp_path / "list.ckpt")


class Exploit:
    """A pickle that runs a command when it is read carelessly."""

    def __reduce__(self):
        return os.system, ("touch exploited",)


def test_code_in_a_file_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {UNET_INPUT: Exploit()}}, "evil.ckpt")
    with pytest.raises(ValueError, match=r"could run code.*\.safetensors"):
        checkpoint.load("evil.ckpt")
    assert not Path("exploited").exists()


@pytest.mark.parametrize("text", ["model: [", "just text", "model: {params: {scale_factor: many}}"])
def test_a_yaml_that_is_no_config_is_refused(tmp_path, state, text):
    save_file(minimal(4), tmp_path / "a.safetensors")
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"a\.yaml is not a checkpoint's config"):
        checkpoint.load(tmp_path / "a.safetensors")
