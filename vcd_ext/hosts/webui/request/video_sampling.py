"""Attach to the WebUI's model all that makes a video of what it samples for one request."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from vcd_ext.denoising.deep_features import deep_features_reused
from vcd_ext.denoising.out_of_memory import explained
from vcd_ext.hosts.webui.model import known, motion_loras
from vcd_ext.hosts.webui.model.sampling import steps_of_strength, stop_if_asked
from vcd_ext.hosts.webui.model.unet import video_denoising
from vcd_ext.hosts.webui.request.inputs import RequestInputs
from vcd_ext.hosts.webui.request.loras import RequestLoras
from vcd_ext.hosts.webui.request.motion import RequestMotion
from vcd_ext.people import Regions
from vcd_ext.settings import VideoSettings


@contextmanager
def video_sampling(
    p: Any,
    settings: VideoSettings,
    motion: RequestMotion,
    loras: RequestLoras,
    inputs: RequestInputs,
    people: tuple[Regions, Sequence[int]] | None,
    check: Callable[[Any, Any], None],
) -> Iterator[None]:
    """Make the model of `p` sample a video within this context, and what it was before, however that ends.

    people: the regions of those who have words of their own, and how many tokens these are. check: a forward pre-hook
    of the UNet, which may raise.
    """
    unet = p.sd_model.model.diffusion_model
    with explained(lambda: motion.too_small(p)), ExitStack() as stack:
        stack.callback(known.hold, None)
        stack.callback(unet.register_forward_pre_hook(check).remove)
        if inputs.control is not None:
            stack.enter_context(inputs.control.shown(unet, settings.frames))
        if motion.module is not None or inputs.control is not None or people is not None:
            more: dict[str, Any] = {"loras": loras.motion, "people": people, "speed": settings.speed}
            stack.enter_context(video_denoising(p, motion.parts(), motion.module, before_part=stop_if_asked, **more))
        else:
            stack.enter_context(deep_features_reused(unet, settings.speed))
        stack.enter_context(motion_loras.adapters_attached(unet, loras.adapters))
        if inputs.source is not None:
            stack.enter_context(steps_of_strength(p))
        yield
