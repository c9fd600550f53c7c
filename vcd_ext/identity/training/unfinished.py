"""Trainings that were stopped, with all that they need to go on, also after a restart.

Three files each, in one folder: `rexy.training` is the state that `train` writes, `rexy.training.bank` its encoded
photos, and `rexy.training.photos` what it was begun with.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training import state as states
from vcd_ext.settings import TrainSettings, parse
from vcd_ext.storage import record

SUFFIX, LATENT_CACHE, PHOTOS = ".training", ".bank", ".photos"


@dataclass(frozen=True)
class Begun:
    """What a training was begun with."""

    photos: Sequence[Photo]
    settings: TrainSettings
    replace_existing: bool


class Unfinished(NamedTuple):
    """A training that can be gone on with."""

    name: str
    class_word: str
    step: int
    total: int


def state_file(folder: Path, name: str) -> Path:
    """Return the file for the state of the training of `name`, which must have passed `check_name`."""
    return folder / f"{name}{SUFFIX}"


def save(folder: Path, begun: Begun) -> None:
    """Write down what a training begins with, exactly; OSError in a sentence if it cannot be written."""
    tensors: dict[str, Tensor] = {}
    described = []
    for i, photo in enumerate(begun.photos):
        tensors[f"photo {i}"] = _packed(photo.pixels)
        if photo.mask is not None:
            tensors[f"mask {i}"] = _packed(photo.mask)
        described.append({"name": photo.name, "mask_source": photo.mask_source})
    description = {
        "photos": json.dumps(described),
        "settings": json.dumps(asdict(begun.settings)),
        "replace_existing": json.dumps(begun.replace_existing),
    }
    record.write(_photos_file(folder, begun.settings.name), tensors, description)


def load(folder: Path, name: str) -> Begun:
    """Load what the training of `name` was begun with; ValueError if that is not there or damaged."""
    path = _photos_file(folder, name)
    if not path.is_file():
        raise ValueError(f"There is no unfinished training of {name}; begin a new one.")
    return _read(path)


def unfinished(folder: Path) -> list[Unfinished]:
    """List the trainings that can be resumed, the latest first; damaged ones are left out."""
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}{PHOTOS}"), key=_last_saved, reverse=True):
        try:
            settings = _settings(path, record.summarize(path))
            step = states.step_of(state_file(folder, settings.name))
        except ValueError:
            continue
        found.append(Unfinished(settings.name, settings.class_word, step, settings.steps))
    return found


def discard(folder: Path, name: str) -> None:
    """Delete all files of the training of `name`, if there are any."""
    state = state_file(folder, name)
    for path in (state, state.with_name(state.name + LATENT_CACHE), _photos_file(folder, name)):
        path.unlink(missing_ok=True)


def _last_saved(photos: Path) -> tuple[int, str]:
    """Return when the training with this file of photos was begun or last saved, for sorting."""
    state = photos.with_name(photos.name.removesuffix(PHOTOS))
    return max(path.stat().st_mtime_ns for path in (photos, state) if path.exists()), photos.name


def _photos_file(folder: Path, name: str) -> Path:
    state = state_file(folder, name)
    return state.with_name(state.name + PHOTOS)


def _read(path: Path) -> Begun:
    description, tensors = record.read(path)
    settings = _settings(path, description)
    try:
        photos = []
        for i, described in enumerate(json.loads(description["photos"])):
            mask = _unpacked(tensors[f"mask {i}"]) if f"mask {i}" in tensors else None
            photos.append(Photo(described["name"], _unpacked(tensors[f"photo {i}"]), mask, described["mask_source"]))
        return Begun(photos, settings, bool(json.loads(description["replace_existing"])))
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(_damaged(path)) from error


def _settings(path: Path, description: Mapping[str, str]) -> TrainSettings:
    try:
        return parse(TrainSettings, json.loads(description["settings"]))
    except (KeyError, ValueError) as error:
        raise ValueError(_damaged(path)) from error


def _damaged(path: Path) -> str:
    return f"{path} is damaged; discard this training and begin a new one."


def _packed(pixels: NDArray[np.uint8]) -> Tensor:
    """Pack a picture as the bytes of a PNG: lossless, and a third of the size."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)


def _unpacked(packed: Tensor) -> NDArray[np.uint8]:
    return np.array(Image.open(BytesIO(packed.numpy().tobytes())))
