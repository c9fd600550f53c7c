"""Forward noising and its targets, in float32, for the schedule that the identity will be used with."""

import torch
from torch import Tensor

STEPS = 1000
BETAS = (0.00085, 0.012)  # AnimateDiff's are linear between these; in SD1.5 their roots are


def animatediff() -> Tensor:
    """Return AnimateDiff's noise schedule as cumulative products of alpha: float32 [1000]."""
    betas = torch.linspace(*BETAS, STEPS, dtype=torch.float64)
    return (1 - betas).cumprod(0).float()


def add_noise(latents: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """Add noise to latents [B, 4, h, w] at the noise levels alpha_bar [B]."""
    alpha_bar = alpha_bar[:, None, None, None]
    return alpha_bar.sqrt() * latents + (1 - alpha_bar).sqrt() * noise


def prediction_target(latents: Tensor, noise: Tensor, alpha_bar: Tensor, prediction_type: str) -> Tensor:
    """Return the UNet's target for `add_noise`, [B, 4, h, w]: the noise, or v (Salimans and Ho, arXiv 2202.00512)."""
    if prediction_type == "epsilon":
        return noise
    alpha_bar = alpha_bar[:, None, None, None]
    return alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * latents
