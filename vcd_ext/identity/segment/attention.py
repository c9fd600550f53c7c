"""Masks without any weights of their own: where the loaded checkpoint looks for the word, refined by GrabCut."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vcd_ext.hosts.protocols import Posterior
from vcd_ext.identity.photos.photo import Pixels, SubjectMask
from vcd_ext.identity.segment.cross_attention import WordMaps, listening
from vcd_ext.identity.segment.grabcut import grabcut

AREA = 512 * 512  # pixels: what SD1.5 was trained with
GRID = 64  # pixels: the UNet halves the latents three times
TIMES = (150, 300, 450)  # steps of 1000: enough noise for the UNet to ask the text, enough picture to be about it
PROMPT = "a photo of a"
SURE, LIKELY, UNLIKELY = 0.75, 0.45, 0.12  # shares of the map's range
FLAT = 1.5  # a map whose peak is less than this many times its median has not found the word
SEED = 0


class AttentionHost(Protocol):
    """What is asked of a `vcd_ext.hosts.protocols.TrainingHost`, and its UNet."""

    @property
    def unet(self) -> nn.Module:
        """The LDM or diffusers UNet that `predict` calls."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def alphas_cumprod(self) -> Tensor:
        """The noise schedule, [1000]."""

    def training(self) -> AbstractContextManager[None]:
        """Return the context in which the methods below may be called."""

    def tokens(self, words: str) -> list[int]:
        """Return CLIP's ids of plain words, without start and end."""

    def encode(self, pictures: Tensor) -> Posterior:
        """Return the VAE's posterior of pictures [B, 3, H, W] in [-1, 1]."""

    def free_encoder(self) -> None:
        """Free the VAE's memory: it is not needed until the end of the context."""

    def text(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Return the text condition [1, 77, width]."""

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        """Call the UNet once."""


class Attention:
    """Segments with the checkpoint that identities are trained on."""

    name = "cross-attention"

    def __init__(self, host: AttentionHost):
        """host: not in use by another thread, and outside of its `training` context."""
        self.host = host

    def __call__(self, pixels: Pixels, word: str) -> SubjectMask:
        """Segment `word` in pixels uint8 [H, W, 3]: mask uint8 [H, W]; ValueError where the UNet does not see it."""
        found = word_map(self.host, pixels, word)
        if found.max() < FLAT * np.median(found):
            raise ValueError(f"the checkpoint does not see where a {word} is in it; paint the mask or drop the photo.")
        return grabcut(pixels, seeds(found))


@torch.no_grad()
def word_map(host: AttentionHost, pixels: Pixels, word: str) -> NDArray[np.float32]:
    """Map each pixel's attention to the word: float32 [H, W], 0 to 1, the mean over heads, layers, noise levels.

    The same picture gives the same map: the noise is drawn from a seed.
    """
    before, named = (len(host.tokens(text)) for text in (PROMPT, f"{PROMPT} {word}"))
    with host.training():
        latents = host.encode(_prepared(pixels)).mean.to(host.device)
        host.free_encoder()
        text = host.text(f"{PROMPT} {word}", {})
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(SEED)).to(host.device)
        maps = WordMaps(range(1 + before, 1 + named), (latents.shape[2], latents.shape[3]))  # 1 is the start token
        with listening(host.unet, maps):
            for time in TIMES:
                kept = float(host.alphas_cumprod[time])
                host.predict(
                    kept**0.5 * latents + (1 - kept) ** 0.5 * noise, torch.tensor([time]).to(host.device), text
                )
    height, width = pixels.shape[:2]
    return cv2.resize(maps.mean.numpy(), (width, height), interpolation=cv2.INTER_CUBIC)


def seeds(found: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Turn a map [H, W] into GrabCut's seeds [H, W]: surely, probably, probably not, surely not the subject."""
    low, high = np.percentile(found, (1, 99.5))
    share = np.clip((found - low) / max(high - low, 1e-12), 0, 1)
    marks = np.full(share.shape, cv2.GC_PR_BGD, np.uint8)
    marks[share >= LIKELY] = cv2.GC_PR_FGD
    marks[share >= SURE] = cv2.GC_FGD
    marks[share <= UNLIKELY] = cv2.GC_BGD
    return marks


def _prepared(pixels: Pixels) -> Tensor:
    """Convert to a picture [1, 3, h, w] in [-1, 1], about `AREA` large, whose sides the UNet can halve."""
    height, width = pixels.shape[:2]
    factor = (AREA / (height * width)) ** 0.5
    size = [max(GRID, round(side * factor / GRID) * GRID) for side in (width, height)]
    shrinks = factor < 1
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return torch.from_numpy(small).permute(2, 0, 1)[None].float() / 127.5 - 1
