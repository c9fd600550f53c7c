"""The tabs without the WebUI: a `vcd_ext.jobs.studio.Studio` on a checkpoint that is loaded with diffusers."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext import toyworld
from vcd_ext.face import Detector, detector
from vcd_ext.hosts.diffusers.library import Library
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.hosts.protocols import VideoHost
from vcd_ext.identity import Identity, save_embedding
from vcd_ext.identity import library as identity_library
from vcd_ext.identity.segment import Segmenter, segmenters
from vcd_ext.identity.training.estimate import Capacity
from vcd_ext.identity.training.preview import preview_picture
from vcd_ext.identity.training.request import TrainingRequest
from vcd_ext.jobs.locking import held
from vcd_ext.jobs.studio import Caption, Choices, Folders, Sampler
from vcd_ext.settings import FaceSettings, PassSettings
from vcd_ext.storage import walk
from vcd_ext.toyworld.measures import DRAWN


class StandaloneStudio:
    """Works on one checkpoint and keeps identities in one folder."""

    private = True
    makes_pictures = text_files = False
    captions = False

    def __init__(self, host: StandaloneTraining, folders: Folders, library: Library):
        self.host, self.folders, self.library = host, folders, library
        self._computing = threading.Lock()

    def busy(self) -> str:
        """Return "": nothing else uses the checkpoint."""
        return ""

    def interrupted(self) -> bool:
        """Return False: there is no other button that interrupts."""
        return False

    def place(self, name: str, replace_existing: bool) -> Path:
        """Return the new file of the identity `name`; ValueError if there is an embedding of that name."""
        own = self.folders.identities / f"{name}{identity_library.SUFFIX}"
        return identity_library.check_free(own, walk.files(self.folders.identities), replace_existing)

    def train(self, request: TrainingRequest) -> Identity:
        """Train as `vcd_ext.identity.training.train` does; a finished identity is saved."""
        with self.finding(request.interrupted or (lambda: False)):
            self.place(request.settings.name, request.replace_existing)
            identity = request.run(self.host)
            if identity.finished and request.state:
                self.keep(identity, request.state, request.replace_existing)
        return identity

    def picture(self, prompt: str, name: str, vectors: Tensor, size: int) -> NDArray[np.uint8]:
        """Make a picture of what is being learned."""
        return preview_picture(self.host, prompt, name, vectors, size)

    def keep(self, identity: Identity, state: Path, replace_existing: bool) -> Path:
        """Save an identity; its file. The state is not needed after that, and deleted."""
        path = self.place(identity.name, replace_existing)
        save_embedding(path, identity.vectors, identity.metadata)
        for left in (state, state.with_name(f"{state.name}.bank")):
            left.unlink(missing_ok=True)
        return path

    def begun_now(self) -> AbstractContextManager[None]:
        """Do nothing: there is one checkpoint only."""
        return nullcontext()

    @contextmanager
    def segmenting(self, stops: Callable[[], bool]) -> Iterator[Sequence[Segmenter]]:
        """Lend what finds masks, best first."""
        with self.finding(stops):
            yield segmenters(self.folders.weights, self.host, self.host.device)

    def captioning(self, stops: Callable[[], bool]) -> AbstractContextManager[Caption]:
        """Refuse: only the WebUI has a model that describes photos."""
        raise ValueError("Photos can be described in the WebUI only; write the class yourself, for example dog.")

    def forget(self, path: Path, stops: Callable[[], bool]) -> None:
        """Delete an identity."""
        identity_library.delete(path)

    def capacity(self) -> Capacity:
        """Return what is known of the machine and the checkpoint."""
        parameters = sum(parameter.numel() for parameter in self.host.unet.parameters())
        return Capacity(str(self.host.device), self.host.unet.dtype.itemsize, self.host.free_memory(), parameters)

    @contextmanager
    def remaking(self, note: Callable[[str], None], stops: Callable[[], bool]) -> Iterator[VideoHost]:
        """Lend what makes videos again, with all embeddings that fit."""
        with self.finding(stops):
            yield self.library.video(self.host.standalone)

    @contextmanager
    def sampling(self, stops: Callable[[], bool]) -> Iterator[Sampler]:
        """Lend what makes pictures with an identity."""
        with self.finding(stops), self.host.training():
            yield partial(preview_picture, self.host)

    def measures(self) -> tuple[str, ...]:
        """Return the drawn world's judges on its checkpoint."""
        standalone = getattr(self.host, "standalone", None)
        return DRAWN if standalone is not None and toyworld.is_checkpoint(standalone.path) else ()

    def finding(self, stops: Callable[[], bool]) -> AbstractContextManager[None]:
        """Wait until nothing else is computed."""
        return held(self._computing, stops)

    def finder(self, settings: FaceSettings) -> Detector:
        """Make the detector that settings ask for."""
        return detector(settings, self.folders.weights, self.host.device)

    def choices(self) -> Choices:
        """List what lies in the folders."""
        return self.library.choices(self.host.standalone)

    def motion_module(self) -> str:
        """Return the motion module for somebody who has chosen none."""
        return self.library.motion_module()

    def check(self, settings: PassSettings) -> None:
        """Raise ValueError for a name that is not there, and for a ControlNet that does not fit."""
        self.library.check(self.host.standalone, settings)
