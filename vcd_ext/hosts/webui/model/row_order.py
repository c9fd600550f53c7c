"""Put the rows of the WebUI's denoiser in the order of videos before its UNet is called, and back after it.

With k prompts joined by AND the WebUI's denoiser puts the k rows of each frame side by side and may cut the batch
anywhere. A motion module needs the rows of each video together, so they are put in video order before the UNet is
called (`on_cfg_denoiser`) and back before the WebUI combines them (`on_cfg_denoised`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vcd_ext.hosts.webui.model import known

_row_order: "RowOrder | None" = None


class RowOrder:
    """Reorder the rows of one denoiser step; also count the rows that the UNet has seen in it."""

    def __init__(self, frames: int):
        self.frames = frames
        self.prompts = 1
        self.latents: Tensor | None = None
        self.seen = 0

    def before(self, params: Any) -> None:
        """Put cond rows from frame-major to video-major, at on_cfg_denoiser; the uncond rows at the end stay."""
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
        """Put results and latents back to the WebUI's order, at on_cfg_denoised, in place, as it keeps the tensors."""
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
        """Count rows; a forward pre-hook of the UNet."""
        self.seen += args[0].shape[0]

    def _by_video(self, device: torch.device) -> Tensor:
        """Return order[j * F + i] = i * k + j: the WebUI's row of frame i under prompt j."""
        rows = torch.arange(self.frames * self.prompts, device=device)
        return rows.view(self.frames, self.prompts).t().reshape(-1)


@contextmanager
def video_row_order(unet: nn.Module, frames: int) -> Iterator[None]:
    """Make the denoiser call `unet` with whole videos, within this context."""
    global _row_order
    order = RowOrder(frames)
    handle = unet.register_forward_pre_hook(order.count)
    _row_order = order
    try:
        yield
    finally:
        _row_order = None
        handle.remove()


def on_cfg_denoiser(params: Any) -> None:
    """Reorder the rows; WebUI callback, registered once."""
    known.show_known(params)
    if _row_order is not None:
        _row_order.before(params)


def on_cfg_denoised(params: Any) -> None:
    """Reorder the rows; WebUI callback, registered once."""
    if _row_order is not None:
        _row_order.after(params)
