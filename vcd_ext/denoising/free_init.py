"""FreeInit (Wu et al., arXiv 2312.07537): sample a video again from its own slow frequencies and fresh fast ones.

Denoisers are trained on videos to which noise was added, whose slow frequencies never vanish wholly; so they heed those
of the noise that they begin from, which are unlike a video's. FreeInit takes a video that was sampled, adds all the
noise to it that it began from (the forward process to the last time T), and keeps the slow frequencies of that, over
frames and canvas:

    z_T = sqrt(a_T) z_0 + sqrt(1 - a_T) noise
    x   = F^-1 (H F(z_T) + (1 - H) F(fresh)),      F: the Fourier transform over frames, height and width

H is a Butterworth filter of order 4, as the authors use it, and `fresh` new noise with the same prior. Their sum has a
little less than unit variance where H is neither 0 nor 1, which is left as it is in the paper. The transform takes the
frames for a ring; those of a closed loop lie on one.
"""

import torch
from torch import Tensor

from vcd_ext.settings import SettingError, VideoSettings

ORDER = 4  # of the filter
AXES = (0, 2, 3)  # frames, height, width


def check_from_text(settings: VideoSettings) -> None:
    """Raise SettingError, in one sentence, if FreeInit is asked for; called for what is not made from text alone."""
    times = settings.free.freeinit
    if times:
        raise SettingError(
            "freeinit",
            f"freeinit is {times}; FreeInit samples again from pure noise, and a video or picture that is given is "
            "not sampled from that. Set it to 0, or make the video from text.",
        )


def low_pass(frames: int, height: int, width: int, cutoff: float) -> Tensor:
    """Return H: float64 [frames, 1, height, width] in [0, 1], 1 for what does not change.

    cutoff: where H is a half, as a share of the fastest frequency of each axis; above 0.
    """
    shares = [2 * torch.fft.fftfreq(length, dtype=torch.float64) for length in (frames, height, width)]
    along_t, along_y, along_x = torch.meshgrid(*shares, indexing="ij")
    square = along_t**2 + along_y**2 + along_x**2
    return (1 / (1 + (square / cutoff**2) ** ORDER))[:, None]


@torch.no_grad()
def reinitialised(sampled: Tensor, begun: Tensor, fresh: Tensor, signal: float, cutoff: float) -> Tensor:
    """Return the noise x from which a video is sampled again: [F, C, h, w], of the type and on the device of `begun`.

    sampled: latents z_0. begun, fresh: of unit variance, what they were sampled from, and new. signal: a_T, the share
    of variance that the forward process leaves. It is computed on the CPU in float32, as no device has all transforms.
    """
    z_0, noise, new = (tensor.to("cpu", torch.float32) for tensor in (sampled, begun, fresh))
    z_t = signal**0.5 * z_0 + (1 - signal) ** 0.5 * noise
    frames, _, height, width = z_t.shape
    kept = low_pass(frames, height, width, cutoff).float()
    slow = torch.fft.fftn(z_t, dim=AXES) * kept + torch.fft.fftn(new, dim=AXES) * (1 - kept)
    return torch.fft.ifftn(slow, dim=AXES).real.to(begun)
