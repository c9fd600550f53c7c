"""White noise of a video's frames, as the WebUI draws it on the CPU."""

from collections.abc import Sequence

import torch
from torch import Tensor


class FrameNoise:
    """Draws noise [F, *shape], frame i from its own CPU generator seeded with seed + i, as the WebUI does."""

    def __init__(self, seed: int, frames: int, shape: tuple[int, ...]):
        self.shape = shape
        self.generators = [torch.Generator().manual_seed(seed + i) for i in range(frames)]

    def of(self, seeds: Sequence[int]) -> Tensor:
        """Draw the first noise of frames with other seeds, [n, *shape]."""
        return torch.stack([torch.randn(self.shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])

    def draw(self) -> Tensor:
        """Draw the next noise of all frames, [F, *shape], on the CPU."""
        return torch.stack([torch.randn(self.shape, generator=generator) for generator in self.generators])
