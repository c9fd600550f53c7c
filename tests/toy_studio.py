"""A studio on the toy host, for tests of jobs, API and page: trainings take milliseconds."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.identity import toy_host
from tests.identity.toy_host import PHOTOS, ToyHost
from vcd_ext.hosts.studio import StandaloneStudio
from vcd_ext.identity.estimate import Capacity
from vcd_ext.job import Job
from vcd_ext.jobs import Jobs
from vcd_ext.settings import TrainSettings
from vcd_ext.studio import Caption, Folders

SETTINGS = replace(toy_host.SETTINGS, micro_batch=4)  # so that a prediction is a step
NAME = SETTINGS.name
ENDLESS = replace(SETTINGS, steps=100_000)
WITHOUT_MASKS = [replace(photo, mask=None, mask_source="") for photo in PHOTOS]
PATIENCE = 60.0  # seconds after which something hangs


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


class ToyStudio(StandaloneStudio):
    """`StandaloneStudio` on a toy host."""

    makes_pictures = captions = True

    def __init__(self, folder: Path, host: Any = None):
        folders = Folders(folder / "embeddings", folder / "trainings", (folder / "models",), (folder / "photos",))
        super().__init__(host or LastingHost(), folders)
        self.occupation = ""
        self.was_interrupted = False
        self.caption = "a puppy on a bed"
        self.described = 0

    def busy(self) -> str:
        return self.occupation

    def interrupted(self) -> bool:
        return self.was_interrupted

    @contextmanager
    def segmenting(self) -> Iterator[Sequence[Any]]:
        with self._computing:
            yield [BrightSegmenter()]

    @contextmanager
    def captioning(self) -> Iterator[Caption]:
        def caption(pixels: NDArray[np.uint8]) -> str:
            self.described += 1
            return self.caption

        yield caption

    def capacity(self) -> Capacity:
        return Capacity("cpu", 4, None, 1000)

    @contextmanager
    def somebody_else_computing(self) -> Iterator[None]:
        """Within this context whoever wants to compute waits."""
        self.occupation = "Waiting until something else is done."
        with self._computing:
            yield
        self.occupation = ""


def until(happened: Callable[[], object]) -> None:
    """Wait until something has happened in another thread."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.002)


def ended(job: Job) -> Job:
    """The training once it has ended."""
    until(lambda: job.ended)
    return job


def stopped_at(jobs: Jobs, step: int, settings: TrainSettings = SETTINGS) -> Job:
    """A training that was stopped after `step` steps."""
    host: Any = jobs.studio.host  # type: ignore[attr-defined]
    before = host.steps
    host.at = lambda steps: jobs.stop() if steps - before == step - 1 else None
    return ended(jobs.start(PHOTOS, settings))
