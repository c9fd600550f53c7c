"""Fixtures: small models in a data folder, and the WebUI running on them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file

from tests import tiny
from tests.webui.server import REPOSITORY, WEBUI, Server


def _lora(path: Path) -> None:
    """Write a LoRA of rank 2 on one attention of the small UNet, in kohya's key names."""
    generator = torch.Generator().manual_seed(3)
    key = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    save_file(
        {
            f"{key}.lora_down.weight": torch.randn(2, 32, generator=generator),
            f"{key}.lora_up.weight": torch.randn(32, 2, generator=generator),
            f"{key}.alpha": torch.tensor(2.0),
        },
        path,
    )


def _inpainting(checkpoint: Path) -> None:
    """Write an inpainting checkpoint beside the plain one: the same UNet with five more input channels."""
    path = checkpoint.with_name("tiny-inpainting.safetensors")
    tensors = load_file(checkpoint)
    key = "model.diffusion_model.input_blocks.0.0.weight"
    tensors[key] = torch.cat([tensors[key], torch.zeros(tensors[key].shape[0], 5, 3, 3)], dim=1)
    save_file(tensors, path)
    config = OmegaConf.load(checkpoint.with_suffix(".yaml"))
    config.model.target = "ldm.models.diffusion.ddpm.LatentInpaintDiffusion"
    config.model.params.conditioning_key = "hybrid"
    config.model.params.finetune_keys = None
    config.model.params.unet_config.params.in_channels = 9
    OmegaConf.save(config, path.with_suffix(".yaml"))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a WebUI data folder: checkpoint, motion modules, embeddings, LoRA, and this extension linked into it."""
    if not (WEBUI / "venv/bin/python").is_file():
        pytest.skip(f"there is no WebUI at {WEBUI} (set VCD_WEBUI to test against one)")
    folder = tmp_path_factory.mktemp("webui")
    models = folder / "models"
    for name in ("Stable-diffusion", "AnimateDiff", "Lora"):
        (models / name).mkdir(parents=True)
    _inpainting(tiny.checkpoint(models / "Stable-diffusion"))
    for version in ("v1", "v2", "v3", "AnimateLCM"):
        tiny.motion_module(models / "AnimateDiff", version)
    (models / "AnimateDiff" / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    # sd-webui-animatediff's folder, as if that extension were installed.
    tiny.motion_module(folder / "extensions/sd-webui-animatediff/model").rename(
        folder / "extensions/sd-webui-animatediff/model/theirs.safetensors"
    )
    # One in each of sd-webui-controlnet's folders.
    tiny.controlnet(models / "ControlNet")
    tiny.controlnet(folder / "extensions/sd-webui-controlnet/models", "other_sd15_tile", seed=1)
    for name in ("tinylora", "AnimateLCM_sd15_t2v_lora"):
        _lora(models / "Lora" / f"{name}.safetensors")
    tiny.motion_lora(models / "Lora", "v2_lora_PanLeft", suffix=".ckpt")
    tiny.domain_adapter(models / "Lora")
    tiny.motion_lora(models / "MotionLora", "zoom_out", seed=1, names="peft")
    tiny.motion_lora(models / "MotionLora", "for_wide", width=64)
    theirs = tiny.motion_module(folder / "scratch", "v2", diffusers=True)
    theirs.rename(models / "AnimateDiff" / "zz_in_diffusers_names.safetensors")
    for steps, kind in ((4, "comfyui"), (2, "diffusers")):
        lightning = tiny.motion_module(folder / "scratch", "v2", seed=steps, diffusers=kind == "diffusers")
        lightning.rename(models / "AnimateDiff" / f"animatediff_lightning_{steps}step_{kind}.safetensors")
    tiny.embedding(folder / "embeddings", "tinyperson")
    tiny.embedding(folder / "embeddings", "toowide", width=96)
    (folder / "styles.csv").write_text('name,prompt,negative_prompt\npainted,"oil of {prompt}, sharp",ugly\n')
    (folder / "extensions" / "vcd-webui").symlink_to(REPOSITORY)
    (folder / "extensions" / "probe").symlink_to(Path(__file__).with_name("probe"))
    return folder


@pytest.fixture(scope="module")
def before(server: Server) -> tuple[dict, np.ndarray]:
    """Fingerprint and a plain picture; the second of two, so that the WebUI has made all it makes once."""
    server.generate(None)
    picture = server.generate(None).frames
    return server.get("/probe/fingerprint"), picture


def start(data: Path, *flags: str) -> Server:
    """Start a WebUI with the plain checkpoint loaded, whichever others there are."""
    return Server(data, "--ckpt", str(data / "models" / "Stable-diffusion" / "tiny.safetensors"), *flags)


@pytest.fixture(scope="session")
def server(data: Path) -> Iterator[Server]:
    """Start the WebUI with page and API."""
    running = start(data)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def _only_the_embeddings_of_before(server: Server) -> Iterator[None]:
    """At the end of a file of tests, take away what they have learned."""
    folder = server.data / "embeddings"
    before = set(folder.iterdir())
    yield
    for path in set(folder.iterdir()) - before:
        path.unlink()
    server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


@pytest.fixture(scope="module")
def _a_face_in_each_picture(server: Server) -> Iterator[None]:
    """Let the probe find a face in each picture, as long as a file of tests runs."""
    server.post("/probe/face", there=True).raise_for_status()
    yield
    server.post("/probe/face", there=False).raise_for_status()
