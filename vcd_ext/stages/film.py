"""Interpolate by FILM, a network for larger movements than optical flow follows (Reda et al., arXiv 2202.04901).

The file is the one that Deforum brings, and that sd-webui-animatediff interpolates with: a TorchScript of FILM, which
takes two pictures [1, 3, H, W] in [0, 1] and the place between them, [1, 1] from 0 to 1. Such a file is a program, so
only that very one is run, by the sum that Deforum checks.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vcd_ext.media.clip import MediaError
from vcd_ext.settings import OnwardSettings
from vcd_ext.settings.onward import FILM
from vcd_ext.stages.interpolation import Between, Frame, between

FILE = "film_net_fp16.pt"
BLAKE2B = (
    "0a823815b111488ac2b7dd7fe6acdd25d35a22b703e8253587764cf1ee3f8f93"
    "676d24154d9536d2ce5bc3b2f102fb36dfe0ca230dfbe289d5cd7bde5a34ec12"
)
SIDES = 64  # pixels that the network's sides are a multiple of
HALF_WAY = 0.5  # which the network was trained for


def film_file(folders: Sequence[Path]) -> Path:
    """Return the file of FILM in one of the folders; MediaError, in a sentence, if there is none that is known."""
    path = next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)
    if path is None:
        there = ", ".join(map(str, folders)) or "none: --weights names one"
        raise MediaError(
            f"interpolate_by is FILM, and there is no {FILE} in its folders ({there}); put Deforum's there, or choose "
            "flow."
        )
    if _sum(path) != BLAKE2B:
        raise MediaError(
            f"{path.name} in {path.parent} is not the file that Deforum brings, and others are not run, as they may "
            "hold any program; get that one, or choose flow."
        )
    return path


def _sum(path: Path) -> str:
    digest = hashlib.blake2b()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def check_interpolator(settings: OnwardSettings, folders: Sequence[Path]) -> None:
    """Raise MediaError, in one sentence, if a video is to be interpolated by a network that is not there."""
    if settings.interpolate > 1 and settings.interpolate_by == FILM:
        film_file(folders)


def interpolator(
    settings: OnwardSettings, folders: Sequence[Path], note: Callable[[str], None], device: Any = None
) -> Between:
    """Return what makes the frames between two, as the settings say.

    note: told if the network fails on the way. device: where it computes; on a GPU if there is one, without.
    MediaError, in a sentence, if its file is not there.
    """
    if settings.interpolate == 1 or settings.interpolate_by != FILM:
        return between
    path = film_file(folders)
    failed: list[str] = []
    networks: list[Any] = []

    def by_film(one: Frame, two: Frame, shares: list[float]) -> list[Frame]:
        if not failed:
            try:
                networks[:] = networks or [_loaded(path, torch.device(device or _device()))]
                return _painted(networks[0], one, two, shares)
            except RuntimeError as error:  # torch's, too little memory among them
                networks.clear()
                failed.append(str(error).strip().splitlines()[-1])
                note(f"FILM failed ({failed[0]}), so the frames from there on are between by optical flow.")
        return between(one, two, shares)

    return by_film


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _loaded(path: Path, device: torch.device) -> Any:
    """Return the network in half precision on a GPU, and in single precision elsewhere."""
    network: Any = torch.jit.load(path, map_location="cpu")
    return network.eval().to(device, torch.float16 if device.type == "cuda" else torch.float32)


def _painted(network: Any, one: Frame, two: Frame, shares: list[float]) -> list[Frame]:
    """Make the pictures at shares of the way, those first that are half way between two that are there."""
    weights = next(network.parameters())
    known = {0.0: _tensor(one, weights), 1.0: _tensor(two, weights)}
    left = list(shares)
    while left:
        share, before, after = min(
            ((share, *_around(share, known)) for share in left),
            key=lambda found: abs((found[0] - found[1]) / (found[2] - found[1]) - HALF_WAY),
        )
        place = weights.new_full((1, 1), (share - before) / (after - before))
        with torch.no_grad():
            known[share] = network(known[before], known[after], place).clamp(0, 1)
        left.remove(share)
    height, width = one.shape[:2]
    return [_picture(known[share])[:height, :width] for share in shares]


def _around(share: float, known: dict[float, Tensor]) -> tuple[float, float]:
    return max(place for place in known if place < share), min(place for place in known if place > share)


def _tensor(frame: Frame, like: Tensor) -> Tensor:
    """Return a picture as the network takes it, [1, 3, H, W] with its edges drawn out to whole multiples."""
    more = [-side % SIDES for side in frame.shape[:2]]
    padded = np.pad(frame, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")
    return torch.from_numpy(padded).permute(2, 0, 1)[None].to(like) / 255


def _picture(values: Tensor) -> Frame:
    return np.asarray((values[0] * 255).round().permute(1, 2, 0).to(torch.uint8).cpu().numpy())
