"""FreeNoise (Qiu et al., arXiv 2310.15169): frames of a long video begin from the noise of its first window.

What is in a picture depends on its noise. So the later windows of a long video get the noise of the first one, in
another order: they agree on what is seen, and differ in how it moves. (The other half of FreeNoise, the fusion of
windows, is what `multidiffusion` does, for the whole UNet where they do it in temporal attention.)

Together with the noise prior (`vcd_ext.noise`) both are linear maps along the frames. With P, which copies frames, and
L, which correlates them, the noise is D L P w, where w is white and D divides each frame by its standard deviation,

    D[i, i] = (L P P^T L^T)[i, i]^(-1/2)

known exactly and not 1, as frames that are copies of one another are not independent. So each frame alone is standard
normal, as the denoiser expects; the frames within the first window have the covariance of equation 4 among themselves.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.noise import correlate
from vcd_ext.settings import VideoSettings


class Reuse(NamedTuple):
    """Say how FreeNoise uses the noise of the first window again."""

    window: int  # frames that are denoised together
    overlap: int  # of them, shared with the next window
    seed: int  # of the order

    def sources(self, frames: int, loop: bool = False) -> list[int]:
        """Return from which frame each frame takes its noise.

        Behind the first window, frames go by as many as two windows are apart, and each such block has the noise of
        the frames one window before it, shuffled. So the noise of each window is that of the first in another order.
        loop: what is left over behind the last whole window keeps its own noise, as copies would meet across the end.
        """
        found, apart = list(range(frames)), max(self.window - self.overlap, 1)
        generator = torch.Generator().manual_seed(self.seed)
        end = frames - frames % self.window if loop else frames
        for begin in range(self.window, end, apart):
            first = begin - self.window
            shuffled = [found[first + i] for i in torch.randperm(apart, generator=generator).tolist()]
            found[begin : min(begin + apart, end)] = shuffled[: end - begin]
        return found


@dataclass(frozen=True)
class InitialNoise:
    """Make the noise that a video begins from: its prior's gamma, whether it is a loop, and FreeNoise."""

    gamma: float
    loop: bool = False
    reuse: Reuse | None = None

    @classmethod
    def asked(cls, settings: VideoSettings, seed: int, moving: bool) -> "InitialNoise":
        """Return what the settings of a video ask for; seed: that of its first frame.

        moving: with a motion module. Without one frames do not meet, and those with the same noise would be the same.
        """
        reuse = Reuse(settings.context, settings.overlap, seed) if settings.free.freenoise and moving else None
        return cls(settings.gamma, settings.loops.loop, reuse)

    @torch.no_grad()
    def of(self, white: Tensor) -> Tensor:
        """Return it for white noise [F, ...] of a floating dtype; the very tensor where nothing is asked for."""
        frames = len(white)
        sources = list(range(frames)) if self.reuse is None else self.reuse.sources(frames, self.loop)
        if sources == list(range(frames)):
            return correlate(white, self.gamma, self.loop)
        copied = white[sources]
        mixed = correlate(copied, self.gamma, self.loop)
        if mixed is copied:
            return mixed
        rows = correlate(torch.eye(frames, dtype=torch.float64)[sources], self.gamma, self.loop)
        deviations = rows.norm(dim=1).to(mixed).reshape(-1, *[1] * (white.dim() - 1))
        return mixed / deviations
