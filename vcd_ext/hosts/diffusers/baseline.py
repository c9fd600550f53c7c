"""The standalone host as it is lent to baselines, which change its UNet for a while; and UNets from files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.settings import GenerateSettings, VideoSettings
from vcd_ext.storage import tensor_file
from vcd_ext.storage.tensor_file import check_finite


class BaselineLoan(StandaloneTraining):
    """A `batch.baselines.fit.BaselineHost`."""

    @property
    def unet(self) -> Any:
        """The UNet, in diffusers' layout."""
        return self.standalone.unet

    def pictures(self, prompt: str, count: int, size: int, seed: int) -> NDArray[np.uint8]:
        """Make pictures [count, size, size, 3], each from noise of its own, without a motion module."""
        video = VideoSettings(frames=1, gamma=0.0)
        made = [
            self.standalone.generate(GenerateSettings(prompt=prompt, width=size, height=size, seed=seed + i), video)
            for i in range(count)
        ]
        return np.concatenate([np.asarray(clip.frames) for clip in made])


def load_unet(standalone: Standalone, path: Path) -> None:
    """Give a host's UNet the weights in a file of diffusers' layout; ValueError for one that does not fit."""
    loaded = tensor_file.read(path)
    check_finite(loaded, path.name)
    own = standalone.unet.state_dict()
    if {name: value.shape for name, value in own.items()} != {name: value.shape for name, value in loaded.items()}:
        raise ValueError(
            f"{path.name} is not the UNet of a checkpoint such as {standalone.path.name}, as diffusers saves it."
        )
    standalone.unet.load_state_dict(loaded)
