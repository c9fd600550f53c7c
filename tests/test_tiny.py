"""The test models are what they claim: strict layouts of the real files, healthy activations, the same bytes again."""

import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tests import layouts, tiny
from vcd_ext import motion

pytest.importorskip("ldm", reason="stable-diffusion-sdkit brings the WebUI's UNet; `make test` installs it")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.checkpoint(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def state(path: Path) -> dict[str, Tensor]:
    return load_file(path)


@pytest.fixture(scope="module")
def params(path: Path) -> Any:
    return OmegaConf.load(path.with_suffix(".yaml")).model.params


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def ldm_unet(**sizes: Any) -> torch.nn.Module:
    from ldm.modules.diffusionmodules.openaimodel import UNetModel

    return UNetModel(**sizes).eval()


def ldm_vae(params: Any, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    # LDM needs only a base class of pytorch_lightning, which is not installed.
    lightning = types.SimpleNamespace(LightningModule=torch.nn.Module)
    monkeypatch.setitem(sys.modules, "pytorch_lightning", lightning)
    from ldm.models.autoencoder import AutoencoderKL

    return AutoencoderKL(**params).eval()


def text_model(path: Path, state: dict[str, Tensor]) -> CLIPTextModel:
    model = CLIPTextModel(CLIPTextConfig.from_pretrained(path.parent / "clip")).eval()
    model.load_state_dict(part(state, "cond_stage_model.transformer."), strict=True)
    return model


def test_the_unet_is_ldms_and_predicts_noise_of_spread_one(path, state, params):
    unet = ldm_unet(**params.unet_config.params)
    unet.load_state_dict(part(state, "model.diffusion_model."), strict=True)
    generator = torch.Generator().manual_seed(0)
    latents, text = torch.randn(2, 4, 16, 16, generator=generator), torch.randn(2, 77, 64, generator=generator)
    with torch.no_grad():
        one, other = (
            unet(latents, torch.tensor([500] * 2), context=text),
            unet(latents, torch.tensor([500] * 2), context=-text),
        )
    assert 0.5 < one.std() < 1.5
    assert (one - other).std() > 0.1, "the text does not show"


def test_the_vae_is_ldms_and_makes_colourful_pictures(state, params, monkeypatch):
    vae = ldm_vae(params.first_stage_config.params, monkeypatch)
    vae.load_state_dict(part(state, "first_stage_model."), strict=True)
    with torch.no_grad():
        pixels = vae.decode(torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0)) * 5)
        posterior = vae.encode(pixels.clamp(-1, 1))
    assert (pixels.abs() <= 1).float().mean() > 0.9
    assert pixels.std(dim=(2, 3)).min() > 0.2, "a flat picture"
    assert posterior.std.max() < 0.1 < posterior.mean.std()


def test_the_text_encoder_is_clips_and_distinguishes_prompts(path, state):
    model, tokenizer = text_model(path, state), CLIPTokenizer.from_pretrained(path.parent / "clip")
    prompts = ["a photo of a cat", "a photo of a dog"]
    with torch.no_grad():
        cat, dog = model(**tokenizer(prompts, padding="max_length", return_tensors="pt")).last_hidden_state
    assert (cat - dog).std() > 0.1
    assert abs(cat.mean()) > 0.01, "the WebUI's emphasis divides by this mean"


def test_the_tokenizer_gives_clips_token_ids(path):
    tokenizer = CLIPTokenizer.from_pretrained(path.parent / "clip")
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert len(tokenizer) == 49408
    assert tokenizer.model_max_length == 77


@pytest.mark.parametrize("text", ["Naïve café, 2 o'clock!", "(masterpiece:1.2), 8k  [cat|dog]", "日本語 🐈", ""])
def test_the_tokenizer_agrees_with_open_clips(path, text):
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(path.parent / "clip")
    assert tokenizer(text, add_special_tokens=False).input_ids == SimpleTokenizer().encode(text)


def test_the_schedule_is_stable_diffusions(state):
    alphas = state["alphas_cumprod"]
    assert alphas.shape == (1000,)
    # The first and last value in the published files.
    assert alphas[0].item() == pytest.approx(0.99915, abs=1e-5)
    assert alphas[-1].item() == pytest.approx(0.00466, abs=1e-5)
    assert torch.allclose(state["sqrt_one_minus_alphas_cumprod"] ** 2 + alphas, torch.ones(1000))


def test_full_size_layouts_are_those_of_stable_diffusion_1_5(params, monkeypatch):
    sizes = OmegaConf.to_container(params.unet_config.params) | {"model_channels": 320, "context_dim": 768}
    vae = OmegaConf.to_container(params.first_stage_config.params)
    vae["ddconfig"] |= {"ch": 128, "ch_mult": [1, 2, 4, 4]}
    with torch.device("meta"):
        models = {"unet": ldm_unet(**sizes), "vae": ldm_vae(vae, monkeypatch)}
    ours = {"unet": layouts.unet(320, 768), "vae": layouts.vae(128)}
    for name, model in models.items():
        assert ours[name] == {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert sum(torch.Size(shape).numel() for shape in ours["unet"].values()) == 859_520_964  # SD1.5's


def test_half_precision_keeps_the_schedule_in_single(tmp_path):
    state = load_file(tiny.checkpoint(tmp_path, dtype=torch.float16))
    assert state["model.diffusion_model.out.2.weight"].dtype == torch.float16
    assert state["alphas_cumprod"].dtype == torch.float32


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize(("version", "frames", "places"), [("v2", 32, 21), ("v3", 32, 20), ("AnimateLCM", 64, 21)])
def test_motion_modules_are_read_as_what_they_are(tmp_path, version, frames, places, suffix):
    module = motion.load(tiny.motion_module(tmp_path, version, suffix=suffix))
    assert (module.version, module.max_frames, len(module.blocks)) == (version, frames, places)
    assert module.channels == (32, 64, 128, 128)


def test_a_v1_module_has_24_positions_and_no_middle(tmp_path):
    state = load_file(tiny.motion_module(tmp_path, "v1"))
    assert not any(key.startswith("mid_block") for key in state)
    assert {value.shape[1] for key, value in state.items() if key.endswith("pos_encoder.pe")} == {24}


def test_the_same_call_gives_the_same_bytes_and_another_seed_others(tmp_path):
    def made(folder: str, seed: int) -> list[bytes]:
        where = tmp_path / folder
        files = [
            tiny.checkpoint(where, seed=seed),
            tiny.motion_module(where, seed=seed),
            tiny.motion_module(where, suffix=".ckpt", seed=seed),
            tiny.embedding(where, "anna", seed=seed),
            tiny.embedding(where, "anna", suffix=".pt", seed=seed),
        ]
        return [file.read_bytes() for file in files]

    first = made("first", 0)
    assert first == made("again", 0)
    assert all(a != b for a, b in zip(first, made("other", 1), strict=True))
