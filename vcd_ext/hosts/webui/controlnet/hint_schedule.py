"""Give one unit of sd-webui-controlnet the hints of the frames that the UNet is called with, and put its own back.

A unit's hints are the rows of a tensor: of one for all pictures of the batch, or of as many as the UNet has rows. The
extension takes new ones when its attribute `hint_cond` is set, which it has for others that change them.
"""

from collections.abc import Sequence
from typing import Any

import torch
from modules import devices
from torch import Tensor

from vcd_ext.hosts.protocols import FACTOR
from vcd_ext.hosts.shared.hint_video import HintVideo
from vcd_ext.hosts.webui.request.refused import Refused

# The extension's names of what looks at hints row by row, and of what puts the weights onto the result.
BY_ROW = ("ControlNet", "T2I_Adapter", "ControlLoRA", "AttentionInjection")
WEIGHED_BY_ROW = ("ControlNet", "T2I_Adapter", "ControlLoRA")
UNWEIGHED = ("colorfix", "reference")  # parts of the names of preprocessors that work on the picture itself


class HintSchedule:
    """Show a unit's hints, each to the frame that it is for."""

    def __init__(self, number: int, param: Any, video: HintVideo):
        self._param, self._video = param, video
        self._own = param.hint_cond, param.hr_hint_cond, param.effective_region_mask
        self._low = _first(number, param.hint_cond, len(video.pictures))
        high = param.hr_hint_cond
        self._high = None if high is None else _first(number, high, len(video.pictures))
        self._shown: Any = None  # what the unit has now

    def show(self, frames: Sequence[int], latents: Tensor) -> None:
        """Give the unit the hints of these frames, for all videos whose latents [rows, C, h, w] the UNet is given."""
        large = self._is_large(latents)
        now = tuple(frames), len(latents), large
        if now == self._shown:
            return
        rows = [self._video.picture_of[frame] for frame in frames] * (len(latents) // len(frames))
        param, device = self._param, devices.get_device_for("controlnet")
        # Of the resolution that is not in use the extension looks at the size alone.
        param.hint_cond = self._low[:1] if large else self._low[rows].to(device)
        if self._high is not None:
            param.hr_hint_cond = self._high[rows].to(device) if large else self._high[:1]
        if self._video.weights is not None:
            weights = [self._video.weights[frame] for frame in frames] * (len(latents) // len(frames))
            param.effective_region_mask = self._weighed(weights, device)
        self._forget()
        self._shown = now

    def put_back(self) -> None:
        """Give the unit what it had before."""
        self._param.hint_cond, self._param.hr_hint_cond, self._param.effective_region_mask = self._own
        self._forget()
        self._shown = None

    def _is_large(self, latents: Tensor) -> bool:
        """Return whether the extension takes the hints of the hires pass: those that are nearer in height."""
        if self._high is None:
            return False
        height = FACTOR * latents.shape[-2]
        return not abs(height - self._low.shape[-2]) < abs(height - self._high.shape[-2])

    def _weighed(self, weights: Sequence[float], device: torch.device) -> Tensor:
        """Return the weights [rows, 1, H, W], times the region that the unit is restricted to, if it is."""
        mask = torch.tensor(weights, dtype=devices.dtype_unet, device=device)[:, None, None, None]
        region = self._own[2]
        return mask if region is None else mask * region.to(mask)

    def _forget(self) -> None:
        """Make a network that keeps what it has made of hints, such as a T2I-Adapter, look at the new ones."""
        reset = getattr(self._param.control_model, "reset", None)
        if reset is not None:
            reset()


def check_type(number: int, unit: Any, param: Any, video: HintVideo) -> None:
    """Raise Refused, in one sentence, for a unit that cannot take hints, or their weights, frame by frame."""
    kind = param.control_model_type.name
    if kind not in BY_ROW:
        raise Refused(
            f"ControlNet unit {number}: {unit.model} is of the kind {kind}, which takes one picture for the whole "
            "video; give it one."
        )
    if kind == "T2I_Adapter" and (param.cfg_injection or param.global_average_pooling):
        raise Refused(
            f"ControlNet unit {number}: a T2I-Adapter takes one picture for the whole video where ControlNet is more "
            "important; choose 'Balanced', or give it one."
        )
    if video.weights is not None and (kind not in WEIGHED_BY_ROW or any(word in unit.module for word in UNWEIGHED)):
        raise Refused(
            f"ControlNet unit {number}: {unit.module} works on all frames alike, so it takes no key frames; take them "
            "out, or choose another preprocessor."
        )


def _first(number: int, hints: Any, count: int) -> Tensor:
    """Return a unit's hints [K, C, H, W]; the extension has them once more where it runs cond and uncond together."""
    if not isinstance(hints, Tensor) or hints.dim() != 4 or len(hints) not in (count, 2 * count):
        raise Refused(
            f"ControlNet unit {number}: its preprocessor makes no picture of each frame; choose another, or give it "
            "one picture for the whole video."
        )
    return hints[:count]
