"""The drawn world that ships with the project: a small SD1.x checkpoint, its motion module, and subjects to learn.

MODEL_CARD.md says what it is, how it was made and what it can do. Every function raises ValueError with one sentence
where a file is missing or damaged.
"""

import filecmp
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from omegaconf import OmegaConf

from vcd_ext.storage.atomic import atomically

FOLDER = Path(__file__).parent
EDITION = 2  # of the drawn world: its files only fit code and files of the same one
SIZE = 128  # pixels of a side: what it was trained on
STEPS, CFG_SCALE = 10, 4.5  # that suit it, with DPM++ 2M; at 7 colours glare
SCENES = ("on the beach", "in the desert", "in a meadow", "in a forest", "in the snow", "on a street", "in a room",
          "in a kitchen")  # fmt: skip
ACTIONS = ("standing", "waving", "running", "jumping")
_RESTORE = "restore it with `git checkout -- vcd_ext/toyworld`, or rebuild it as vcd_ext/toyworld/MODEL_CARD.md says"


class Subject(NamedTuple):
    """An individual that no training saw: its name, what it is ("dog"), and the folder of its pictures and masks."""

    name: str
    class_word: str
    folder: Path


def check_files() -> None:
    """Raise ValueError, in one sentence, if any of the files is missing or damaged."""
    for name in sorted(_sums()):
        _whole(name)


def checkpoint() -> Path:
    """Return the checkpoint's path; its yaml and the folder `clip` lie beside it."""
    for name in sorted(_sums()):
        if name == "toyworld.yaml" or name.startswith("clip/"):
            _whole(name)
    return _whole("toyworld.safetensors")


def motion_module() -> Path:
    """Return the motion module's path; its layout is AnimateDiff v3's."""
    return _whole("toyworld_motion.safetensors")


def identity() -> Path | None:
    """Return the embedding of a woman whom no training saw, learned on the shipped checkpoint; None for another one."""
    path = _whole("ada.safetensors")
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    learned_on = header["__metadata__"].get("checkpoint_hash", "-")
    return path if _sums()["toyworld.safetensors"].startswith(learned_on) else None


def is_checkpoint(path: Path) -> bool:
    """Return whether a file is the drawn world's checkpoint or a copy of it."""
    own = _path("toyworld.safetensors")
    if not path.is_file() or not own.is_file() or path.stat().st_size != own.stat().st_size:
        return False
    return filecmp.cmp(path, own, shallow=False)


def judges() -> Path:
    """Return the path of the networks that measure what was generated, for `vcd_ext.toyworld.judging`."""
    return _whole("judges.safetensors")


def individuals() -> Path:
    """Return the path of how other individuals look to the judges, for `vcd_ext.toyworld.measures`."""
    return _whole("individuals.safetensors")


def subjects() -> list[Subject]:
    """Return the individuals to learn, each with eight pictures and masks."""
    names = sorted({Path(name).parts[1] for name in _sums() if name.startswith("subjects/")})
    return [Subject(name, _whole(f"subjects/{name}/class.txt").read_text().strip(), _path(f"subjects/{name}"))
            for name in names]  # fmt: skip


def install(webui: Path) -> list[Path]:
    """Copy checkpoint and motion module into a WebUI's model folders; the files written.

    The copy of the yaml names the text encoder's folder by its whole path, for the WebUI knows no other.
    """
    models = webui / "models"
    if not models.is_dir():
        raise ValueError(f"{webui} is not a WebUI: it has no folder `models`; name the folder that holds webui.py.")
    return install_into(models / "Stable-diffusion", models / "AnimateDiff")


def install_into(checkpoints: Path, modules: Path) -> list[Path]:
    """Copy checkpoint and motion module into folders of a WebUI, as `install` does; the files, the checkpoint first."""
    source, target = checkpoint(), checkpoints
    clip = target / "toyworld_clip"
    clip.mkdir(parents=True, exist_ok=True)
    copies = {path: clip / path.name for path in (FOLDER / "clip").iterdir()}
    copies = {source: target / source.name, motion_module(): modules / motion_module().name} | copies
    for path, copy in copies.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with atomically(copy) as part:
            shutil.copyfile(path, part)
    config = OmegaConf.load(source.with_suffix(".yaml"))
    config.model.params.cond_stage_config.params.version = os.fspath(clip.resolve())
    with atomically(target / "toyworld.yaml") as part:
        OmegaConf.save(config, part)
    return [*copies.values(), target / "toyworld.yaml"]


def _path(name: str) -> Path:
    return FOLDER / name


def _sums() -> dict[str, str]:
    """Return the SHA-256 of every shipped file."""
    path = _path("manifest.json")
    if not path.is_file():
        raise ValueError(f"{path} is missing; {_RESTORE}.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        edition = found.get("edition", 1)  # the first had the files alone
        files = dict(found.get("files", {}))
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} is damaged; {_RESTORE}.") from error
    if edition != EDITION:
        raise ValueError(
            f"The files in {FOLDER} are edition {edition} of the drawn world, and this version of VCD needs edition "
            f"{EDITION}; {_RESTORE.replace('it', 'them', 1)}."
        )
    return files


def _whole(name: str) -> Path:
    """Return the file of that name, if it is there and undamaged."""
    path = _path(name)
    if name not in _sums() or not path.is_file():
        raise ValueError(f"{path} is missing; {_RESTORE}.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != _sums()[name]:
        raise ValueError(f"{path} is damaged; {_RESTORE}.")
    return path
