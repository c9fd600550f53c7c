"""Two independent ways to the same video: the WebUI's LDM UNet and samplers, and the standalone host's diffusers."""

from pathlib import Path

import pytest

from tests.webui.server import Server
from tests.webui.test_video import lsb
from vcd_ext.hosts.standalone import Standalone
from vcd_ext.settings import GenerateSettings, VideoSettings


@pytest.mark.parametrize("gamma", [0.0, 0.3])
@pytest.mark.parametrize("module", ["mm_v2", "mm_v3", "none"])
def test_the_same_files_and_settings_make_the_same_frames(
    server: Server, data: Path, module: str, gamma: float
) -> None:
    models = data / "models"
    theirs = server.generate(
        {"motion_module": module, "frames": 4, "gamma": gamma}, prompt="a photo of a cat, tinyperson", steps=4
    )
    ours = Standalone.load(models / "Stable-diffusion" / "tiny.safetensors").generate(
        GenerateSettings("a photo of a cat, tinyperson", "blurry", 64, 64, steps=4, cfg_scale=7.0, seed=7),
        VideoSettings(frames=4, gamma=gamma),
        None if module == "none" else models / "AnimateDiff" / f"{module}.safetensors",
        [data / "embeddings" / "tinyperson.safetensors"],
    )
    assert lsb(ours.frames, theirs.frames) <= 2
