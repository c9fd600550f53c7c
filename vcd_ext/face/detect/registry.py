"""Detectors by the names that settings have for them, so that they can come from outside this room as well."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from vcd_ext.face.detect.detection import Detector
from vcd_ext.settings import FaceSettings, SettingError

Maker = Callable[[FaceSettings, Sequence[Path], torch.device | str], Detector]

_MAKERS: dict[str, Maker] = {}


def register_detector(name: str, maker: Maker) -> None:
    """Have the detector `name` made by `maker`, which gets the settings, folders of weights and the device."""
    _MAKERS[name] = maker


def make(name: str, settings: FaceSettings, folders: Sequence[Path], device: torch.device | str) -> Detector:
    """Make the detector `name`; SettingError if none is registered by it, and what its maker raises."""
    if name not in _MAKERS:
        raise SettingError(
            "detector", f"There is no detector called {name} here; choose one of auto, {', '.join(sorted(_MAKERS))}."
        )
    return _MAKERS[name](settings, folders, device)
