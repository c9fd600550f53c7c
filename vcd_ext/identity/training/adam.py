"""AdamW without weight decay on the vectors alone, with true clipping and an optional average (EMA).

Adam is Kingma and Ba, arXiv 1412.6980, algorithm 1. It is written out here because all of its state is then in the
open: what is saved is what the next step depends on.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

DECAYS, EPSILON = (0.9, 0.999), 1e-8
LARGEST_GRADIENT = 1.0  # norm; the paper's trainer means to clip there, but clips a frozen UNet's


@dataclass
class Adam:
    """Vectors [k, width] that are learned, and the optimiser's memory of them; all float32 on the CPU."""

    vectors: Tensor
    first: Tensor  # running means of the gradient and of its square
    second: Tensor
    average: Tensor  # of the vectors over the steps
    updates: int = 0

    @classmethod
    def start(cls, vectors: Tensor) -> "Adam":
        """Start at these vectors, with no step made."""
        return cls(vectors.clone(), torch.zeros_like(vectors), torch.zeros_like(vectors), vectors.clone())

    @torch.no_grad()
    def update(self, gradient: Tensor, learning_rate: float, ema: float = 0.0) -> None:
        """Step against a finite gradient [k, width]. ema: decay of the average; its first steps decay faster."""
        self.updates += 1
        n = self.updates
        gradient = gradient * (LARGEST_GRADIENT / gradient.norm().clamp(min=LARGEST_GRADIENT))
        self.first.lerp_(gradient, 1 - DECAYS[0])
        self.second.mul_(DECAYS[1]).addcmul_(gradient, gradient, value=1 - DECAYS[1])
        size = (self.second / (1 - DECAYS[1] ** n)).sqrt_().add_(EPSILON)
        self.vectors.addcdiv_(self.first, size, value=-learning_rate / (1 - DECAYS[0] ** n))
        self.average.lerp_(self.vectors, 1 - min(ema, (1 + n) / (10 + n)))
