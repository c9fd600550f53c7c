"""What the tabs and the API ask of whoever runs jobs: `hosts.diffusers.studio` and `hosts.webui.studio` do."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.face import Detector
from vcd_ext.hosts.protocols import VideoHost
from vcd_ext.identity.segment import Segmenter
from vcd_ext.identity.training.estimate import Capacity
from vcd_ext.identity.training.learned import Identity
from vcd_ext.identity.training.request import TrainingRequest
from vcd_ext.settings import GENERAL_DETECTORS, FaceSettings, PassSettings

Caption = Callable[[NDArray[np.uint8]], str]  # describes a picture RGB [H, W, 3] in a sentence

# Makes a picture [size, size, 3] of (prompt, name, its vectors [k, width], size, seed).
Sampler = Callable[[str, str, Tensor, int, int], NDArray[np.uint8]]


@dataclass(frozen=True)
class Folders:
    """Where a studio keeps and finds its files; they need not exist."""

    identities: Path  # the embeddings
    trainings: Path  # states of trainings that were stopped, to go on from
    weights: tuple[Path, ...]  # of Grounding DINO, SAM and YuNet; downloads go into the first
    photos: tuple[Path, ...]  # from which the API, and a page that others can reach, may read photos
    videos: Path  # what Face VCD and Tiled VCD make
    sources: tuple[Path, ...]  # from which the API, and a page that others can reach, may read videos


class Choices(NamedTuple):
    """The names that a studio knows, for lists to choose from."""

    motion_modules: list[str]
    identities: list[str]
    samplers: list[str]
    upscalers: list[str]  # the best first
    controlnets: list[str]
    detectors: tuple[str, ...] = GENERAL_DETECTORS  # of faces


class Studio(Protocol):
    """A loaded checkpoint and its folders. Its methods may be called by any thread; those that compute take turns."""

    @property
    def folders(self) -> Folders:
        """Where its files are."""

    @property
    def private(self) -> bool:
        """Whether only this machine's own people reach the page, who may read any folder as a matter of course."""

    @property
    def text_files(self) -> bool:
        """Whether a text file with its infotext belongs beside each video."""

    @property
    def makes_pictures(self) -> bool:
        """Whether the page has a txt2img that a prompt can be sent to."""

    def busy(self) -> str:
        """Return what a job that begins now waits for, in a sentence; "" if nothing."""

    def interrupted(self) -> bool:
        """Return whether the person has asked the host itself to stop what it is doing."""

    def place(self, name: str, replace_existing: bool) -> Path:
        """Return the new file of the identity `name`; ValueError, in one sentence, if the name is taken."""

    def train(self, request: TrainingRequest) -> Identity:
        """Wait for the turn and train as `vcd_ext.identity.train` does; a finished identity is saved, its state gone.

        request.interrupted: asked while it waits as well; then Interrupted. ValueError or OSError in one sentence.
        """

    def picture(self, prompt: str, name: str, vectors: Tensor, size: int) -> NDArray[np.uint8]:
        """Make a preview by `training.preview.preview_picture`; only the `progress` of `train` may call it."""

    def keep(self, identity: Identity, state: Path, replace_existing: bool) -> Path:
        """Save an identity whose training was stopped, as a finished one; its file."""

    def begun_now(self) -> AbstractContextManager[None]:
        """Give a context, for any thread, in which the work is done with the checkpoint that is chosen now."""

    def segmenting(self, stops: Callable[[], bool]) -> AbstractContextManager[Sequence[Segmenter]]:
        """Wait for the turn and lend what finds masks, best first. ValueError if the checkpoint cannot be used.

        stops, here and below: asked while it waits; then Interrupted.
        """

    @property
    def captions(self) -> bool:
        """Whether `captioning` can work: all that it needs is on this machine."""

    def captioning(self, stops: Callable[[], bool]) -> AbstractContextManager[Caption]:
        """Wait for the turn and lend what describes photos. ValueError, in one sentence, if it cannot work."""

    def forget(self, path: Path, stops: Callable[[], bool]) -> None:
        """Wait for the turn, delete the embedding at `path` and no longer know it."""

    def capacity(self) -> Capacity:
        """Return what is known of the machine and the checkpoint, without loading anything."""

    def remaking(self, note: Callable[[str], None], stops: Callable[[], bool]) -> AbstractContextManager[VideoHost]:
        """Wait for the turn and lend what makes videos again. ValueError if the checkpoint cannot be used.

        note: told in a sentence what the person should know of the host.
        """

    def sampling(self, stops: Callable[[], bool]) -> AbstractContextManager[Sampler]:
        """Wait for the turn and lend what makes pictures of identities. ValueError if the checkpoint does not fit."""

    def measures(self) -> tuple[str, ...]:
        """Return the names of measures that the checkpoint brings with it; none for most."""

    def finding(self, stops: Callable[[], bool]) -> AbstractContextManager[None]:
        """Wait for the turn, for detectors; whoever was interrupted before, this was not."""

    def finder(self, settings: FaceSettings) -> Detector:
        """Make the detector that settings ask for; ValueError, in one sentence, if it lacks something."""

    def choices(self) -> Choices:
        """List what settings may name, as it is now."""

    def motion_module(self) -> str:
        """Return the motion module for somebody who has chosen none: one that can be read; "none" without any.

        AnimateLCM's are not it, as they need a sampler and a CFG scale of their own.
        """

    def check(self, settings: PassSettings) -> None:
        """Raise ValueError, in one sentence, for a name that is not there, and for a ControlNet that does not fit.

        Of large files only the header is read. Where no checkpoint that can be used is loaded yet, fitting is not
        known: the job says so.
        """
