"""The frames at twice their size, as the denoiser and the colours' reference ask for them."""

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from vcd_ext.denoising.out_of_memory import explained
from vcd_ext.hosts.protocols import FACTOR, Interrupted, Picture, VideoHost
from vcd_ext.storage.disk_array import allocate

SCALE = 2
MIN_CANVAS_SIDE = 64  # pixels; the UNet halves the latents three times


class UpscaledFrames(Sequence[Picture]):
    """Pictures [h, w, 3] in [0, 1], each enlarged once, when it is first asked for.

    h, w: twice the frames' sides, extended at bottom and right by mirroring to multiples of 8 and at least 64 pixels.
    They are kept in half precision, an eighth of a level at most from what the upscaler made.
    """

    def __init__(
        self,
        host: VideoHost,
        frames: NDArray[np.uint8],
        upscaler: str,
        interrupted: Callable[[], bool] = lambda: False,
    ):
        self.host, self.frames, self.upscaler, self.interrupted = host, frames, upscaler, interrupted
        self.size = (SCALE * frames.shape[1], SCALE * frames.shape[2])  # height, width without what is added
        self.canvas = (_extended(self.size[0]), _extended(self.size[1]))
        self._kept: NDArray[np.float16] = allocate((len(frames), *self.canvas, 3), np.float16)
        self._made = np.zeros(len(frames), bool)

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Picture]: ...
    def __getitem__(self, index: int | slice) -> Picture | Sequence[Picture]:
        """Return a frame, or some. Interrupted if the person wants no more; ValueError if the upscaler fails."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]  # also from the end; IndexError
        if not self._made[index]:
            self._kept[index] = self._enlarge(index)
            self._made[index] = True
        return self._kept[index].astype(np.float32)

    def _enlarge(self, index: int) -> Picture:
        if self.interrupted():
            raise Interrupted
        picture = self._by_host(self.frames[index].astype(np.float32) / 255)
        if picture.shape != (*self.size, 3):
            raise ValueError(
                f"The upscaler {self.upscaler} made {picture.shape[1]}x{picture.shape[0]} where {self.size[1]}x"
                f"{self.size[0]} was asked for; choose another upscaler, for example Lanczos."
            )
        added = [(0, canvas - side) for canvas, side in zip(self.canvas, self.size, strict=True)]
        return np.pad(picture.clip(0, 1), [*added, (0, 0)], mode="reflect")

    def _by_host(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        sentence = (
            f"The memory is too small for the upscaler {self.upscaler} on {width}x{height}; close other programs or "
            "choose another upscaler, for example Lanczos."
        )
        with explained(lambda: sentence):
            return self.host.enlarge(picture, SCALE, self.upscaler)


def _extended(side: int) -> int:
    return max(-(-side // FACTOR) * FACTOR, MIN_CANVAS_SIDE)
