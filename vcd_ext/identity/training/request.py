"""A training as it is handed on, from whoever asks for it to the host whose turn it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vcd_ext.hosts.protocols import TrainingHost
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training.learned import Identity
from vcd_ext.identity.training.train import train
from vcd_ext.progress import Report
from vcd_ext.settings import TrainSettings


@dataclass(frozen=True)
class TrainingRequest:
    """The arguments of `train` but the host, and whether an identity of that name may be overwritten."""

    photos: Sequence[Photo]
    settings: TrainSettings
    progress: Report | None = None
    interrupted: Callable[[], bool] | None = None  # asked before each step, and while a host waits for its turn
    state: Path | None = None
    replace_existing: bool = False
    keep: Callable[[Identity], None] | None = None  # called with each snapshot

    def run(self, host: TrainingHost) -> Identity:
        """Train on the host; see `train`."""
        return train(
            host,
            self.photos,
            self.settings,
            self.progress,
            state=self.state,
            interrupted=self.interrupted,
            keep=self.keep,
        )
