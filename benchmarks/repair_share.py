"""How much of a run is neither denoising nor decoding: reading, finding, cropping, enlarging, colours, writing.

A host's clock runs while it works and stands while it asks for a frame or a mask. Seconds are those of the processor,
with one thread. The drawn world's model is the smallest there is, and is run. At SD1.5's true size one call of the UNet
is timed and counted as often as a run has it; of motion module, text encoder and VAE nothing is counted, so that the
shares are upper bounds.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import face_photo
from benchmarks.rows import Row
from benchmarks.tiled_speed import FULL, four, random_unet
from vcd_ext import media, toyworld
from vcd_ext.cli import demo
from vcd_ext.face import detector
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import Picture, VideoHost, VideoPass
from vcd_ext.hosts.shared.enlarge import Enlargers
from vcd_ext.hosts.shared.passes import steps_run
from vcd_ext.media import Clip
from vcd_ext.progress import Callbacks
from vcd_ext.settings import NO_MODULE, FaceSettings, TiledSettings
from vcd_ext.stages.video_to_video import Settings, run_stage, title

Item = TypeVar("Item")
PROMPT = "photo of a woman in a room, standing"
FACE_LATENTS = 512 // 8  # a side; those of a tile are more, so that their share is an upper bound as well


class Spent(NamedTuple):
    """Seconds of one run."""

    whole: float
    model: float  # encoding, denoising and decoding

    @property
    def rest(self) -> float:
        """Seconds of everything else."""
        return self.whole - self.model


class Clocked:
    """A `VideoHost` whose work is timed, less what it waits for its frames."""

    def __init__(self, host: VideoHost):
        self.host, self.seconds = host, 0.0
        self.upscalers, self.controlnet, self.enlarge = host.upscalers, host.controlnet, host.enlarge

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        """Yield the host's frames, timed."""
        masks = None if work.masks is None else _Lent(work.masks, self)
        start = time.process_time()
        pictures = iter(self.host.denoise(_Lent(frames, self), replace(work, masks=masks)))
        while True:
            picture = next(pictures, None)
            self.seconds += time.process_time() - start
            if picture is None:
                return
            yield picture
            start = time.process_time()


class _Lent(Sequence[Item]):
    """A sequence that stops the clock while it makes an item."""

    def __init__(self, items: Sequence[Item], clock: Clocked):
        self.items, self.clock = items, clock

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: Any) -> Any:
        start = time.process_time()
        item = self.items[place]
        self.clock.seconds -= time.process_time() - start
        return item


class Idle:
    """A `VideoHost` that gives its frames back: what a run costs without a model."""

    def __init__(self) -> None:
        enlargers = Enlargers((), torch.device("cpu"))
        self.upscalers, self.enlarge = enlargers.names, enlargers.enlarge

    def controlnet(self, note: Callable[[str], None]) -> str:
        """None."""
        return NO_MODULE

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        """Each frame and mask read, as by an encoder; then the frames."""
        encoded = [frame.astype(np.float16) for frame in frames]
        for mask in work.masks or ():
            assert mask.ndim == 2
        for frame in encoded:
            yield frame.astype(np.float32)


def rows(frames: int) -> list[Row]:
    """At SD1.5's size with the usual settings; on the drawn world with the demo's."""
    usual: list[Settings] = [FaceSettings(seed=1, prompt=PROMPT), TiledSettings(seed=1, prompt=PROMPT)]
    video = face_photo.photo(frames, 0.35).frames
    seconds = full_size_seconds(FACE_LATENTS)
    found = []
    for chosen, parts in zip(usual, (1, len(four())), strict=True):
        rest = run(Idle(), video, chosen).rest
        model = 2 * steps_run(chosen.steps, chosen.denoise) * parts * frames * seconds
        found.append(_row(chosen, "SD1.5's true size, 512x512", Spent(rest + model, model), frames))
    small = np.stack([cv2.resize(frame, (256, 256), interpolation=cv2.INTER_AREA) for frame in video])
    host = StandaloneVideo(Standalone.load(toyworld.checkpoint(), torch.float32, "cpu"))
    demos: list[Settings] = [replace(demo.FACE, detector="auto"), replace(demo.TILED)]
    for chosen in demos:
        chosen = replace(chosen, seed=1, prompt=PROMPT, motion_module=str(toyworld.motion_module()))
        found.append(_row(chosen, "the drawn world, 256x256", run(host, small, chosen), frames))
    return found


def _row(settings: Settings, of: str, spent: Spent, frames: int) -> Row:
    note = f"{1000 * spent.rest / frames:.0f} ms a frame beside {spent.model / frames:.2f} s of the model"
    return Row(f"{title(settings)}, {of}: share of a run", spent.rest / spent.whole, high=0.05, note=note)


def run(host: Any, frames: NDArray[np.uint8], settings: Settings) -> Spent:
    """One run from a file to a file; loading the model does not count."""
    clocked = Clocked(host)
    with tempfile.TemporaryDirectory() as folder:
        source = media.write(Path(folder) / "in.mp4", Clip(frames, 8.0, {}))
        start = time.process_time()
        made = run_stage(clocked, media.read(source), settings, detector, Callbacks(_ignore, _ignore, lambda: False))
        assert made.clip is not None, "nothing was made"
        media.write(Path(folder) / "out.mp4", made.clip)
        return Spent(time.process_time() - start, clocked.seconds)


@torch.no_grad()
def full_size_seconds(side: int) -> float:
    """Seconds of one call of SD1.5's UNet for one frame of latents of side x side, random weights, float32."""
    with torch.device("meta"):
        model = random_unet(FULL)
    model.to_empty(device="cpu")
    for values in model.state_dict().values():  # quicker than to initialise them, and as quick to compute with
        values.normal_(0, 0.02)
    latents, text = torch.randn(1, 4, side, side), torch.randn(1, 77, 768)
    start = time.process_time()
    model(latents, 100, text)
    return time.process_time() - start


def _ignore(_: object) -> None:
    pass
