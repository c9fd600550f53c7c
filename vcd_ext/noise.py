"""The 3D Gaussian noise prior: frames of one video start from correlated noise.

Magic-Me (arXiv 2402.09368 v1), section 4.1, equation 4: the initial noise of a video of F frames is drawn
from N(0, Sigma(gamma)) with Sigma[m, n] = gamma^|m - n|, the same covariance for every latent value.
"""

import math

import torch
from torch import Tensor


def check_gamma(gamma: float) -> float:
    """Return gamma as a float; ValueError unless it is a number in [0, 1)."""
    try:
        value = float(gamma)
    except (TypeError, ValueError):
        value = math.nan
    if not 0.0 <= value < 1.0:
        raise ValueError(
            f"gamma is {gamma!r}; it must be a number from 0 (independent frames) to below 1 (identical frames). "
            "Use 0.15, the paper's value."
        )
    return value


def covariance(frames: int, gamma: float) -> Tensor:
    """Return Sigma(gamma) of equation 4: float64 [frames, frames], gamma^|m - n| at (m, n), ones on the diagonal."""
    gamma = check_gamma(gamma)
    if frames < 1:
        raise ValueError(f"frames is {frames}; a video has at least 1 frame.")
    index = torch.arange(frames, dtype=torch.float64)
    return gamma ** (index[:, None] - index[None, :]).abs()


@torch.no_grad()
def correlate(white: Tensor, gamma: float) -> Tensor:
    """Give white noise the covariance of equation 4 along its first axis, the frames.

    white: [F, ...] independent standard normal values of a floating dtype. Returns the same shape, dtype and
    device; gamma = 0 returns the very tensor. The recursion

        x[0] = w[0],    x[i] = gamma * x[i-1] + sqrt(1 - gamma^2) * w[i]

    is a stationary AR(1) process, so it has exactly that covariance with unit variance, needs no F x F matrix,
    keeps frame i's own noise (and thereby its seed) inside frame i, and a longer video begins like the shorter
    one. Half precision is mixed in float32: rounding x at each step would drift over long videos.
    """
    gamma = check_gamma(gamma)
    if not isinstance(white, Tensor) or white.dim() < 1 or not white.is_floating_point():
        raise ValueError(f"noise must be a floating-point tensor [frames, ...], got {_describe(white)}.")
    if gamma == 0.0 or white.shape[0] < 2:
        return white
    innovation = math.sqrt(1.0 - gamma * gamma)
    mixed = torch.empty_like(white)
    mixed[0] = white[0]
    state = white[0].to(_mixing_dtype(white.dtype))
    for i in range(1, white.shape[0]):
        state = gamma * state + innovation * white[i].to(state.dtype)
        mixed[i] = state
    return mixed


def _mixing_dtype(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__
