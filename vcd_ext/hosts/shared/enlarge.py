"""Larger pictures: by Lanczos, or by networks of the ESRGAN family through spandrel where that is installed."""

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vcd_ext.denoising.in_tiles import in_tiles
from vcd_ext.denoising.out_of_memory import first_that_fits
from vcd_ext.hosts.protocols import Picture
from vcd_ext.storage.tensor_file import check_finite, read

LANCZOS = "Lanczos"
# Sides of what a network sees at once, in pixels, smaller where the memory is, and what neighbours share.
TILES, OVERLAP = (256, 128, 64), 32


class Enlargers:
    """What can enlarge pictures without the WebUI: networks from files, and Lanczos."""

    def __init__(self, weights: Sequence[Path], device: torch.device):
        self._files = {path.stem: path for path in map(Path, weights)}
        self._device = device
        self._tiles = list(TILES)

    def names(self) -> list[str]:
        """Return the files' names without suffix, if spandrel is there to read them; then Lanczos."""
        networks = list(self._files) if importlib.util.find_spec("spandrel") else []
        return [*networks, LANCZOS]

    @torch.no_grad()
    def enlarge(self, picture: Picture, scale: float, name: str) -> Picture:
        """Enlarge one picture to `scale` times its width and height; "" takes the first of `names`.

        A network makes it as large as it was built for, and Lanczos brings that to the size. Nothing is rounded to
        bytes. ValueError for a name that is not there or a file that is no such network.
        """
        size = enlarged_size(picture, scale)
        name = known(name, self.names())
        if name == LANCZOS:
            return lanczos(picture, *size)
        network = _network(self._files[name], self._device)
        return lanczos(first_that_fits(self._tiles, lambda tile: self._enlarged(network, picture, tile)), *size)

    def _enlarged(self, network: Any, picture: Picture, tile: int) -> Picture:
        pixels = torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)
        large = in_tiles(lambda part: network(part[None].to(self._device))[0], pixels, tile, OVERLAP, network.scale)
        return large.permute(1, 2, 0).numpy()


def known(name: str, names: Sequence[str]) -> str:
    """Return the name, or the first there is if it is empty; ValueError if it is not among them."""
    if name and name not in names:
        raise ValueError(f"upscaler is '{name}', which is not there; choose one of {', '.join(names)}.")
    return name or names[0]


def enlarged_size(picture: Picture, scale: float) -> tuple[int, int]:
    """Return height and width of a picture once it is enlarged; ValueError for a scale below 1."""
    if not scale >= 1:
        raise ValueError(f"scale is {scale}; pictures are enlarged by 1 or more.")
    return round(picture.shape[0] * scale), round(picture.shape[1] * scale)


def lanczos(picture: Picture, height: int, width: int) -> Picture:
    """Resize a picture in floating point; the overshoot at edges is cut off."""
    if picture.shape[:2] == (height, width):
        return picture
    channels = [
        np.asarray(Image.fromarray(channel).resize((width, height), Image.Resampling.LANCZOS))
        for channel in np.moveaxis(np.asarray(picture, np.float32), 2, 0)
    ]
    return np.stack(channels, axis=2).clip(0, 1)


@lru_cache(maxsize=1)
def _network(path: Path, device: torch.device) -> Any:
    import spandrel

    state = spandrel.canonicalize_state_dict(read(path))
    check_finite({key: value for key, value in state.items() if isinstance(value, Tensor)}, path.name)
    try:
        network = spandrel.ModelLoader(device).load_from_state_dict(state)
    except spandrel.UnsupportedModelError as error:
        raise ValueError(
            f"{path.name} is no network that enlarges pictures; choose one of the ESRGAN family."
        ) from error
    if not isinstance(network, spandrel.ImageModelDescriptor) or network.output_channels != 3 or network.scale < 1:
        raise ValueError(f"{path.name} is no network that enlarges pictures; choose one of the ESRGAN family.")
    network.eval()
    return network
