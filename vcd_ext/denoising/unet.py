"""Handle LDM's `UNetModel`, which the WebUI has, and diffusers' `UNet2DConditionModel` alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

Forward = Callable[..., Any]


def is_ldm(unet: nn.Module) -> bool:
    """Return whether it is LDM's; ValueError if it is neither."""
    if hasattr(unet, "input_blocks") and hasattr(unet, "output_blocks"):
        return True
    if hasattr(unet, "down_blocks") and hasattr(unet, "up_blocks"):
        return False
    raise ValueError(f"{type(unet).__name__} is neither an LDM UNetModel nor a diffusers UNet2DConditionModel.")


def device_of(unet: nn.Module) -> torch.device:
    """Return the device of its parameters."""
    return next(unet.parameters()).device


def dtype_of(unet: nn.Module) -> torch.dtype:
    """Return the precision in which it computes."""
    # A UNet stored in 8 bits computes in another precision, that of its norms and embeddings.
    sixteen_or_more = (p.dtype for p in unet.parameters() if p.is_floating_point() and p.element_size() >= 2)
    return next(sixteen_or_more, torch.float32)


@contextmanager
def forward_replaced(unet: nn.Module, make: Callable[[Forward], Forward]) -> Iterator[None]:
    """Send calls of the UNet to `make(forward)` within this context; forward: where they went before.

    What others have put there, a function of ControlNet's for example, is there again after it.
    """
    mine = vars(unet)
    hung = mine.get("forward")
    unet.forward = make(unet.forward)
    try:
        yield
    finally:
        if hung is None:
            mine.pop("forward", None)
        else:
            mine["forward"] = hung
