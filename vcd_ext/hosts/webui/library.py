"""Find and load what lies in the WebUI's folders: motion modules, embeddings and ControlNets.

Folders that settings of the WebUI and of other extensions name are taken as they were when the page was made. The
WebUI's API can change those settings at any time, and whoever may use the API could so have any folder read.
ControlNets are read and attached by VCD itself: the extension sd-webui-controlnet hangs whole pictures beside one call
for the whole canvas, and knows nothing of windows and tiles, by which VCD divides each call.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modules import paths, processing, sd_hijack, sd_models, shared
from torch import Tensor, nn

from vcd_ext import motion, toyworld
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.hosts.webui.model import checkpoint
from vcd_ext.identity.embedding import SUFFIXES as EMBEDDING_SUFFIXES
from vcd_ext.identity.embedding import save_embedding
from vcd_ext.identity.library import check_free
from vcd_ext.motion import MotionModule, load
from vcd_ext.motion.checkpoint import SUFFIXES
from vcd_ext.motion.published import LORA_FOLDER
from vcd_ext.settings import DETECTORS, GENERAL_DETECTORS, NO_MODULE
from vcd_ext.storage import walk
from vcd_ext.storage.download import WeightFile
from vcd_ext.toyworld.notes import drawn_notes

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


def offered_detectors() -> tuple[str, ...]:
    """Return what may find faces: the drawn world's own only where its checkpoint is the chosen one."""
    return DETECTORS if is_drawn() else GENERAL_DETECTORS


def is_drawn() -> bool:
    """Return whether the drawn world's checkpoint is the chosen one."""
    info = sd_models.get_closet_checkpoint_match(shared.opts.sd_model_checkpoint)
    return info is not None and toyworld.is_checkpoint(Path(info.filename))


def notes_of_drawn(prompts: Sequence[str], motion_module: str) -> list[str]:
    """Return what is told of a video if the drawn world makes it: words that it does not know, an old copy of it."""
    info = sd_models.get_closet_checkpoint_match(shared.opts.sd_model_checkpoint)
    if info is None:
        return []
    names = sd_hijack.model_hijack.embedding_db.word_embeddings
    return drawn_notes(Path(info.filename), _named(motion_module, motion_modules()), prompts, names)


def motion_modules() -> dict[str, Path]:
    """Return the motion module files by the name that page and API know them by: the path inside their folder."""
    return _files(motion_module_folders(), SUFFIXES)


def _files(folders: Sequence[Path], suffixes: Sequence[str]) -> dict[str, Path]:
    """Return the files that lie in folders, by their path inside them; in the first where it is in several."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(walk.files(folder)):
            if path.suffix in suffixes:
                found.setdefault(path.relative_to(folder).as_posix(), path)
    return found


def _named(name: str, available: dict[str, Path]) -> Path | None:
    """Return the file that a name means, with or without its suffix."""
    by_stem = {Path(known).with_suffix("").as_posix(): path for known, path in available.items()}
    return available.get(name) or by_stem.get(name)


def motion_module_choices() -> list[str]:
    """Return what the dropdown offers."""
    return [NO_MODULE, *motion_modules()]


def find_motion_module(name: str) -> Path:
    """Return the file of a motion module, by its name with or without suffix; ValueError lists what there is."""
    available = motion_modules()
    path = _named(name, available)
    if path is None:
        known = ", ".join(available) or "none yet"
        raise ValueError(
            f"motion_module is '{name}', which is not in the folder of motion modules; there: {known}. Put the file "
            f"there and refresh the list, or choose '{NO_MODULE}'."
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


def embedding_names() -> list[str]:
    """Return the embeddings that fit the loaded checkpoint; before one is loaded, all files that may be embeddings."""
    database = sd_hijack.model_hijack.embedding_db
    if database.expected_shape == -1:
        folders = [Path(folder) for folder in database.embedding_dirs]
        files = (path for folder in folders for path in walk.files(folder) if path.suffix in EMBEDDING_SUFFIXES)
        return sorted({path.stem for path in files}, key=str.lower)
    return list(database.word_embeddings)


def embedding_file(name: str, replace: bool) -> Path:
    """Return the file that the embedding `name` will be; ValueError as `check_free` if that is taken."""
    own = Path(shared.cmd_opts.embeddings_dir) / f"{name}.safetensors"
    folders = {own.parent, *map(Path, sd_hijack.model_hijack.embedding_db.embedding_dirs)}
    check_free(own, (path for folder in folders for path in walk.files(folder)), replace)
    _check_unknown(own, replace)
    return own


def _check_unknown(own: Path, replace: bool) -> None:
    """Raise ValueError if the WebUI knows an embedding of that name by another file, such as a picture."""
    database = sd_hijack.model_hijack.embedding_db
    for known, embedding in (database.word_embeddings | database.skipped_embeddings).items():
        file = Path(getattr(embedding, "filename", None) or known)
        if known.lower() == own.stem.lower() and file.is_file() and not (replace and file.resolve() == own.resolve()):
            raise ValueError(
                f"There is already an embedding called {known}: {file}. Use another name, or delete that file."
            )


def add_embedding(path: Path, vectors: Tensor, metadata: Mapping[str, str]) -> None:
    """Write vectors [k, 768] as an embedding to its `embedding_file`, and let the WebUI know it.

    The caller holds the WebUI's queue lock. ValueError or OSError in one sentence if it cannot be written.
    """
    save_embedding(path, vectors, metadata)
    reload_embeddings()


def reload_embeddings() -> None:
    """Read all embeddings again and forget what was made of the last prompts, which may hold an older version.

    The caller holds the WebUI's queue lock: a run that is under way reads the database, which is empty for a moment.
    """
    # Forced: a file that was overwritten in place does not change the folder's time, by which the WebUI goes.
    sd_hijack.model_hijack.embedding_db.load_textual_inversion_embeddings(force_reload=True)
    # The cache of prompts compares words and settings, not what an embedding holds.
    for owner, names in (
        (processing.StableDiffusionProcessing, ("cached_c", "cached_uc")),
        (processing.StableDiffusionProcessingTxt2Img, ("cached_hr_c", "cached_hr_uc")),
    ):
        for name in names:
            setattr(owner, name, [None, None])


CONTROLNET_FOLDERS = ("models/ControlNet", "extensions/sd-webui-controlnet/models")  # in the WebUI's data folder
# That extension's setting and option for one more.
CONTROLNET_OPTION, CONTROLNET_FLAG = "control_net_models_path", "controlnet_dir"


def controlnet_folders() -> list[Path]:
    """Return the folders that are searched, existing or not; relative ones count from the WebUI's data folder."""
    more = [shared.opts.data.get(CONTROLNET_OPTION), getattr(shared.cmd_opts, CONTROLNET_FLAG, None)]
    return [Path(paths.data_path) / name for name in dict.fromkeys([*CONTROLNET_FOLDERS, *filter(None, more)])]


def tile_controlnets() -> dict[str, Path]:
    """Return those that are Tile for SD1.5 by their name; none where they cannot be read."""
    if not controlnet_file.readable():
        return {}
    return {name: path for name, path in _controlnets().items() if controlnet_file.is_tile(path)}


def find_controlnet(name: str) -> Path:
    """Return a ControlNet's file, by its name with or without suffix and folder; ValueError lists what there is."""
    available = _controlnets()
    # Infotext has names without folders.
    path = _named(name, available) or _named(name, {Path(known).name: available[known] for known in available})
    if path is None:
        known = ", ".join(tile_controlnets()) or "none yet"
        raise ValueError(
            f"controlnet is '{name}', which is not in the folder of ControlNets; of the kind Tile for SD1.5 there: "
            f"{known}. Put the file there, such as control_v11f1e_sd15_tile.pth, or choose 'none'."
        )
    return path


def check_controlnet(name: str, sd_model: Any) -> None:
    """Raise ValueError, in one sentence, if one is not there, or cannot be used for a checkpoint of SD1.5.

    sd_model: the WebUI's. Of none and of another kind nothing is asked: no video is made with it.
    """
    path = find_controlnet(name)
    if getattr(sd_model, "model", None) is not None and checkpoint.kind(sd_model) is None:
        controlnet_file.check_fits(path, sd_model.model.diffusion_model)


def load_controlnet(name: str) -> nn.Module:
    """Return one for the checkpoint that is loaded; ValueError, in one sentence, if it cannot be used."""
    return controlnet_file.load(find_controlnet(name), shared.sd_model.model.diffusion_model)


def suggested_controlnet(note: Callable[[str], None]) -> str:
    """Return the name of the first of `tile_controlnets` that fits the loaded checkpoint; "none" without one."""
    return controlnet_file.first_fitting(tile_controlnets(), shared.sd_model.model.diffusion_model, note)


def _controlnets() -> dict[str, Path]:
    return _files(controlnet_folders(), controlnet_file.SUFFIXES)
