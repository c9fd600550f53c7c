"""The checkpoint that the WebUI has loaded: whether VCD can use it, and the schedule that motion modules need."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from modules import devices, sd_models, sd_unet, shared
from torch import Tensor

from vcd_ext.hosts.webui.refusal import Refused

USE_SD15 = "Choose an ordinary SD1.5 checkpoint."


def check(sd_model: Any) -> None:
    """Refused unless `sd_model` is an ordinary SD1.5 text-to-image checkpoint with its own UNet in use."""
    if sd_model is None or not hasattr(sd_model, "model"):
        raise Refused(f"No checkpoint is loaded, so there is nothing to make a video with. {USE_SD15}")
    special = kind(sd_model)
    if special:
        raise Refused(f"The checkpoint is {special}, which VCD cannot animate. {USE_SD15}")
    replacement = sd_unet.get_unet_option()
    if replacement is not None:
        raise Refused(
            f"Settings replace the checkpoint's UNet by '{replacement.label}', which cannot carry a motion module. "
            "Set 'SD Unet' to None."
        )


def kind(sd_model: Any) -> str | None:
    """What the checkpoint is if it is not a plain SD1.5 text-to-image model, as part of a sentence."""
    if getattr(sd_model, "is_sdxl", False):
        return "an SDXL model"
    if getattr(sd_model, "is_sd2", False):
        return "an SD2 model"
    if not getattr(sd_model, "is_sd1", False):
        return "not an SD1.5 model"
    channels = sd_model.model.diffusion_model.in_channels
    if channels == 9:
        return "an inpainting model"
    if channels != 4:
        return f"a special model whose UNet takes {channels} channels"
    return None


@contextmanager
def motion_schedule(sd_model: Any, p: Any) -> Iterator[None]:
    """Within this context `sd_model` has the schedule that AnimateDiff was trained with: linear betas.

    Both tables are set: `alphas_cumprod`, which samplers read, and `alphas_cumprod_original`, from which the WebUI
    makes it anew for each batch. The very tensors that were there are put back.
    """
    tables = {name: getattr(sd_model, name) for name in ("alphas_cumprod", "alphas_cumprod_original")}
    linear = linear_alphas_cumprod(len(tables["alphas_cumprod"])).to(tables["alphas_cumprod"].device)
    try:
        for name in tables:
            setattr(sd_model, name, linear)
        # The person's own changes of the schedule (zero terminal SNR, half precision) hold for this one as well.
        sd_models.apply_alpha_schedule_override(sd_model, p)
        yield
    finally:
        for name, table in tables.items():
            setattr(sd_model, name, table)


def linear_alphas_cumprod(timesteps: int = 1000) -> Tensor:
    """AnimateDiff's noise schedule, betas linear from 0.00085 to 0.012; float32 [timesteps]."""
    betas = torch.linspace(0.00085, 0.012, timesteps, dtype=torch.float64)
    return torch.cumprod(1.0 - betas, dim=0).float()


def residence(sd_model: Any) -> dict[str, Any]:
    """Where a motion module has to live for this model: arguments of `attached`."""
    return {
        "device": devices.device,
        "dtype": devices.dtype_unet,
        "visiting": is_low_memory(sd_model) and shared.cmd_opts.lowvram,
    }


def is_low_memory(sd_model: Any) -> bool:
    """Whether the WebUI moves parts of the model off the device between their uses."""
    return bool(getattr(sd_model, "lowvram", False))
