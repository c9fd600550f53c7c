"""Tell, before each call of the UNet, which frames of the video its rows hold.

What others have hung on the UNet, such as sd-webui-controlnet, knows nothing of windows: with this it can be given what
belongs to the frames that it is called with.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from vcd_ext.denoising.multidiffusion import Divisible
from vcd_ext.denoising.partition import Tile
from vcd_ext.denoising.unet import Forward, forward_replaced
from vcd_ext.motion.windows import Window

ARGUMENT = "frame_numbers"  # by which a call of the UNet carries them


class FrameNumbers(Divisible):
    """Hold the numbers of a video's frames, or of those of a window."""

    def __init__(self, frames: Sequence[int]):
        self.frames = frames

    def part(self, window: Window, tile: Tile | None) -> "FrameNumbers":
        """Return those of a window, whichever its tile."""
        return FrameNumbers(window.frames)


@contextmanager
def frames_told(unet: nn.Module, frames: int, tell: Callable[[Sequence[int], Tensor], None]) -> Iterator[None]:
    """Call `tell` within this context before each call of the UNet, with its frames and its latents [rows, C, h, w].

    unet: an LDM `UNetModel` or a diffusers `UNet2DConditionModel`. The rows are whole videos of those frames, one after
    the other; other row counts raise ValueError. Of a `multidiffusion` that is entered after this, each part is told.
    What stands in the place of the UNet's forward function before this is called after `tell`.
    """
    whole = FrameNumbers(range(frames))

    def carry(_unet: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, {**kwargs, ARGUMENT: whole}

    def telling(plain: Forward) -> Forward:
        def forward(*args: Any, frame_numbers: FrameNumbers, **kwargs: Any) -> Any:
            latents: Tensor = args[0] if args else kwargs["x" if "x" in kwargs else "sample"]
            if len(latents) % len(frame_numbers.frames):
                raise ValueError(
                    f"The UNet was called with {len(latents)} pictures, which are not whole videos of "
                    f"{len(frame_numbers.frames)} frames. Turn off what splits or shortens the batch, or give "
                    "ControlNet one picture for the whole video."
                )
            tell(frame_numbers.frames, latents)
            return plain(*args, **kwargs)

        return forward

    handle = unet.register_forward_pre_hook(carry, with_kwargs=True)
    try:
        with forward_replaced(unet, telling):
            yield
    finally:
        handle.remove()
