"""Tell why the checkpoint that the WebUI has loaded cannot be trained on."""

from collections.abc import Iterator
from typing import Any

from modules import devices, sd_hijack_clip, sd_unet, shared
from torch import nn

from vcd_ext.hosts.webui.model.checkpoint import USE_SD15, kind
from vcd_ext.hosts.webui.model.plain_layers import foreign_blocks

# LDM's name for what its UNet predicts, and the field's.
PREDICTIONS = {"eps": "epsilon", "v": "v_prediction"}


def check_trainable(sd_model: Any) -> None:
    """Raise ValueError, in one sentence, if `sd_model` cannot be differentiated as it is loaded now."""
    problem = next(_problems(sd_model), None)
    if problem is not None:
        raise ValueError(problem)


def _problems(sd_model: Any) -> Iterator[str]:
    if sd_model is None or not hasattr(sd_model, "model"):
        yield f"No checkpoint is loaded, so there is nothing to train on. {USE_SD15}"
    if special := kind(sd_model):
        yield f"The checkpoint is {special}, but identities are trained on SD1.5. {USE_SD15}"
    if not isinstance(sd_model.cond_stage_model, sd_hijack_clip.FrozenCLIPEmbedderWithCustomWords):
        encoder = type(sd_model.cond_stage_model).__name__
        yield f"The checkpoint's text encoder is {encoder} instead of SD1.5's CLIP. {USE_SD15}"
    if sd_model.parameterization not in PREDICTIONS:
        yield f"The checkpoint predicts {sd_model.parameterization}, which VCD cannot train with. {USE_SD15}"
    yield from _memory_savers()
    yield from _replaced_unet()
    yield from _left_behind(sd_model.model.diffusion_model)


def _memory_savers() -> Iterator[str]:
    if shared.cmd_opts.lowvram:
        yield (
            "The WebUI was started with --lowvram, which moves the UNet's layers off the device before their gradient "
            "is computed. Start it with --medvram instead."
        )
    if devices.fp8:
        yield (
            "The checkpoint's weights are stored as FP8, which has no gradient. Set 'FP8 weight' to Disable in "
            "Settings > Optimizations."
        )


def _replaced_unet() -> Iterator[str]:
    replacement = sd_unet.current_unet_option or sd_unet.get_unet_option()
    if replacement is not None or sd_unet.current_unet is not None:
        name = getattr(replacement, "label", type(sd_unet.current_unet).__name__)
        yield f"Settings replace the checkpoint's UNet by '{name}', which has no gradient. Set 'SD Unet' to None."


def _left_behind(unet: nn.Module) -> Iterator[str]:
    """Name blocks that other extensions have left in the UNet; functions that they leave are set aside."""
    for foreign in foreign_blocks(unet):
        yield f"There is {foreign} in the UNet, left by it; turn it off and restart the WebUI."
