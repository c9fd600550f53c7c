"""Define what units of work ask of whoever lends them loaded models: `hosts.diffusers.lender` does."""

from collections.abc import Sequence
from typing import Protocol

from vcd_ext.batch.baselines.fit import BaselineHost
from vcd_ext.batch.unit import ModelFiles, TrainingWork, VideoWork
from vcd_ext.face import Detector
from vcd_ext.hosts.protocols import TrainingHost, VideoHost
from vcd_ext.identity.segment import Segmenter
from vcd_ext.media import Clip
from vcd_ext.progress import StepReport
from vcd_ext.settings import FaceSettings


class Lender(Protocol):
    """Loads the models that a unit names, and keeps them for the next unit that names the same."""

    def trainer(self, models: ModelFiles) -> TrainingHost:
        """Lend the checkpoint to a training."""

    def baseline(self, models: ModelFiles) -> BaselineHost:
        """Lend the checkpoint, in float32, to a baseline's training."""

    def segmenters(self, models: ModelFiles) -> Sequence[Segmenter]:
        """Lend what finds masks, best first."""

    def generate(self, work: VideoWork, progress: StepReport) -> Clip:
        """Make a video from text, without what follows the generation. ValueError for what cannot work."""

    def remaker(self, work: VideoWork) -> VideoHost:
        """Lend what makes the video again, for Face VCD and Tiled VCD."""

    def detector(self, models: ModelFiles, settings: FaceSettings) -> Detector:
        """Make what finds the faces that settings ask for."""

    def upscalers(self, models: ModelFiles) -> list[str]:
        """List the names of what can enlarge pictures, the best first."""

    def check(self, work: VideoWork) -> None:
        """Raise ValueError, in one sentence, for a video that cannot be made with these models."""

    def check_training(self, work: TrainingWork) -> None:
        """Raise ValueError, in one sentence, for an identity that cannot be learned on this checkpoint."""
