"""A studio on the toy hosts, for tests of jobs, API and page: trainings and videos take milliseconds."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests import film
from tests.face.toy_host import ToyHost as FaceHost
from tests.identity import toy_host
from tests.identity.toy_host import PHOTOS, ToyHost
from tests.tiled.toy_host import ToyHost as TiledHost
from tests.waiting import until
from vcd_ext.face import Detector
from vcd_ext.hosts.diffusers.library import Library
from vcd_ext.hosts.diffusers.studio import StandaloneStudio
from vcd_ext.hosts.protocols import Picture, VideoHost, VideoPass
from vcd_ext.identity.training.estimate import Capacity
from vcd_ext.jobs.job import Job
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.studio import Caption, Choices, Folders
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.settings import NO_MODULE, FaceSettings, PassSettings, TrainSettings

SETTINGS = replace(toy_host.SETTINGS, micro_batch=4)  # so that a prediction is a step
NAME = SETTINGS.name
ENDLESS = replace(SETTINGS, steps=100_000)
WITHOUT_MASKS = [replace(photo, mask=None, mask_source="") for photo in PHOTOS]
Kind = TypeVar("Kind", bound=Job)


class BrightSegmenter:
    """Takes what is bright for the subject."""

    name = "brightness"

    def __call__(self, pixels: NDArray[np.uint8], word: str) -> NDArray[np.uint8]:
        if pixels.max() < 128:
            raise ValueError(f"no {word} is bright in it.")
        return np.where(pixels[..., 0] >= 128, np.uint8(255), np.uint8(0))


class LastingHost(ToyHost):
    """A toy host that can be trained on again. `at` is called with the number of steps before each of them."""

    def __init__(self, **arguments: Any):
        super().__init__(**arguments)
        self.at: Callable[[int], object] = lambda steps: None

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.at(self.steps)
        return super().predict(latents, times, text)

    @contextmanager
    def training(self) -> Iterator[None]:
        with super().training():
            self.encoder_freed = False
            yield

    def text(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        return super().text(prompt, embeddings) if prompt else torch.zeros(1, 77, self.width)

    def decode(self, latents: Tensor) -> Tensor:
        return torch.zeros(3, 8 * latents.shape[2], 8 * latents.shape[3])


class ToyVideo:
    """Inverts faces, enlarges by repeating pixels. `at` is called before each frame that it gives."""

    def __init__(self, controlnets: Sequence[str] = ()) -> None:
        self.controlnets = controlnets
        self.at: Callable[[int], object] = lambda frame: None
        self.passes = 0

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        self.passes += 1
        faces, tiles = FaceHost(lambda place, picture: 1 - picture), TiledHost()
        host: Any = tiles if work.tiling else faces
        for i, picture in enumerate(host.denoise(frames, work)):
            self.at(i)
            yield picture

    def upscalers(self) -> list[str]:
        return TiledHost().upscalers()

    def controlnet(self, note: Callable[[str], None]) -> str:
        return next(iter(self.controlnets), NO_MODULE)

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        return TiledHost().enlarge(picture, scale, upscaler)


class ToyStudio(StandaloneStudio):
    """`StandaloneStudio` on a toy host."""

    makes_pictures = captions = True
    text_files = False

    def __init__(self, folder: Path, host: Any = None):
        folders = Folders(
            folder / "embeddings",
            folder / "trainings",
            (folder / "models",),
            (folder / "photos",),
            folder / "videos",
            (folder / "photos", folder / "videos"),
        )
        library = Library(folder / "modules", folder / "upscalers", folder / "controlnets", folder / "embeddings")
        super().__init__(host or LastingHost(), folders, library)
        self.video = ToyVideo()
        self.go_on = threading.Event()  # for tests that hold a video up
        self.occupation = ""
        self.was_interrupted = False
        self.caption = "a puppy on a bed"
        self.described = 0

    def busy(self) -> str:
        return self.occupation

    def interrupted(self) -> bool:
        return self.was_interrupted

    @contextmanager
    def segmenting(self, stops: Callable[[], bool]) -> Iterator[Sequence[Any]]:
        with self.finding(stops):
            yield [BrightSegmenter()]

    @contextmanager
    def captioning(self, stops: Callable[[], bool]) -> Iterator[Caption]:
        def caption(pixels: NDArray[np.uint8]) -> str:
            self.described += 1
            return self.caption

        yield caption

    @contextmanager
    def remaking(self, note: Callable[[str], None], stops: Callable[[], bool]) -> Iterator[VideoHost]:
        with self.finding(stops):
            yield self.video

    def finder(self, settings: FaceSettings) -> Detector:
        return film.bright_squares

    def choices(self) -> Choices:
        modules, samplers = ["none", "mm_v2", "mm_lcm"], ["euler", "ddim"]
        learned = {path.stem for path in self.folders.identities.glob("*.safetensors")}
        identities = ["none", *sorted({"rexy"} | learned)]
        return Choices(modules, identities, samplers, self.video.upscalers(), ["control_sd15_tile.pth"])

    def motion_module(self) -> str:
        return "mm_v2"

    def check(self, settings: PassSettings) -> None:
        if settings.motion_module not in self.choices().motion_modules:
            raise ValueError(f"motion_module is '{settings.motion_module}', which is not there.")

    def capacity(self) -> Capacity:
        return Capacity("cpu", 4, None, 1000)

    @contextmanager
    def somebody_else_computing(self) -> Iterator[None]:
        """Within this context whoever wants to compute waits."""
        self.occupation = "Waiting until something else is done."
        with self._computing:
            yield
        self.occupation = ""


def ended(job: Kind) -> Kind:
    """Wait for a job's end and return it."""
    until(lambda: job.ended, every=0.002)
    return job


def stopped_at(jobs: Jobs, step: int, settings: TrainSettings = SETTINGS) -> TrainingJob:
    """Return a training that was stopped after `step` steps."""
    host: Any = jobs.studio.host  # type: ignore[attr-defined]
    before = host.steps
    host.at = lambda steps: jobs.stop() if steps - before == step - 1 else None
    return ended(jobs.trainings.start(PHOTOS, settings))
