"""Let a UNet's own norms go over the frames of each video, as they do in AnimateDiff v1.

Its authors gave their first modules to a UNet whose residual blocks, and whose last norm, took videos [b, c, f, h, w]:
`GroupNorm` then has one mean and one variance for a group of channels of all frames. (Their `InflatedGroupNorm`, which
came with v2, normalises each frame alone.) The norm at the entrance of a spatial transformer took single frames even
then, and that of a motion module as well.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from einops import rearrange
from torch import Tensor, nn

from vcd_ext.denoising.unet import is_ldm


@contextmanager
def normalised_by_video(unet: nn.Module, frames: int) -> Iterator[None]:
    """Compute the statistics of the UNet's norms over whole videos of `frames` frames within this context.

    unet: LDM's or diffusers'. Rows are videos, one after the other; ValueError if they are no whole ones.
    """

    def joined(_norm: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
        if args[0].shape[0] % frames:
            raise ValueError(
                f"The UNet was called with {args[0].shape[0]} pictures, which are not whole videos of {frames} frames. "
                "Turn off what splits or shortens the batch, or use motion module 'none'."
            )
        return (rearrange(args[0], "(videos frames) c h w -> videos c frames h w", frames=frames),)

    def parted(_norm: nn.Module, _args: Any, output: Tensor) -> Tensor:
        return rearrange(output, "videos c frames h w -> (videos frames) c h w")

    with ExitStack() as stack:
        for norm in norms(unet):
            stack.callback(norm.register_forward_pre_hook(joined).remove)
            stack.callback(norm.register_forward_hook(parted).remove)
        yield


def norms(unet: nn.Module) -> Iterator[nn.Module]:
    """Yield the norms of the residual blocks, and the last one."""
    model: Any = unet
    ldm = is_ldm(unet)
    for block in model.modules():
        kind = type(block).__name__  # by name: this file imports neither ldm nor diffusers
        if ldm and kind == "ResBlock":
            yield block.in_layers[0]
            yield block.out_layers[0]
        elif not ldm and kind == "ResnetBlock2D":
            yield block.norm1
            yield block.norm2
    yield model.out[0] if ldm else model.conv_norm_out
