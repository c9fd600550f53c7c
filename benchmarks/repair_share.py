"""How much of a run is neither denoising nor decoding: reading, finding, cropping, enlarging, colours, writing.

A host's clock runs while it works and stands while it asks for a frame or a mask. Seconds are those of the processor,
with one thread. The drawn world's model is the smallest there is; for SD1.5's true size one call of its UNet is timed,
and nothing else of it (no motion module, no VAE), so that the shares are upper bounds.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch

from benchmarks import face_photo
from benchmarks.rows import Row
from benchmarks.tiled_speed import FULL, four, random_unet
from vcd_ext import media, toyworld
from vcd_ext.face import detector
from vcd_ext.host import Picture
from vcd_ext.hosts.passes import steps_run
from vcd_ext.hosts.standalone import Standalone
from vcd_ext.hosts.video import StandaloneVideo
from vcd_ext.media import Clip
from vcd_ext.remake import Settings, Telling, remake, title
from vcd_ext.settings import FaceSettings, TiledSettings

Item = TypeVar("Item")
PROMPT = "a person in a room"
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

    def __init__(self, host: StandaloneVideo):
        self.host, self.seconds = host, 0.0
        self.upscalers, self.controlnet, self.enlarge = host.upscalers, host.controlnet, host.enlarge

    def denoise(self, frames: Sequence[Picture], work: Any, *, masks: Any = None, **others: Any) -> Iterator[Picture]:
        """The host's, timed."""
        lent = [None if items is None else _Lent(items, self) for items in (frames, masks)]
        start = time.process_time()
        pictures = iter(self.host.denoise(lent[0], work, masks=lent[1], **others))  # type: ignore[arg-type]
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


def rows(frames: int) -> list[Row]:
    """Face VCD and Tiled VCD of a video of 512x512 with a small face, with the commands' own settings."""
    video = face_photo.photo(frames, 0.35).frames
    settings: list[Settings] = [FaceSettings(seed=1, prompt=PROMPT), TiledSettings(seed=1, prompt=PROMPT)]
    seconds = full_size_seconds(FACE_LATENTS)
    found = []
    for chosen, parts in zip(settings, (1, len(four())), strict=True):
        spent = run(Clip(video, 8.0, {}), replace(chosen, motion_module=str(toyworld.motion_module())))
        model = 2 * steps_run(chosen.steps, chosen.denoise) * parts * frames * seconds
        name, each = title(chosen), 1000 * spent.rest / frames
        note = f"{frames} frames of 512x512; {each:.0f} ms a frame beside {spent.model / frames:.2f} s of the model"
        found += [
            Row(f"{name}, the drawn world's model: share of a run", spent.rest / spent.whole, high=0.05, note=note),
            Row(f"{name}, SD1.5's true size: share of a run, at most", spent.rest / (spent.rest + model), high=0.05,
                note=f"{each:.0f} ms a frame beside {model / frames:.0f} s of the UNet's calls ({seconds:.1f} s each)"),
        ]  # fmt: skip
    return found


def run(clip: Clip, settings: Settings) -> Spent:
    """One run with the drawn world's model, from a file to a file; loading the model does not count."""
    host = Clocked(StandaloneVideo(Standalone.load(toyworld.checkpoint(), torch.float32, "cpu")))
    with tempfile.TemporaryDirectory() as folder:
        source = media.write(Path(folder) / "in.mp4", clip)
        start = time.process_time()
        made = remake(host, media.read(source), settings, detector, Telling(_ignore, _ignore, lambda: False))
        assert made.clip is not None
        media.write(Path(folder) / "out.mp4", made.clip)
        return Spent(time.process_time() - start, host.seconds)


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
