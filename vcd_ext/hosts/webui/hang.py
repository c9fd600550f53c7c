"""All that hangs on the WebUI's model while a video is sampled."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from vcd_ext.denoising.controlnet import Control, guided
from vcd_ext.denoising.multidiffusion import Swap, spread
from vcd_ext.hosts.webui import library, model
from vcd_ext.hosts.webui.rows import in_video_order
from vcd_ext.motion import MotionModule, Window, attached
from vcd_ext.tiled.tiles import Tile


@contextmanager
def moving(
    p: Any,
    frames: int,
    windows: Sequence[Window],
    module: MotionModule | None,
    *,
    tiles: Sequence[Tile] | None = None,
    swap: Swap | None = None,
    control: Control | None = None,
    before_part: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Within this context the model of `p` denoises a video of `frames` frames, in windows and tiles.

    tiles, swap and before_part are those of `spread`. module: None leaves the frames apart and the schedule as it is.
    control: a ControlNet that looks at the frames.
    """
    sd_model = p.sd_model
    unet = sd_model.model.diffusion_model
    with ExitStack() as stack:
        stack.enter_context(in_video_order(unet, frames))
        if module is not None:
            stack.enter_context(model.motion_schedule(sd_model, p))
            stack.callback(_leave_device, sd_model)
            length = len(windows[0].frames)
            stack.enter_context(attached(unet, module, length, **model.residence(sd_model)))
        if control is not None:
            stack.enter_context(guided(unet, control, **model.residence(sd_model)))
        stack.enter_context(spread(unet, frames, windows, tiles, swap, before_part))
        yield


def _leave_device(sd_model: Any) -> None:
    if model.is_low_memory(sd_model):
        library.make_room()
