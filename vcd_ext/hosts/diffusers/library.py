"""What lies in the folders of a studio without the WebUI: motion modules, ControlNets, embeddings and the like."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vcd_ext import toyworld
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.hosts.shared.enlarge import known
from vcd_ext.identity.embedding import SUFFIXES as EMBEDDINGS
from vcd_ext.jobs.studio import Choices
from vcd_ext.motion import suggested
from vcd_ext.motion.checkpoint import SUFFIXES as MODULES
from vcd_ext.prompt.networks import check_no_networks
from vcd_ext.settings import (
    AUTO,
    DETECTORS,
    GENERAL_DETECTORS,
    NO_MODULE,
    SAMPLERS,
    PassSettings,
    SettingError,
    TiledSettings,
)
from vcd_ext.storage import walk

NETWORKS = (".pth", ".safetensors", ".pt")


@dataclass(frozen=True)
class Library:
    """Folders, which need not exist. Files that are added are found at once."""

    modules: Path  # AnimateDiff's motion modules
    upscalers: Path  # networks of the ESRGAN family
    controlnets: Path
    embeddings: Path

    def video(self, standalone: Standalone) -> StandaloneVideo:
        """Return what makes videos again on a checkpoint, with all embeddings that fit it."""
        upscalers = _files(self.upscalers, NETWORKS)
        return StandaloneVideo(standalone, self._fitting(standalone), upscalers, self._tiles())

    def choices(self, standalone: Standalone) -> Choices:
        """Return the names that settings may have; motion modules and ControlNets by their path."""
        return Choices(
            [NO_MODULE, *map(str, _files(self.modules, MODULES))],
            [NO_MODULE, *standalone.vectors(self._fitting(standalone))],
            list(SAMPLERS),
            self.video(standalone).upscalers(),
            list(map(str, self._tiles())),
            DETECTORS if toyworld.is_checkpoint(standalone.path) else GENERAL_DETECTORS,
        )

    def motion_module(self) -> str:
        """Return the path of the one for somebody who has chosen none; "none" without any that can be read."""
        return suggested({str(path): path for path in _files(self.modules, MODULES)}) or NO_MODULE

    def check(self, standalone: Standalone, settings: PassSettings) -> None:
        """Raise ValueError, in one sentence, for a name that is not there, and for a ControlNet that does not fit."""
        check_no_networks(settings.prompt, settings.negative_prompt)
        there_are = self.choices(standalone)
        choices = {
            "motion_module": there_are.motion_modules,
            "identity": there_are.identities,
            "sampler": ["", *there_are.samplers],
        }
        if isinstance(settings, TiledSettings):
            known(settings.upscaler, there_are.upscalers)
            choices["controlnet"] = [AUTO, NO_MODULE, *there_are.controlnets]
        for key, names in choices.items():
            if (name := getattr(settings, key)) not in names:
                there = ", ".join(filter(None, names))
                raise SettingError(key, f"{key} is '{name}', which is not there; choose one of {there}.")
        if isinstance(settings, TiledSettings) and settings.controlnet not in (AUTO, NO_MODULE):
            controlnet_file.check_fits(settings.controlnet, standalone.unet)

    def _tiles(self) -> list[Path]:
        return [path for path in _files(self.controlnets, controlnet_file.SUFFIXES) if controlnet_file.is_tile(path)]

    def _fitting(self, standalone: Standalone) -> list[Path]:
        found = []
        for path in _files(self.embeddings, EMBEDDINGS):
            with suppress(ValueError):  # damaged, for another kind of checkpoint, or no embedding
                standalone.vectors([path])
                found.append(path)
        return found


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    return sorted(path for path in walk.files(folder) if path.suffix.lower() in suffixes)
