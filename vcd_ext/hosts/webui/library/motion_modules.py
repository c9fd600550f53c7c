"""Find the motion modules in the WebUI's folders, and keep the last one that was loaded."""

from pathlib import Path
from typing import NamedTuple

from modules import paths, shared

from vcd_ext import motion
from vcd_ext.hosts.webui.library.folders import ANIMATEDIFF_OPTION, file_named, files_in, not_there, remembered_folder
from vcd_ext.motion import MotionModule, load
from vcd_ext.motion.checkpoint import SUFFIXES
from vcd_ext.motion.published import LORA_FOLDER
from vcd_ext.settings import NO_MODULE
from vcd_ext.storage.download import WeightFile

FOLDER_OPTION = "vcd_motion_module_folder"
DEFAULT_FOLDER = "models/AnimateDiff"
# The model folder of sd-webui-animatediff, so that nobody has to move files or keep two copies.
ANIMATEDIFF_FOLDER = "extensions/sd-webui-animatediff/model"


class _Loaded(NamedTuple):
    path: Path
    stamp: tuple[int, int]
    module: MotionModule


_loaded: _Loaded | None = None


def motion_module_folders() -> list[Path]:
    """Return the folders that are searched, existing or not; relative ones count from the WebUI's data folder."""
    named = [shared.opts.data.get(FOLDER_OPTION) or DEFAULT_FOLDER]
    named += [remembered_folder(ANIMATEDIFF_OPTION) or ANIMATEDIFF_FOLDER]
    return [Path(paths.data_path) / name for name in dict.fromkeys(named)]


def folder_of(file: WeightFile) -> Path:
    """Return where a file belongs that is downloaded: a motion module, or the LoRA of one."""
    if file.folder == LORA_FOLDER:
        return Path(getattr(shared.cmd_opts, "lora_dir", None) or Path(paths.models_path) / LORA_FOLDER)
    return motion_module_folders()[0]


def motion_modules() -> dict[str, Path]:
    """Return the motion module files by the name that page and API know them by: the path inside their folder."""
    return files_in(motion_module_folders(), SUFFIXES)


def motion_module_choices() -> list[str]:
    """Return what the dropdown offers."""
    return [NO_MODULE, *motion_modules()]


def find_motion_module(name: str) -> Path:
    """Return the file of a motion module, by its name with or without suffix; ValueError lists what there is."""
    available = motion_modules()
    path = file_named(name, available)
    if path is None:
        raise not_there(
            f"motion_module is '{name}', which is not in the folder of motion modules;",
            available,
            f"Put the file there and refresh the list, or choose '{NO_MODULE}'.",
        )
    return path


def suggested_motion_module() -> str | None:
    """Return the name of a module for somebody who has chosen none: the first that can be used; None without any.

    AnimateLCM's and AnimateDiff-Lightning's come last: they need a sampler, steps and CFG of their own.
    """
    available = motion_modules()
    return motion.suggested(available) or next((name for name, _ in motion.usable(available)), None)


def load_motion_module(path: Path) -> MotionModule:
    """Return the motion module of a file; read once and kept until another is asked for or the file changes."""
    global _loaded
    stat = path.stat()
    stamp = (stat.st_mtime_ns, stat.st_size)
    if _loaded is None or (_loaded.path, _loaded.stamp) != (path, stamp):
        _loaded = None  # frees the old one before the new one takes its room
        _loaded = _Loaded(path, stamp, load(path))
    return _loaded.module


def offload_motion_module() -> None:
    """Move the module that is kept off the device, for a run without it; coming back takes a fraction of a second."""
    if _loaded is not None:
        _loaded.module.to("cpu")


def forget_motion_module() -> None:
    """Drop the module that is kept."""
    global _loaded
    _loaded = None
