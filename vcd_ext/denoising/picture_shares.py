"""From a picture to a video: how much of the first and of the last picture each frame begins from.

Of a video of F frames, frame i begins its denoising from latents that are blended of the latents of the first picture,
of the last picture, and of noise e_i:

    a_i = max(0, 1 - i^p / s)              b_i = max(0, 1 - (F - 1 - i)^q / r)
    z_i = a_i z_first + b_i z_last + sqrt(1 - (a_i + b_i)^2) e_i

p, s are the latent power and scale of the first picture, q, r those of the last, as in sd-webui-animatediff: with its
defaults of 1 and 32 the share falls by 1/32 from frame to frame. Without a last picture all b are 0, without a first
one all a. With both, the first frame has nothing of the last picture and the last nothing of the first, and where
a_i + b_i > 1 both are divided by it. The noise, correlated as that of the denoising is, keeps z_i as large as latents
are: of variance 1, where a plain blend would be paler in the middle.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Shares(NamedTuple):
    """What each frame has of the first and of the last picture: float32 [F] each, with sums of at most 1."""

    first: Tensor
    last: Tensor

    def blended(self, first: Tensor, last: Tensor, noise: Tensor) -> Tensor:
        """Return the latents [F, 4, h, w] that the frames begin from.

        first, last: latents [1, 4, h, w] of the pictures. noise: [F, 4, h, w] of unit variance.
        """
        a, b = (share.to(noise)[:, None, None, None] for share in self)
        rest = (1 - (a + b) ** 2).clamp(min=0).sqrt()
        return a * first.to(noise) + b * last.to(noise) + rest * noise


def shares(frames: int, first: tuple[float, float] | None, last: tuple[float, float] | None) -> Shares:
    """Return the shares in a video of so many frames. first, last: power and scale; None: there is no such picture."""
    index = torch.arange(frames, dtype=torch.float32)
    none = torch.zeros(frames)
    a = none if first is None else (1 - index ** first[0] / first[1]).clamp(min=0)
    b = none if last is None else (1 - index.flip(0) ** last[0] / last[1]).clamp(min=0)
    if first is not None and last is not None and frames > 1:
        a[-1], b[0] = 0, 0
    together = (a + b).clamp(min=1)
    return Shares(a / together, b / together)
