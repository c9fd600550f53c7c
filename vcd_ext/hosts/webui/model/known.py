"""Hold frames that are known in the WebUI's samplers, whichever they are; see `denoising.known_frames`.

The WebUI's own inpainting does this for pictures, but gives the UNet of its samplers that go by time steps (DDIM, PLMS,
UniPC) the masked part without noise. Here the latents are changed right before the UNet, and the result right after
the guidance, which all samplers share.
"""

from typing import Any

import torch
from modules import shared
from torch import Tensor

from vcd_ext.denoising.known_frames import KnownFrames


class HeldFrames:
    """Change what the WebUI's denoiser gives and gets in each step of one pass.

    by_times: whether the sampler goes by time steps: its latents lose variance, and it asks for the noise in them.
    """

    def __init__(self, known: KnownFrames, frames: int, by_times: bool):
        self.known, self.frames, self.by_times = known, frames, by_times
        self.latents: Tensor | None = None  # of this step, as the sampler has them
        self.levels: tuple[Any, Any] = (1.0, 0.0)  # of this step: how much picture there is, and how much noise

    def before(self, params: Any) -> None:
        """Give the UNet the known frames with their noise, at on_cfg_denoiser: rows of conds by frame, then uncond."""
        prompts = params.x.shape[0] // self.frames - 1
        latents = params.x[-self.frames :]
        self.latents, self.levels = latents, self._levels(params.sigma[-1])
        shown = self.known.put_noised(latents, *self.levels)
        params.x = torch.cat([shown.repeat_interleave(prompts, dim=0), shown])

    def after(self, params: Any) -> None:
        """Make the result lead the known frames back to themselves, at on_cfg_after_cfg."""
        if not self.by_times:
            params.x = self.known.put_latents(params.x)
        elif self.latents is not None:
            signal, noise = self.levels
            own = (self.known.taken(self.latents) - signal * self.known.latents.to(params.x)) / noise
            params.x = self.known.put(params.x, own)
        self.latents = None

    def _levels(self, sigma: Tensor) -> tuple[Any, Any]:
        if not self.by_times:
            return 1.0, sigma
        share = shared.sd_model.alphas_cumprod[int(sigma)]
        return share**0.5, (1 - share) ** 0.5


_held: HeldFrames | None = None


def hold(held: HeldFrames | None) -> None:
    """Hold frames from now on; None: no longer."""
    global _held
    _held = held


def show_known(params: Any) -> None:
    """Give the UNet the known frames; called by the WebUI's callback before the rows are put in video order."""
    if _held is not None:
        _held.before(params)


def on_cfg_after_cfg(params: Any) -> None:
    """Put the known frames in; WebUI callback, registered once."""
    if _held is not None:
        _held.after(params)
