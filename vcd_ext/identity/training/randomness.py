"""Random numbers that depend on what they are for, and not on what was drawn before: a run can be repeated and resumed.

Each place of a training has a generator of its own, made from the seed and the place's numbers, on the CPU.
"""

import numpy as np
import torch
from torch import Tensor

# Purposes: a photo's variant, the photos' order in an epoch, a step's sample, the validation's noise.
VARIANT, ORDER, SAMPLE, VALIDATION = range(4)


def generator(seed: int, purpose: int, *place: int) -> np.random.Generator:
    """Return the generator of one place, for example of (step, sample); all are whole numbers from 0."""
    return np.random.default_rng([seed, purpose, *place])


def normal(rng: np.random.Generator, *shape: int) -> Tensor:
    """Draw standard normal values, float32."""
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
