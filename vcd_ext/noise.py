"""The 3D Gaussian noise prior: frames of one video start from correlated noise.

Magic-Me (arXiv 2402.09368 v1), section 4.1, equation 4: the initial noise of a video of F frames is drawn
from N(0, Sigma(gamma)) with Sigma[m, n] = gamma^|m - n|, the same covariance for every latent value.

In a closed loop the last frame is a neighbour of the first, so the distance of two frames goes the shorter way around
the ring:

    Sigma[m, n] = gamma^d(m - n),    d(k) = min(|k|, F - |k|)

Each row is the row before it, moved on by one: the matrix is circulant. Its eigenvectors are the waves of the discrete
Fourier transform along the frames, and its eigenvalues are the transform of its first row. With theta = 2 pi k / F and
Q = 1 - 2 gamma cos(theta) + gamma^2, summing the two geometric series gives, for k = 0, ..., F - 1,

    F even:  lambda[k] = (1 - gamma^2) (1 - (-1)^k gamma^(F/2)) / Q
    F odd:   lambda[k] = (1 - gamma) (1 + gamma - 2 (-1)^k gamma^((F+1)/2) cos(theta / 2)) / Q

For 0 <= gamma < 1 all of them are above 0: Q is at least (1 - gamma)^2; in the even case both factors are positive; in
the odd case gamma^((F+1)/2) is at most gamma, so that the bracket is at least 1 - gamma. So Sigma is a covariance for
every gamma and every length that can be asked for. (It is what the exponential covariance is on a circle: Gneiting,
Strictly and non-strictly positive definite functions on spheres, Bernoulli 19, 2013.) White noise w becomes such noise
by the symmetric root of Sigma, which weights each wave of w by the square root of its eigenvalue:

    x = DFT^-1 (sqrt(lambda) * DFT(w)),    E[x x^T] = root(Sigma) root(Sigma)^T = Sigma

Of all roots it is the one that changes w least, so frame i keeps most of its own noise, and it has no beginning:
turning w around the ring turns x. No loop can begin with the noise of a shorter one, as the recursion below does.
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


def covariance(frames: int, gamma: float, loop: bool = False) -> Tensor:
    """Return Sigma(gamma) of equation 4: float64 [frames, frames], gamma^|m - n| at (m, n), ones on the diagonal.

    loop: the frames lie on a ring, and their distance is min(|m - n|, frames - |m - n|).
    """
    gamma = check_gamma(gamma)
    if frames < 1:
        raise ValueError(f"frames is {frames}; a video has at least 1 frame.")
    index = torch.arange(frames, dtype=torch.float64)
    distance = (index[:, None] - index[None, :]).abs()
    return gamma ** (torch.minimum(distance, frames - distance) if loop else distance)


def ring_eigenvalues(frames: int, gamma: float) -> Tensor:
    """Return the eigenvalues of `covariance(frames, gamma, loop=True)`: float64 [frames], all above 0.

    Eigenvalue k belongs to the wave that goes around the ring k times. ValueError as of `covariance`.
    """
    gamma = check_gamma(gamma)
    if frames < 1:
        raise ValueError(f"frames is {frames}; a video has at least 1 frame.")
    k = torch.arange(frames, dtype=torch.float64)
    theta, sign = 2 * math.pi * k / frames, 1 - 2 * (k % 2)
    size = (1 - gamma) ** 2 + 4 * gamma * (theta / 2).sin() ** 2  # Q, without the cancellation near theta = 0
    if frames % 2 == 0:
        return (1 - gamma**2) * (1 - sign * gamma ** (frames / 2)) / size
    return (1 - gamma) * (1 + gamma - 2 * sign * gamma ** ((frames + 1) / 2) * (theta / 2).cos()) / size


@torch.no_grad()
def correlate(white: Tensor, gamma: float, loop: bool = False) -> Tensor:
    """Give white noise the covariance of equation 4 along its first axis, the frames; loop: that of a ring.

    white: [F, ...] independent standard normal values of a floating dtype. Returns the same shape, dtype and
    device; gamma = 0 returns the very tensor. The recursion

        x[0] = w[0],    x[i] = gamma * x[i-1] + sqrt(1 - gamma^2) * w[i]

    is a stationary AR(1) process, so it has exactly that covariance with unit variance, needs no F x F matrix,
    keeps frame i's own noise (and thereby its seed) inside frame i, and a longer video begins like the shorter
    one. Half precision is mixed in float32: rounding x at each step would drift over long videos.
    Around a ring the waves along the frames are weighted instead, on the CPU, as no device has all of their transforms.
    """
    gamma = check_gamma(gamma)
    if not isinstance(white, Tensor) or white.dim() < 1 or not white.is_floating_point():
        raise ValueError(f"noise must be a floating-point tensor [frames, ...], got {_describe(white)}.")
    if gamma == 0.0 or white.shape[0] < 2:
        return white
    if loop:
        return _around_the_ring(white, gamma)
    innovation = math.sqrt(1.0 - gamma * gamma)
    mixed = torch.empty_like(white)
    mixed[0] = white[0]
    state = white[0].to(_mixing_dtype(white.dtype))
    for i in range(1, white.shape[0]):
        state = gamma * state + innovation * white[i].to(state.dtype)
        mixed[i] = state
    return mixed


def _around_the_ring(white: Tensor, gamma: float) -> Tensor:
    frames = white.shape[0]
    waves = torch.fft.rfft(white.to("cpu", _mixing_dtype(white.dtype)), dim=0)
    weights = ring_eigenvalues(frames, gamma).sqrt()[: len(waves)].to(waves.real.dtype)
    waves *= weights.reshape(-1, *[1] * (white.dim() - 1))
    return torch.fft.irfft(waves, n=frames, dim=0).to(white)


def _mixing_dtype(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def _describe(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__


def continued(last: Tensor, white: Tensor, gamma: float) -> Tensor:
    """Go on with the recursion of `correlate` behind its frame `last` [...].

    white: [F, ...]; returns [F, ...] with x[0] = gamma * last + sqrt(1 - gamma^2) * w[0], and so on: the very frames
    that a longer video would have had there.
    """
    if check_gamma(gamma) == 0.0:
        return white
    # The first frame of a sequence is taken as it is, so `last` stands there.
    return correlate(torch.cat([last[None].to(white), white]), gamma)[1:]
