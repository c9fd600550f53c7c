"""A host without a model: it enlarges by repeating pixels, and denoises with a function that a test gives."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from vcd_ext.denoising.partition import tiles
from vcd_ext.hosts.protocols import Picture, Tiling, VideoPass

Change = Callable[[Picture, int, int], Picture]  # a tile of the enlarged picture, its frame, its number


def identity(part: Picture, frame: int, tile: int) -> Picture:
    return part


class ToyHost:
    """A `VideoHost` that denoises tile by tile and fuses with the tiles' weights.

    change: what a tile becomes. failures: errors of the first runs, None for a run that works. fails_at: the frame
    before which a failing run fails, -1 for before any.
    """

    def __init__(
        self, change: Change = identity, failures: Sequence[Exception | None] = (), fails_at: int = -1, scale: float = 0
    ):
        self.change, self.failures, self.fails_at, self.scale = change, list(failures), fails_at, scale
        self.runs: list[tuple[VideoPass, Tiling]] = []
        self.enlarged: list[int] = []  # a number for each picture, its first value
        self.decoded = self.attached = 0
        self.networks: list[str] = []

    def upscalers(self) -> list[str]:
        return ["repeat", "Lanczos"]

    def controlnet(self, note: Callable[[str], None]) -> str:
        return next(iter(self.networks), "none")

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        self.enlarged.append(round(float(picture[0, 0, 0]) * 255))
        times = int(self.scale or scale)
        return picture.repeat(times, axis=0).repeat(times, axis=1)

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        tiling = work.tiling
        assert work.masks is None
        assert tiling is not None
        self.runs.append((work, tiling))
        failure = self.failures.pop(0) if self.failures else None
        self.attached += 1
        try:
            if failure and self.fails_at < 0:
                raise failure
            encoded = [frame.copy() for frame in frames]
            if work.progress:
                work.progress(len(frames), len(frames))
            if work.interrupted():
                return
            for i, frame in enumerate(encoded):
                if failure and i == self.fails_at:
                    raise failure
                self.decoded += 1
                yield self._fused(frame, i, tiling)
        finally:
            self.attached -= 1

    def _fused(self, frame: Picture, index: int, tiling: Tiling) -> Picture:
        fused = np.zeros_like(frame)
        for number, tile in enumerate(tiles(*frame.shape[:2], tiling.size, tiling.overlap)):
            place = slice(tile.top, tile.top + tile.height), slice(tile.left, tile.left + tile.width)
            fused[place] += self.change(frame[place], index, number) * tile.weights.numpy()[..., None]
        return fused


def noisy_frames(count: int = 2, height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """uint8 [F, H, W, 3]; frame i begins with the value 10 * i."""
    frames = np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    frames[:, 0, 0, 0] = 10 * np.arange(count)
    return frames
