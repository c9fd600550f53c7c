"""Motion LoRAs in the WebUI: where they lie, which a request asks for, and that nobody else takes them for LoRAs.

The WebUI's own extension for LoRAs reads `<lora:name:0.8>` as well. It finds no layer of the checkpoint in a motion
LoRA's file, says nothing, and counts it among the LoRAs that are on, for which it keeps a copy of all weights; so what
is for the motion module is taken out of what it is told. With AnimateDiff's own file of v3's domain adapter it is the
same, as its key names are none that the extension knows: VCD hangs it on the UNet.
"""

import sys
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from modules import paths, shared
from torch import nn

from vcd_ext.denoising import lora
from vcd_ext.hosts.webui.library.folders import not_there
from vcd_ext.motion import MotionLora, load_lora
from vcd_ext.motion.lora import SUFFIXES, names_motion_lora
from vcd_ext.prompt.networks import LORAS, called
from vcd_ext.settings import NO_MODULE, VideoSettings
from vcd_ext.storage import walk
from vcd_ext.storage.tensor_file import keys

FOLDER_OPTION = "vcd_motion_lora_folder"
DEFAULT_FOLDER = "models/MotionLora"

_MOTION, _ADAPTER, _OTHER = "motion LoRA", "domain adapter", ""
_known: dict[tuple[str, int, int], str] = {}  # what a file is, by its path, time and size


class Taken(NamedTuple):
    """Hold the files that a prompt asks for and that are VCD's, with their weights."""

    motion: list[tuple[Path, float]]
    adapters: list[tuple[Path, float]]  # of the UNet


def folders() -> list[Path]:
    """Return the folders that are searched, existing or not: the WebUI's folder of LoRAs, and one of their own."""
    loras = getattr(shared.cmd_opts, "lora_dir", None) or Path(paths.models_path) / "Lora"
    own = shared.opts.data.get(FOLDER_OPTION) or DEFAULT_FOLDER
    return [Path(loras), Path(paths.data_path) / own]


def available() -> dict[str, Path]:
    """Return the motion LoRAs in the folders by the name that prompts know them by, which is their file's stem."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(walk.files(folder)):
            if path.suffix.lower() in SUFFIXES and _kind(path) == _MOTION:
                found.setdefault(path.stem, path)
    return found


def choices() -> list[str]:
    """Return what the dropdown offers."""
    return [NO_MODULE, *available()]


def find_motion_lora(name: str) -> Path:
    """Return the file of a motion LoRA, by its name with or without suffix; ValueError lists what there is."""
    there = available()
    path = there.get(name) or there.get(Path(name).stem)
    if path is None:
        raise not_there(
            f"motion_lora is '{name}', which is not in the folders of LoRAs; motion LoRAs",
            there,
            f"Put the file into {folders()[0]} and refresh the list, or choose '{NO_MODULE}'.",
        )
    return path


def take(networks: MutableMapping[str, list[Any]]) -> Taken:
    """Take what is VCD's out of the networks that a prompt asks for; ValueError for a weight that is none.

    networks: as the WebUI parses a prompt, lists of its `ExtraNetworkParams` by kind.
    """
    taken = Taken([], [])
    for kind in LORAS:
        left = []
        for asked in networks.get(kind, ()):
            file = _file(asked.items[0])
            if file is None:
                left.append(asked)
            else:
                part = taken.motion if _kind(file) == _MOTION else taken.adapters
                part.append((file, called(asked.items).weight))
        if kind in networks and len(left) < len(networks[kind]):
            networks[kind] = left
    return taken


def load_adapters(adapters: list[tuple[Path, float]], unet: nn.Module) -> list[lora.Lora]:
    """Read domain adapters; ValueError, in one sentence, for one that is damaged or does not fit the UNet."""
    loaded = [lora.load(path).weighted(weight) for path, weight in adapters]
    if loaded:
        lora.check_lora_fits(loaded, lora.layers(unet))
    return loaded


def adapters_attached(unet: nn.Module, loaded: list[lora.Lora]) -> AbstractContextManager[None]:
    """Give a context in which domain adapters change the UNet's outputs."""
    return lora.lora_attached(lora.layers(unet) if loaded else {}, loaded)


def load(taken: list[tuple[Path, float]], settings: VideoSettings) -> list[MotionLora]:
    """Read the motion LoRAs of a prompt and of the settings; ValueError, in one sentence, for one that is damaged."""
    asked = [*taken, *((find_motion_lora(name), weight) for name, weight in _chosen(settings))]
    return [load_lora(path).weighted(weight) for path, weight in asked]


def _chosen(settings: VideoSettings) -> Iterator[tuple[str, float]]:
    if settings.motion_lora != NO_MODULE:
        yield settings.motion_lora, settings.motion_lora_weight


def _file(name: str) -> Path | None:
    """Return the motion LoRA that a prompt means, by its file's name or by the name that a trainer gave it."""
    extension: Any = sys.modules.get("networks")  # the WebUI's own for LoRAs
    known = getattr(extension, "available_network_aliases", {}).get(name)
    file = Path(getattr(known, "filename", ""))
    if file.is_file():
        return file if _kind(file) else None
    return available().get(name)


def _kind(path: Path) -> str:
    stat = path.stat()
    key = (str(path), stat.st_mtime_ns, stat.st_size)
    if key not in _known:
        names = keys(path)
        _known[key] = _MOTION if names_motion_lora(names) else _ADAPTER if lora.is_domain_adapter(names) else _OTHER
    return _known[key]
