"""Small UNets with the same weights in both shapes: the WebUI's (ldm) and the standalone host's (diffusers)."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tests import layouts, tiny
from vcd_ext.hosts.diffusers import checkpoint

ALL = slice(None)


def two_videos(frames: int, height: int = 16, width: int = 8) -> dict[str, Tensor]:
    """Return a UNet's inputs for two videos, which may be the two halves of guidance; each row different."""
    generator = torch.Generator().manual_seed(0)
    return {
        "latents": torch.randn(2 * frames, 4, height, width, generator=generator),
        "times": torch.full((2 * frames,), 500),
        "context": torch.randn(2 * frames, 77, 64, generator=generator),
    }


@pytest.fixture(scope="session")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def ldm_unet(checkpoint_path: Path) -> nn.Module:
    from ldm.modules.diffusionmodules.openaimodel import UNetModel  # here, as not all tests need it

    unet = UNetModel(
        image_size=32,
        in_channels=4,
        out_channels=4,
        model_channels=32,
        attention_resolutions=[4, 2, 1],
        num_res_blocks=2,
        channel_mult=[1, 2, 4, 4],
        num_heads=layouts.Sizes().unet_heads,
        use_spatial_transformer=True,
        transformer_depth=1,
        context_dim=64,
        use_checkpoint=False,
        legacy=False,
    )
    prefix = "model.diffusion_model."
    state = {k.removeprefix(prefix): v for k, v in load_file(checkpoint_path).items() if k.startswith(prefix)}
    unet.load_state_dict(state, strict=True)
    return unet.eval()


@pytest.fixture(scope="session")
def diffusers_unet(checkpoint_path: Path) -> nn.Module:
    return checkpoint.load(checkpoint_path).unet.float().eval()


@pytest.fixture(params=["ldm", "diffusers"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return whose UNet it is; what asks for it is tested with both."""
    return str(request.param)


@pytest.fixture
def unet(kind: str, ldm_unet: nn.Module, diffusers_unet: nn.Module) -> nn.Module:
    """Return the small UNet of the kind."""
    return ldm_unet if kind == "ldm" else diffusers_unet


@pytest.fixture(scope="session")
def inputs() -> dict[str, Tensor]:
    return two_videos(frames=4)


@torch.no_grad()
def ldm(unet: nn.Module, inputs: dict[str, Tensor], rows: slice = ALL) -> Tensor:
    return unet(inputs["latents"][rows], inputs["times"][rows], context=inputs["context"][rows])


@torch.no_grad()
def diffusers(unet: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
    return unet(inputs["latents"], inputs["times"], encoder_hidden_states=inputs["context"]).sample
