"""Lend models to the units of a plan: the checkpoint that the last unit used stays loaded."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from vcd_ext.batch.unit import ModelFiles, TrainingWork, VideoWork
from vcd_ext.face import Detector, detector
from vcd_ext.hosts.diffusers.baseline import BaselineLoan, load_unet
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.loras import lora_files
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.identity.naming import check_name
from vcd_ext.identity.segment import Segmenter, segmenters
from vcd_ext.media import Clip
from vcd_ext.progress import StepReport
from vcd_ext.settings import FaceSettings
from vcd_ext.stages import pipeline


class StandaloneLender:
    """A `batch.lender.Lender` on checkpoints that are loaded with diffusers."""

    def __init__(self) -> None:
        self._loaded: tuple[tuple[Path, bool, Path | None], Standalone] | None = None

    def host(self, models: ModelFiles) -> Standalone:
        """Load the checkpoint, unless the last unit used it as well."""
        key = models.checkpoint, models.no_half, models.unet
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None  # frees the old one before the new one takes its room
            made = Standalone.load(models.checkpoint, torch.float32 if models.no_half else None)
            if models.unet:
                load_unet(made, models.unet)
            self._loaded = key, made
        self._loaded[1].loras = lora_files(models.loras)
        return self._loaded[1]

    def trainer(self, models: ModelFiles) -> StandaloneTraining:
        """Lend the checkpoint to a training."""
        return StandaloneTraining(self.host(models))

    def baseline(self, models: ModelFiles) -> BaselineLoan:
        """Lend the checkpoint, in float32, to a baseline's training."""
        return BaselineLoan(self.host(replace(models, no_half=True)))

    def segmenters(self, models: ModelFiles) -> Sequence[Segmenter]:
        """Lend what finds masks, best first."""
        host = self.trainer(models)
        return segmenters(models.weights, host, host.device)

    def generate(self, work: VideoWork, progress: StepReport) -> Clip:
        """Make a video from text, without what follows the generation."""
        video = pipeline.alone(work.video)
        return self.host(work.models).generate(
            work.picture, video, work.models.motion_module, work.embeddings, progress
        )

    def remaker(self, work: VideoWork) -> StandaloneVideo:
        """Lend what makes the video again."""
        return StandaloneVideo(self.host(work.models), work.embeddings, work.models.upscaler_weights)

    def detector(self, models: ModelFiles, settings: FaceSettings) -> Detector:
        """Make what finds the faces that settings ask for."""
        return detector(settings, models.weights, self.host(models).device)

    def upscalers(self, models: ModelFiles) -> list[str]:
        """List the names of what can enlarge pictures, the best first."""
        return StandaloneVideo(self.host(models), (), models.upscaler_weights).upscalers()

    def check(self, work: VideoWork) -> None:
        """Raise ValueError for a video that cannot be made with these models; loads the checkpoint."""
        models = there(work.models)
        self.host(models).vectors([path for path in work.embeddings if path.is_file()])
        if work.models.tiled_controlnet and work.video.tiled:
            controlnet_file.check_fits(str(models.tiled_controlnet), self.host(models).unet)

    def check_training(self, work: TrainingWork) -> None:
        """Raise ValueError for a name that the checkpoint knows as a common word; loads the checkpoint."""
        if work.baseline and work.baseline.kind != "custom_diffusion":
            return
        check_name(work.settings.name, self.trainer(work.models).tokens)


def there(models: ModelFiles) -> ModelFiles:
    """Return the files without those that a training is still to make."""
    unet = models.unet if models.unet and models.unet.is_file() else None
    return replace(models, unet=unet, loras=tuple(path for path in models.loras if path.exists()))
