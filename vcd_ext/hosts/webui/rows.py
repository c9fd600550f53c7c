"""The order of pictures in a UNet call when prompts are joined with AND.

With k prompts the WebUI's denoiser puts the k rows of each frame side by side and may cut the batch anywhere. A
motion module needs the rows of each video together, so they are put in video order before the UNet is called
(`on_cfg_denoiser`) and back before the WebUI combines them (`on_cfg_denoised`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

_active: "RowOrder | None" = None


class RowOrder:
    """Reorders the rows of one denoiser step; also counts the rows that the UNet has seen in it."""

    def __init__(self, frames: int):
        self.frames = frames
        self.prompts = 1
        self.latents: Tensor | None = None
        self.seen = 0

    def before(self, params: Any) -> None:
        """on_cfg_denoiser: cond rows from frame-major to video-major; the uncond rows at the end stay."""
        self.prompts = params.x.shape[0] // self.frames - 1
        self.seen = 0
        self.latents = None
        if self.prompts > 1:
            order = self._by_video(params.x.device)
            everything = torch.cat([order, torch.arange(len(order), params.x.shape[0], device=order.device)])
            params.x = self.latents = params.x[everything]
            params.sigma = params.sigma[everything]
            params.image_cond = params.image_cond[everything]
            params.text_cond = params.text_cond[order]

    def after(self, params: Any) -> None:
        """on_cfg_denoised: results and latents back to the WebUI's order, in place, since it keeps the tensors."""
        if self.prompts == 1 or self.latents is None:
            return
        order = self._by_video(params.x.device)
        for tensor in (params.x, self.latents):
            tensor[order] = tensor[: len(order)].clone()
        if self.seen == len(order):
            # Uncond was skipped; the WebUI has filled its rows from the reordered conds.
            params.x[len(order) :] = params.x[: len(order) : self.prompts]
        self.latents = None

    def count(self, _module: nn.Module, args: tuple[Any, ...]) -> None:
        """Forward pre-hook of the UNet."""
        self.seen += args[0].shape[0]

    def _by_video(self, device: torch.device) -> Tensor:
        """order[j * F + i] = i * k + j: the WebUI's row of frame i under prompt j."""
        rows = torch.arange(self.frames * self.prompts, device=device)
        return rows.view(self.frames, self.prompts).t().reshape(-1)


@contextmanager
def in_video_order(unet: nn.Module, frames: int) -> Iterator[None]:
    """Within this context the denoiser calls `unet` with whole videos."""
    global _active
    order = RowOrder(frames)
    handle = unet.register_forward_pre_hook(order.count)
    _active = order
    try:
        yield
    finally:
        _active = None
        handle.remove()


def on_cfg_denoiser(params: Any) -> None:
    """WebUI callback, registered once."""
    if _active is not None:
        _active.before(params)


def on_cfg_denoised(params: Any) -> None:
    """WebUI callback, registered once."""
    if _active is not None:
        _active.after(params)
