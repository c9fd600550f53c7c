"""Where the WebUI's motion modules lie, and the one that is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from modules import paths, shared

from vcd_ext import motion
from vcd_ext.hosts.webui import named_folders
from vcd_ext.motion import MotionModule, load
from vcd_ext.motion.checkpoint import SUFFIXES
from vcd_ext.settings import NO_MODULE
from vcd_ext.storage import walk

FOLDER_OPTION = "vcd_motion_module_folder"
DEFAULT_FOLDER = "models/AnimateDiff"
# The model folder of sd-webui-animatediff, so that nobody has to move files or keep two copies.
ANIMATEDIFF_FOLDER = "extensions/sd-webui-animatediff/model"


class _Loaded(NamedTuple):
    path: Path
    stamp: tuple[int, int]
    module: MotionModule


_loaded: _Loaded | None = None


def folders() -> list[Path]:
    """The folders that are searched, existing or not; relative ones count from the WebUI's data folder."""
    named = [shared.opts.data.get(FOLDER_OPTION) or DEFAULT_FOLDER]
    named += [named_folders.named(named_folders.ANIMATEDIFF) or ANIMATEDIFF_FOLDER]
    return [Path(paths.data_path) / name for name in dict.fromkeys(named)]


def names() -> dict[str, Path]:
    """Motion module files by the name that page and API know them by: the path inside their folder."""
    return files(folders(), SUFFIXES)


def files(folders: Sequence[Path], suffixes: Sequence[str]) -> dict[str, Path]:
    """The files that lie in folders, by their path inside them; in the first where it is in several."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(walk.files(folder)):
            if path.suffix in suffixes:
                found.setdefault(path.relative_to(folder).as_posix(), path)
    return found


def named(name: str, available: dict[str, Path]) -> Path | None:
    """The file of a name with or without suffix."""
    by_stem = {Path(known).with_suffix("").as_posix(): path for known, path in available.items()}
    return available.get(name) or by_stem.get(name)


def choices() -> list[str]:
    """What the dropdown offers."""
    return [NO_MODULE, *names()]


def find(name: str) -> Path:
    """The file of a motion module, by its name with or without suffix; ValueError lists what there is."""
    available = names()
    path = named(name, available)
    if path is None:
        known = ", ".join(available) or "none yet"
        raise ValueError(
            f"motion_module is '{name}', which is not in the folder of motion modules; there: {known}. Put the file "
            f"there and refresh the list, or choose '{NO_MODULE}'."
        )
    return path


def suggested() -> str | None:
    """The name of a module for somebody who has chosen none: the first that can be used; None without any.

    AnimateLCM's and AnimateDiff-Lightning's come last: they need a sampler, steps and CFG of their own.
    """
    available = names()
    return motion.suggested(available) or next((name for name, _ in motion.usable(available)), None)


def module(path: Path) -> MotionModule:
    """The motion module of a file; read once and kept until another is asked for or the file changes."""
    global _loaded
    stat = path.stat()
    stamp = (stat.st_mtime_ns, stat.st_size)
    if _loaded is None or (_loaded.path, _loaded.stamp) != (path, stamp):
        _loaded = None  # frees the old one before the new one takes its room
        _loaded = _Loaded(path, stamp, load(path))
    return _loaded.module


def make_room() -> None:
    """Move the module that is kept off the device, for a run without it; coming back takes a fraction of a second."""
    if _loaded is not None:
        _loaded.module.to("cpu")


def forget() -> None:
    """Drop the module that is kept."""
    global _loaded
    _loaded = None
