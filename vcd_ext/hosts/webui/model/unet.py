"""Attach to the WebUI's UNet what denoises a video."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from vcd_ext.denoising.controlnet import ControlNet, controlnet_attached
from vcd_ext.denoising.deep_features import deep_features_reused
from vcd_ext.denoising.multidiffusion import Parts, RegionalPrompt, multidiffusion
from vcd_ext.hosts.webui.library.motion_modules import offload_motion_module
from vcd_ext.hosts.webui.model import checkpoint
from vcd_ext.hosts.webui.model.row_order import video_row_order
from vcd_ext.motion import MotionLora, MotionModule, attached
from vcd_ext.people import Regions
from vcd_ext.people.attention import heard_by_region
from vcd_ext.settings import EXACT


@contextmanager
def video_denoising(
    p: Any,
    parts: Parts,
    module: MotionModule | None,
    *,
    regional: RegionalPrompt | None = None,
    control: ControlNet | None = None,
    before_part: Callable[[], None] | None = None,
    loras: Sequence[MotionLora] = (),
    people: tuple[Regions, Sequence[int]] | None = None,
    speed: str = EXACT,
) -> Iterator[None]:
    """Make the model of `p` denoise a video within this context, in parts.

    parts, regional and before_part are those of `multidiffusion`. module: None leaves the frames apart and the schedule
    as it is. control: a ControlNet that looks at the frames. loras: motion LoRAs, which change the motion module.
    people: the regions of those who have words of their own, and how many tokens these are; see `people.attention`.
    speed: one of `settings.SPEEDS`.
    """
    sd_model = p.sd_model
    unet = sd_model.model.diffusion_model
    with ExitStack() as stack:
        stack.enter_context(video_row_order(unet, parts.frames))
        if module is not None:
            stack.enter_context(checkpoint.motion_schedule(sd_model, p))
            stack.callback(_leave_device, sd_model)
            length = len(parts.windows[0].frames)
            stack.enter_context(attached(unet, module, length, loras=loras, **checkpoint.placement(sd_model)))
        if control is not None:
            stack.enter_context(controlnet_attached(unet, control, **checkpoint.placement(sd_model)))
        if people is not None:
            stack.enter_context(heard_by_region(unet, people[0], parts.frames, people[1]))
        stack.enter_context(deep_features_reused(unet, speed))
        stack.enter_context(multidiffusion(unet, parts, regional, before_part))
        yield


def _leave_device(sd_model: Any) -> None:
    if checkpoint.is_low_memory(sd_model):
        offload_motion_module()
