"""Run a ControlNet (Zhang et al., arXiv 2302.05543) beside the UNet and add its residuals to skips and middle.

It sees one frame at a time, as in training; frames meet only in the UNet's motion module. Its file is read by
`hosts.shared.controlnet_file`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vcd_ext.denoising.deep_features import kept_part, shallow_residuals, whole_residuals
from vcd_ext.denoising.multidiffusion import Divisible
from vcd_ext.denoising.partition import Tile
from vcd_ext.denoising.unet import Forward, device_of, dtype_of, forward_replaced, is_ldm
from vcd_ext.hosts.protocols import FACTOR, Picture
from vcd_ext.motion.windows import Window

Residuals = tuple[Sequence[Tensor], Tensor]  # for the skip connections, in the encoder's order, and for the middle
HINTS = "hints"  # the argument by which a call of the UNet carries its pictures


class ControlNet(NamedTuple):
    """Hold a network, diffusers' `ControlNetModel` or what is called like it, and the pictures that it is given."""

    network: nn.Module
    pictures: Sequence[Picture]  # one for each frame, 8 times as wide and high as the latents
    weight: float | Sequence[float] = 1.0  # of all frames, or of each


@contextmanager
def controlnet_attached(
    unet: nn.Module,
    *controls: ControlNet,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    visiting: bool = False,
) -> Iterator[None]:
    """Add the ControlNets' residuals in each call of the UNet within this context.

    unet: an LDM `UNetModel` or a diffusers `UNet2DConditionModel` of the ControlNets' sizes. The rows of each call are
    whole videos, with a row for each picture; other row counts raise ValueError. A `multidiffusion` that is entered
    after this divides the pictures as it divides the latents, so no more than a part of them is on the device.
    device, dtype, visiting: as of `motion.attached`. The ControlNets go back to the CPU at the end.
    """
    home = torch.device(device or device_of(unet))
    whole = [Hints(control.pictures) for control in controls]

    def carry(_unet: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, {**kwargs, HINTS: whole}

    with ExitStack() as stack:
        for network in (control.network for control in controls):
            stack.callback(network.to, "cpu")
            network.to(torch.device("cpu") if visiting else home, dtype or dtype_of(unet))
        stack.callback(unet.register_forward_pre_hook(carry, with_kwargs=True).remove)
        stack.enter_context(forward_replaced(unet, _with_residuals(unet, controls, home if visiting else None)))
        yield


def _with_residuals(
    unet: nn.Module, controls: Sequence[ControlNet], visited: torch.device | None
) -> Callable[[Forward], Forward]:
    """Return a wrapper of the UNet's forward that takes hints as well; visited: the device the ControlNets go to."""
    ldm = is_ldm(unet)

    def made(plain: Forward) -> Forward:
        def forward(*args: Any, hints: Sequence[Hints], **kwargs: Any) -> Any:
            kept = kept_part(unet)
            if kept is not None and kept.reusing:
                down, middle = whole_residuals(kept.residuals)
            else:
                inputs, made = _inputs(ldm, args, kwargs), []
                for control, shown in zip(controls, hints, strict=True):
                    with _at(control.network, visited):
                        made.append(_residuals(control, shown, *inputs))
                down, middle = _summed(made)
                if kept is not None:
                    kept.residuals = shallow_residuals((down, middle))
            if not ldm:
                more = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
                return plain(*args, **kwargs, **more)
            with _added(unet, down, middle):
                return plain(*args, **kwargs)

        return forward

    return made


def _summed(made: Sequence[Residuals]) -> Residuals:
    """Add up what several ControlNets say."""
    (down, middle), *others = made
    for more, center in others:
        down, middle = [one + other for one, other in zip(down, more, strict=True)], middle + center
    return down, middle


class Hints(Divisible):
    """Hold the ControlNet's hints: the pictures of a video, or those of a window and a tile."""

    def __init__(
        self,
        pictures: "Sequence[Picture] | _WindowCache",
        frames: Sequence[int] | None = None,
        tile: Tile | None = None,
    ):
        self._pictures = pictures if isinstance(pictures, _WindowCache) else _WindowCache(pictures)
        self._frames = range(len(self._pictures.pictures)) if frames is None else frames
        self._tile = tile

    def part(self, window: Window, tile: Tile | None) -> "Hints":
        """Return those of a window and, in latents, a tile."""
        return Hints(self._pictures, window.frames, tile)

    @property
    def frames(self) -> Sequence[int]:
        """The numbers of the frames that they are for."""
        return self._frames

    def tensor(self) -> Tensor:
        """Return float16 [L, 3, H, W] in [0, 1], on the CPU."""
        pictures = self._pictures.of(self._frames)
        if self._tile is None:
            return pictures
        top, left, height, width = (FACTOR * side for side in self._tile[:4])
        return pictures[..., top : top + height, left : left + width]


class _WindowCache:
    """Cache the last window of pictures: its tiles are needed one after the other, at each step."""

    def __init__(self, pictures: Sequence[Picture]):
        self.pictures = pictures
        self._frames: Sequence[int] = range(0)
        self._window = torch.empty(0)

    def of(self, frames: Sequence[int]) -> Tensor:
        """Return those of some frames, float16 [L, 3, H, W], at most an eighth of a level off."""
        if frames != self._frames:
            half = [self.pictures[i].astype(np.float16).transpose(2, 0, 1) for i in frames]
            self._frames, self._window = frames, torch.from_numpy(np.stack(half))
        return self._window


def _inputs(ldm: bool, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Return latents, times and text of a call of the UNet."""
    names = ("x", "timesteps", "context") if ldm else ("sample", "timestep", "encoder_hidden_states")
    latents, times, text = (args[i] if i < len(args) else kwargs[name] for i, name in enumerate(names))
    return latents, times, text


def _residuals(control: ControlNet, hints: Hints, latents: Tensor, times: Tensor, text: Tensor) -> Residuals:
    """Compute what is added to each skip connection and to the middle."""
    pictures = hints.tensor()
    rows = len(latents)
    if rows % len(pictures):
        raise ValueError(
            f"The UNet was called with {rows} pictures, which are not whole videos of {len(pictures)} frames. Turn off "
            "what splits or shortens the batch, or use ControlNet 'none'."
        )
    like = next(control.network.parameters())
    seen = pictures.to(like.device).to(like.dtype).repeat(rows // len(pictures), 1, 1, 1)
    weight: float | Tensor
    if isinstance(control.weight, float | int):
        weight = control.weight
    else:
        of_frames = torch.tensor(
            [control.weight[frame] for frame in hints.frames], dtype=like.dtype, device=like.device
        )
        weight = of_frames.repeat(rows // len(pictures))[:, None, None, None]
    down, middle = control.network(latents.to(like.dtype), times, text.to(like.dtype), seen, weight, return_dict=False)
    return down, middle


@contextmanager
def _at(network: nn.Module, device: torch.device | None) -> Iterator[None]:
    """Keep the network on a device within this context, then on the CPU; None: leave it where it is."""
    if device is None:
        yield
        return
    try:
        network.to(device)
        yield
    finally:
        network.to("cpu")


@contextmanager
def _added(unet: Any, down: Sequence[Tensor], middle: Tensor) -> Iterator[None]:
    """Let an LDM UNet add them within this context; its skips reach the decoder behind the block before."""

    def to_skip(residual: Tensor) -> Any:
        def add(_block: nn.Module, args: tuple[Any, ...]) -> None:
            skip = args[0][:, -residual.shape[1] :]
            skip += residual.to(skip)  # in place: the UNet has joined the two for this block alone

        return add

    with ExitStack() as stack:
        stack.callback(unet.middle_block.register_forward_hook(lambda _block, _args, out: out + middle.to(out)).remove)
        for block, residual in zip(unet.output_blocks, reversed(down), strict=True):
            stack.callback(block.register_forward_pre_hook(to_skip(residual)).remove)
        yield
