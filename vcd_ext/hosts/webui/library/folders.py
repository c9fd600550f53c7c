"""Find files in the folders of the WebUI, by the names that page and API know them by.

Folders that settings of the WebUI and of other extensions name are taken as they were when the page was made. The
WebUI's API can change those settings at any time, and whoever may use the API could so have any folder read.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from modules import paths, shared

from vcd_ext.storage import walk

OUTPUT_OPTIONS = ("outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples")
ANIMATEDIFF_OPTION = "animatediff_model_path"  # of sd-webui-animatediff

_remembered: dict[str, str] = {}


def remember_folders() -> None:
    """Take note of the settings; WebUI callback on_before_ui."""
    for name in (*OUTPUT_OPTIONS, ANIMATEDIFF_OPTION):
        _remembered[name] = str(getattr(shared.opts, name, None) or "")


def remembered_folder(name: str) -> str:
    """Return the folder that a setting named when the page was made; "" for none."""
    return _remembered.get(name, "")


def film_folders() -> list[Path]:
    """Return where the file of FILM may lie, which interpolates: Deforum's folder, and one for whoever lacks that."""
    return [Path(paths.models_path) / "Deforum" / "film_interpolation", Path(paths.models_path) / "FILM"]


def files_in(folders: Sequence[Path], suffixes: Sequence[str]) -> dict[str, Path]:
    """Return the files that lie in folders, by their path inside them; in the first where it is in several."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(walk.files(folder)):
            if path.suffix in suffixes:
                found.setdefault(path.relative_to(folder).as_posix(), path)
    return found


def file_named(name: str, available: dict[str, Path]) -> Path | None:
    """Return the file that a name means, with or without its suffix."""
    by_stem = {Path(known).with_suffix("").as_posix(): path for known, path in available.items()}
    return available.get(name) or by_stem.get(name)


def not_there(problem: str, available: Iterable[str], remedy: str) -> ValueError:
    """Return what is raised for a file that is not there: a sentence with the names of those that are."""
    return ValueError(f"{problem} there: {', '.join(available) or 'none yet'}. {remedy}")
