"""A denoiser whose faults are known, for measuring Tiled VCD: it paints detail, and every tile has colours of its own.

Its latents are the canvas' pixels, folded, so that no VAE blurs what is measured. Everything between them and the
finished frames is real: the noise of the canvas and of the video, the UNet's call divided into windows and tiles, a
sampler's steps (Euler's on a prediction of the picture), and all of `vcd_ext.tiled`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vcd_ext.denoising.multidiffusion import multidiffusion
from vcd_ext.hosts.protocols import FACTOR, Picture, VideoPass
from vcd_ext.hosts.shared.passes import plan
from vcd_ext.noise import correlate
from vcd_ext.settings import NO_MODULE

LEVEL = 1 / 255
SIGMAS = (0.8, 0.6, 0.4, 0.2)  # of the noise at 20 * 0.2 steps


@dataclass(frozen=True)
class Faults:
    """What the painter does to a picture, as standard deviations in levels, 0 to 255."""

    tile: float = 0.0  # of a colour for each tile and window
    flicker: float = 0.0  # of a colour for each frame in each tile
    shared: float = 0.0  # of detail that it makes from the canvas' noise, as a denoiser does
    own: float = 0.0  # of detail that each tile makes by itself
    lasting: float = 0.0  # of detail that moves with the picture, as a motion module's


class Painter:
    """A `VideoHost`. lasting: detail [H, W, 3] of spread 1 for each frame of the canvas."""

    def __init__(self, faults: Faults, lasting: Sequence[NDArray[np.float32]] | None = None):
        self.faults, self.lasting = faults, lasting

    def upscalers(self) -> list[str]:
        """One."""
        return ["cubic"]

    def controlnet(self, note: Callable[[str], None]) -> str:
        """None."""
        return NO_MODULE

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        """Enlarge a picture to `scale` times its width and height."""
        return enlarge(picture, scale)

    @torch.no_grad()
    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        """Yield the frames with the painter's detail and faults."""
        planned = plan(frames, work)
        source = torch.cat([_folded(frame) for frame in frames])
        shape = (planned.frames, 3, planned.height, planned.width)
        generators = [torch.Generator().manual_seed(work.seed + i) for i in range(planned.frames)]
        white = torch.stack([torch.randn(shape[1:], generator=generator) for generator in generators])
        noise = F.pixel_unshuffle(correlate(white, work.gamma), FACTOR)
        unet = _Network(self.faults, source, self._lasting(planned.frames))
        places = _places(planned.frames, *planned.latent_size)
        latents = source + SIGMAS[0] * noise
        with multidiffusion(unet, planned.parts):
            for sigma, after in zip(SIGMAS, (*SIGMAS[1:], 0.0), strict=True):
                made = unet(latents, sigma, places)
                latents = made + (latents - made) * (after / sigma)
        for latent in latents:
            yield F.pixel_shuffle(latent[None], FACTOR)[0].permute(1, 2, 0).numpy()

    def _lasting(self, frames: int) -> Tensor | None:
        return None if self.lasting is None else torch.cat([_folded(self.lasting[i]) for i in range(frames)])


class _Network(nn.Module):
    """Predicts the finished picture of a part of a video; where the part lies is told by `places`."""

    def __init__(self, faults: Faults, source: Tensor, lasting: Tensor | None):
        super().__init__()
        self.faults, self.source, self.lasting = faults, source, lasting

    def forward(self, latents: Tensor, sigma: float, places: Tensor) -> Tensor:
        """latents: [rows, 192, h, w] of a part; places: [rows, 3, h, w], its frames, rows and columns."""
        frames = places[:, 0, 0, 0].long()
        top, left = (int(start) for start in places[0, 1:, 0, 0])
        height, width = latents.shape[2:]
        area = (slice(None), slice(top, top + height), slice(left, left + width))
        source = torch.stack([self.source[i][area] for i in frames])
        made = source + LEVEL * self._colours(frames, top, left)
        if self.lasting is not None:
            made += LEVEL * self.faults.lasting * torch.stack([self.lasting[i][area] for i in frames])
        if self.faults.shared:
            guess = latents - source
            made += LEVEL * self.faults.shared * guess / guess.std()
        if self.faults.own:
            seed = torch.Generator().manual_seed(_number(int(frames[0]), top, left, round(100 * sigma)))
            made += LEVEL * self.faults.own * torch.randn(latents.shape, generator=seed)
        return made

    def _colours(self, frames: Tensor, top: int, left: int) -> Tensor:
        """Shifts of red, green and blue in levels, [rows, 192, 1, 1]; the same at all steps."""
        of_tile = _drawn(_number(int(frames[0]), top, left, 1))
        of_frames = torch.stack([_drawn(_number(int(frame), top, left, 2)) for frame in frames])
        shifts = self.faults.tile * of_tile + self.faults.flicker * of_frames
        return shifts.repeat_interleave(FACTOR**2, dim=1)[..., None, None]


def enlarge(picture: Picture, scale: float) -> Picture:
    """Interpolate smoothly, cut off at 0 and 1."""
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).clip(0, 1))


def _folded(picture: NDArray[np.float32]) -> Tensor:
    """[H, W, 3] as [1, 192, H / 8, W / 8]."""
    pixels = torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None]
    return F.pixel_unshuffle(pixels, FACTOR)


def _places(frames: int, height: int, width: int) -> Tensor:
    number = torch.arange(frames).view(-1, 1, 1).expand(-1, height, width)
    rows = torch.arange(height).view(1, -1, 1).expand(frames, -1, width)
    columns = torch.arange(width).expand(frames, height, -1)
    return torch.stack([number, rows, columns], dim=1).float()


def _number(*parts: int) -> int:
    return hash(parts) % 2**31  # of whole numbers, so the same in every process


def _drawn(seed: int) -> Tensor:
    return torch.randn(1, 3, generator=torch.Generator().manual_seed(seed))[0]
