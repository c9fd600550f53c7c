"""The requests of `benchmarks.unchanged` to the real WebUI: each tree as the extension of a WebUI of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.unchanged import sum_of
from tests import tiny
from tests.webui.conftest import _lora, start
from tests.webui.server import REPOSITORY, Server, as_base64

MOVING = {"motion_module": "mm_v2", "frames": 4}
PICTURE = as_base64(np.indices((64, 64)).sum(0).astype(np.uint8)[..., None].repeat(3, -1))
HIRES = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.7}
REPAINTED = {"init_images": [PICTURE], "denoising_strength": 0.8}
TILES = {"tiled": True, "tiled_controlnet": "none", "tiled_tile": 64, "tiled_tile_overlap": 16}

# VCD's settings (None: a plain batch), the WebUI's, and whether it is img2img.
REQUESTS: dict[str, tuple[dict[str, Any] | None, dict[str, Any], bool]] = {
    "WebUI: without VCD": (None, {"batch_size": 3}, False),
    "WebUI: text to video": (MOVING, {}, False),
    "WebUI: a long video in windows": ({**MOVING, "frames": 6, "context": 4, "overlap": 2}, {}, False),
    "WebUI: two videos": (MOVING, {"n_iter": 2}, False),
    "WebUI: hires fix": (MOVING, HIRES, False),
    "WebUI: img2img": (MOVING, REPAINTED, True),
    "WebUI: parts, editing, a LoRA": (MOVING, {"prompt": "a [cat:dog:1] AND snow :0.5 <lora:tinylora:0.8>"}, False),
    "WebUI: the noise prior alone": ({"frames": 4, "gamma": 0.3}, {"sampler_name": "Euler a"}, False),
    "WebUI: LCM with step noise": ({**MOVING, "step_noise": True}, {"sampler_name": "LCM", "cfg_scale": 1.5}, False),
    "WebUI: an identity, v3": ({**MOVING, "motion_module": "mm_v3", "identity": "tinyperson"}, {}, False),
    "WebUI: Tiled VCD after it": ({**MOVING, **TILES}, {}, False),
}


def _data(folder: Path, tree: Path) -> Path:
    """Make the WebUI's data folder, with a tree as its extension."""
    models = folder / "models"
    tiny.checkpoint(models / "Stable-diffusion")
    for version in ("v2", "v3"):
        tiny.motion_module(models / "AnimateDiff", version)
    (models / "Lora").mkdir()
    _lora(models / "Lora/tinylora.safetensors")
    tiny.embedding(folder / "embeddings", "tinyperson")
    (folder / "extensions").mkdir()
    (folder / "extensions/vcd-webui").symlink_to(tree)
    (folder / "extensions/probe").symlink_to(REPOSITORY / "tests/webui/probe")
    return folder


def _frames(server: Server, name: str) -> list[str]:
    vcd, request, again = REQUESTS[name]
    found = server.generate(vcd, "img2img" if again else "txt2img", **request).frames_of_any_size
    return [sum_of(frame) for frame in found]


def frames_of_webui(tree: Path, folder: Path) -> dict[str, list[str]]:
    """Run all requests in a WebUI that has this tree; of each the sums of its frames."""
    folder.mkdir(parents=True)
    server = start(_data(folder, tree))
    try:
        return {name: _frames(server, name) for name in REQUESTS}
    finally:
        server.stop()
