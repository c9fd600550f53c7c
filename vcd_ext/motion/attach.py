"""Hang a motion module on a UNet with forward hooks, and take it off whatever happens.

Attach points are AnimateDiff's (arXiv 2307.04725): behind each ResNet block or, where there is one, the spatial
transformer that follows it. Forward hooks leave the UNet's module tree and its key names alone, so weights can be
reloaded meanwhile and everything is as it was once the handles are removed.
"""

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vcd_ext.denoising.deep_features import is_reused
from vcd_ext.denoising.unet import device_of, dtype_of, is_ldm
from vcd_ext.motion.group_norm import normalised_by_video
from vcd_ext.motion.lora import MotionLora, adapted, check_motion_loras
from vcd_ext.motion.module import MotionModule, TemporalTransformer

_carrying: "weakref.WeakSet[nn.Module]" = weakref.WeakSet()


class Point(NamedTuple):
    """A place in the UNet: the module whose output a temporal transformer changes, and its channels."""

    module: nn.Module
    channels: int


@contextmanager
def attached(
    unet: nn.Module,
    module: MotionModule,
    frames: int,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    visiting: bool = False,
    loras: Sequence[MotionLora] = (),
) -> Iterator[None]:
    """Let the UNet denoise videos of `frames` frames instead of single pictures within this context.

    unet: an LDM `UNetModel` or a diffusers `UNet2DConditionModel` of SD1.5's shape.
    The rows of each call are whole videos, one after the other (row = video * frames + frame); how many is read
    from each call, so joined, split or skipped cond and uncond all work. Other row counts raise ValueError.
    device, dtype: where the module computes; by default as the UNet's own parameters.
    visiting: keep the weights on the CPU and bring each block to the device for its own call (--lowvram).
    loras: motion LoRAs that change the module's weights meanwhile.
    A module of AnimateDiff v1 also lets the UNet's own norms go over the frames of each video.
    ValueError if the module does not fit the UNet or holds fewer than `frames` frames.
    """
    _check_length(frames, module)
    pairs = _match(points(unet), module)
    check_motion_loras(loras, module)
    if unet in _carrying:
        raise RuntimeError("This UNet already carries a motion module; leave that `attached` context first.")
    home = torch.device("cpu") if visiting else torch.device(device or device_of(unet))
    module.to(device=home, dtype=dtype or dtype_of(unet))
    with ExitStack() as stack:
        _carrying.add(unet)
        stack.callback(_carrying.discard, unet)
        stack.enter_context(adapted(module, loras))
        if home.type != "cpu":
            module.join()
        if module.normalises_videos:
            stack.enter_context(normalised_by_video(unet, frames))
        for point, block in pairs:
            stack.callback(point.module.register_forward_hook(_hook(block, frames, visiting)).remove)
        yield


def _check_length(frames: int, module: MotionModule) -> None:
    if not isinstance(frames, int) or not 1 <= frames <= module.max_frames:
        raise ValueError(
            f"{frames} frames were asked for; this motion module ({module.version}) holds 1 to {module.max_frames}. "
            f"Use at most {module.max_frames} frames."
        )


def _hook(block: TemporalTransformer, frames: int, visiting: bool) -> Callable[..., Any]:
    def add_motion(module: nn.Module, _args: Any, output: Any) -> Any:
        if is_reused(module):
            return output  # with the motion of the step that it is from
        hidden: Tensor = output[0] if isinstance(output, tuple) else output
        rows = hidden.shape[0]
        if rows % frames:
            raise ValueError(
                f"The UNet was called with {rows} pictures, which are not whole videos of {frames} frames. Turn off "
                "what splits or shortens the batch, or use motion module 'none'."
            )
        if visiting:
            block.to(hidden.device)
        try:
            moved = block(hidden, frames)
        finally:
            if visiting:
                block.to("cpu")
        return (moved, *output[1:]) if isinstance(output, tuple) else moved

    return add_motion


def points(unet: nn.Module) -> dict[str, Point]:
    """Return the attach points of a UNet by AnimateDiff's names, e.g. "down_blocks.0.motion_modules.1"."""
    return dict(_points_ldm(unet) if is_ldm(unet) else _points_diffusers(unet))


def _points_ldm(unet: Any) -> Iterator[tuple[str, Point]]:
    level, index = 0, 0
    for block in unet.input_blocks[1:]:
        if _is(block[0], "Downsample"):
            level, index = level + 1, 0
            continue
        yield f"down_blocks.{level}.motion_modules.{index}", Point(block, block[0].out_channels)
        index += 1
    middle = unet.middle_block
    yield "mid_block.motion_modules.0", Point(middle[-2], middle[0].out_channels)
    level, index = 0, 0
    for block in unet.output_blocks:
        enlarges = _is(block[-1], "Upsample")
        # The temporal transformer works before the picture is enlarged for the next level.
        target = block[-2] if enlarges else block
        yield f"up_blocks.{level}.motion_modules.{index}", Point(target, block[0].out_channels)
        level, index = (level + 1, 0) if enlarges else (level, index + 1)


def _points_diffusers(unet: Any) -> Iterator[tuple[str, Point]]:
    def of(side: str, blocks: Any) -> Iterator[tuple[str, Point]]:
        for level, block in enumerate(blocks):
            targets = getattr(block, "attentions", None) or block.resnets
            for index, (target, resnet) in enumerate(zip(targets, block.resnets, strict=True)):
                yield f"{side}_blocks.{level}.motion_modules.{index}", Point(target, resnet.out_channels)

    yield from of("down", unet.down_blocks)
    middle = unet.mid_block
    yield "mid_block.motion_modules.0", Point(middle.attentions[-1], middle.resnets[0].out_channels)
    yield from of("up", unet.up_blocks)


def _is(module: nn.Module, name: str) -> bool:
    # By name: this file imports neither ldm nor diffusers.
    return type(module).__name__ == name


def _match(available: dict[str, Point], module: MotionModule) -> list[tuple[Point, TemporalTransformer]]:
    needed = {name for name in available if name != "mid_block.motion_modules.0"}  # v3 has no middle
    fits = needed <= module.blocks.keys() <= available.keys() and all(
        available[name].channels == block.size.channels for name, block in module.blocks.items()
    )
    if not fits:
        theirs = tuple(
            point.channels
            for name, point in available.items()
            if name.startswith("down_") and name.endswith("motion_modules.0")
        )
        raise ValueError(
            f"The motion module is made for a UNet with {len(module.blocks)} places of {module.channels} channels; "
            f"this model has {len(available)} of {theirs}. Use an SD1.5 checkpoint with an SD1.5 motion module."
        )
    return [(available[name], block) for name, block in module.blocks.items()]
