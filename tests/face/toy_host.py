"""Hosts that lend no model: what they make of crops is known."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from vcd_ext.hosts.protocols import Interrupted, Mask, Picture, VideoPass

STEPS = 4

Paint = Callable[[int, Picture], Picture]


def unchanged(place: int, picture: Picture) -> Picture:
    """Return the input, as a denoiser."""
    return picture


class ToyHost:
    """A `VideoHost` that paints each picture by itself and remembers what it was asked."""

    def __init__(self, paint: Paint = unchanged):
        """paint: makes a picture of the one at a place of the video."""
        self.paint = paint
        self.passes: list[VideoPass] = []
        self.lengths: list[int] = []
        self.seen: list[tuple[Picture, Mask]] = []  # the first crop of each pass, with its mask
        self.runs: list[Iterator[Picture]] = []  # held, so that nothing but their end or a call closes them
        self.closed = 0

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        masks = work.masks
        assert masks is not None
        assert len(masks) == len(frames)
        self.passes.append(work)
        self.lengths.append(len(frames))
        self.seen.append((frames[0], masks[0]))
        self.runs.append(self._run(frames, work))
        return self.runs[-1]

    def _run(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        tell, total = work.progress or (lambda *_: None), STEPS + len(frames)  # decoding counts, as with real hosts
        try:
            for step in range(STEPS):
                if work.interrupted():
                    raise Interrupted
                tell(step, total)
            tell(STEPS, total)
            for place, picture in enumerate(frames):
                tell(STEPS + place + 1, total)
                yield np.clip(self.paint(place, picture), 0, 1).astype(np.float32)
        finally:
            self.closed += 1

    def upscalers(self) -> list[str]:
        raise AssertionError("Face VCD enlarges by itself")

    def controlnet(self, note: Callable[[str], None]) -> str:
        raise AssertionError("Face VCD has none")

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        raise AssertionError("Face VCD enlarges by itself")
