"""Frames of a video that are known stay what they are while the others are denoised.

As in inpainting (Lugmayr et al., RePaint, arXiv 2201.09865, section 4.1), but along the frames: at each noise level the
UNet is given the known latents z noised to that level, signal * z + noise * n, so that the motion module sees them
beside the unknown frames; and what it predicts for them is replaced by what leads back to z.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class KnownFrames(NamedTuple):
    """Known frames of a video: which they are, and their latents with the noise that each begins from."""

    places: Sequence[int]  # K frames of the video, counted from 0
    latents: Tensor  # [K, 4, h, w], scaled for the UNet
    noise: Tensor  # [K, 4, h, w] of unit variance

    def put_noised(self, rows: Tensor, signal: Tensor | float, noise: Tensor | float) -> Tensor:
        """Return rows [F, 4, h, w] in which the known frames are signal * z + noise * n."""
        known = signal * self.latents.to(rows) + noise * self.noise.to(rows)
        return self.put(rows, known)

    def put_latents(self, rows: Tensor) -> Tensor:
        """Return rows [F, 4, h, w] in which the known frames are their latents."""
        return self.put(rows, self.latents.to(rows))

    def put(self, rows: Tensor, known: Tensor) -> Tensor:
        """Return rows [F, 4, h, w] with K other rows at the places of the known frames."""
        rows = rows.clone()
        rows[list(self.places)] = known
        return rows

    def taken(self, rows: Tensor) -> Tensor:
        """Return the rows [K, ...] of the known frames."""
        return torch.stack([rows[place] for place in self.places])
