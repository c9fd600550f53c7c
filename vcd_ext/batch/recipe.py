"""From keys and values, as people write them, to units of work with their files, names and digests."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from vcd_ext.batch.baselines.learn import baseline_files
from vcd_ext.batch.digest import changed, digest, file_digest, file_digests, folder_digest
from vcd_ext.batch.toml_file import PlanError, check_known_keys
from vcd_ext.batch.unit import ModelFiles, TrainingWork, Unit, VideoWork
from vcd_ext.media.output_files import targets
from vcd_ext.prompt.names import with_name
from vcd_ext.settings import (
    ControlSettings,
    GenerateSettings,
    SettingError,
    TrainSettings,
    VideoSettings,
    describe,
    parse,
)
from vcd_ext.storage import walk

MODEL_KEYS = tuple(field.name for field in fields(ModelFiles))
NOT_IN_PLANS = ("enabled", "identity", "video", "motion_module", "tiled_controlnet", "prompt", "seed", "name",
                "first_frame", "last_frame", "denoise", "subfolder", "frames_per_file",
                *describe(ControlSettings))  # fmt: skip
PICTURE_KEYS = tuple(name for name in describe(GenerateSettings) if name not in NOT_IN_PLANS)
VIDEO_KEYS = tuple(name for name in describe(VideoSettings) if name not in NOT_IN_PLANS)
TRAIN_KEYS = tuple(name for name in describe(TrainSettings) if name != "name")
TOYWORLD = Path(__file__).parents[1] / "toyworld"
VERSION = 1  # raised when the same settings would make something else
LONGEST_SLUG, HASHED = 60, 6  # characters


@dataclass(frozen=True)
class PromptSubject:
    """Who a video shows: an identity that is trained, one from a file, or, without an embedding, the class alone."""

    name: str
    class_word: str
    embedding: Path | None = None
    trained_by: Unit | None = None
    words: str = ""  # what {subject} is, where another trainer has its own words for it: "sks dog"
    lora: Path | None = None  # which every prompt asks for
    unet: Path | None = None  # in place of the checkpoint's
    checkpoint: Path | None = None  # in place of the protocol's

    def prompt(self, text: str) -> str:
        """Return a prompt of a plan for this subject: {subject} is "rex dog", {name} "rex", {class} "dog"."""
        article = "an" if self.class_word[:1].lower() in tuple("aeiou") else "a"
        known = {"class": self.class_word, "name": self.name, "subject": f"{self.name} {self.class_word}".strip()}
        if self.embedding is None:
            known |= {"name": self.class_word, "subject": self.words or f"{article} {self.class_word}"}
        found = re.sub(r"\{(subject|name|class)\}", lambda match: known[match[1]], text)
        found += f" <lora:{self.lora.stem}:1>" if self.lora else ""
        return found if self.embedding is None or not self.name else with_name(found, self.name)


def models_of(values: Mapping[str, Any], folder: Path, where: str, coming: Collection[Path] = ()) -> ModelFiles:
    """Return the files that values name, from `folder` on; PlanError for one that is not there, or none that is named.

    values: those that are no MODEL_KEYS are not looked at. coming: files that a training is still to make.
    """
    if "checkpoint" not in values:
        raise PlanError(f'{where} names no checkpoint; add a line such as checkpoint = "sd15.safetensors".')
    found: dict[str, Any] = {}
    for key, kind in get_type_hints(ModelFiles).items():
        if key not in values:
            continue
        value = values[key]
        if kind is bool:
            if not isinstance(value, bool):
                raise PlanError(f"{key} of {where} is {value!r}; it must be true or false.")
            found[key] = value
        elif kind == tuple[Path, ...]:
            listed = value if isinstance(value, list) else [value]
            found[key] = tuple(_path(one, key, folder, where, coming) for one in listed)
        elif value not in ("", "none"):
            found[key] = _path(value, key, folder, where, coming)
    return ModelFiles(**found)


def _path(value: Any, key: str, folder: Path, where: str, coming: Collection[Path]) -> Path:
    if not isinstance(value, str) or not value:
        raise PlanError(f"{key} of {where} is {value!r}; it must be the name of a file or folder.")
    path = named_path(value, folder)
    if not path.exists() and path not in coming:
        raise PlanError(f"{key} of {where} is {path}, which does not exist; check the folder and the name.")
    return path


def named_path(name: str, folder: Path) -> Path:
    """Return the path that a name means, from `folder` on; {toyworld} is where the shipped drawn world lies."""
    return folder / Path(name.replace("{toyworld}", str(TOYWORLD))).expanduser()


def training_settings(values: Mapping[str, Any], name: str, where: str) -> TrainSettings:
    """Return the settings of a training; PlanError for an unknown key or a value that cannot be used."""
    try:
        return parse(TrainSettings, {key: value for key, value in values.items() if key in TRAIN_KEYS} | {"name": name})
    except SettingError as error:
        raise PlanError(f"In {where}, {error}") from error


def video_settings(
    values: Mapping[str, Any], tiled_controlnet: Path | None, where: str
) -> tuple[GenerateSettings, VideoSettings]:
    """Return the settings of a video, without prompt and seed; PlanError for a value that cannot be used."""
    control = {"tiled_controlnet": str(tiled_controlnet)} if tiled_controlnet else {}
    try:
        picture = parse(GenerateSettings, {key: value for key, value in values.items() if key in PICTURE_KEYS})
        own = {key: value for key, value in values.items() if key in VIDEO_KEYS}
        video = parse(VideoSettings, own | control)
    except SettingError as error:
        raise PlanError(f"In {where}, {error}") from error
    for side in ("width", "height"):
        if getattr(picture, side) % 8:
            raise PlanError(f"In {where}, {side} is {getattr(picture, side)}; it must be a multiple of 8.")
    return picture, video


def check_video_keys(values: Mapping[str, Any], more: Sequence[str], where: str) -> None:
    """Raise PlanError for a key that no video has. more: keys that are known there as well."""
    if "seed" in values:
        raise PlanError(f"{where} has the key seed; write seeds = [1, 2] in [[videos]], for one video each.")
    check_known_keys(values, [*more, *PICTURE_KEYS, *VIDEO_KEYS, *MODEL_KEYS], where)


def training_unit(out: Path, label: str, work: TrainingWork) -> Unit:
    """Return the unit that writes OUT/identities/[LABEL/]NAME.safetensors."""
    folder, name, baseline = out / "identities" / label, work.settings.name, work.baseline
    files = baseline_files(folder, name, baseline) if baseline else (folder / f"{name}.safetensors",)
    photos = folder_digest(work.photos) if work.photos.is_dir() else file_digest(work.photos)
    made_of = {
        "version": VERSION,
        "settings": changed(work.settings),
        "photos": photos,
        "checkpoint": file_digest(work.models.checkpoint),
    }
    if baseline:
        made_of["baseline"] = asdict(baseline)
    return Unit(str((folder / name).relative_to(out)), files, digest(made_of), work)


def video_unit(out: Path, place: Path, work: VideoWork, subject: PromptSubject) -> Unit:
    """Return the unit that writes OUT/videos/PLACE in the video's formats.

    subject: whose embedding is the last of the work's; where it is trained, the unit waits for that.
    """
    models, trained = work.models, subject.trained_by
    own = {file.absolute() for file in trained.files} if trained else set[Path]()
    others = [path for path in work.embeddings if path.absolute() not in own]
    made_of = {
        "version": VERSION,
        "picture": asdict(work.picture),
        "video": changed(work.video),
        "embeddings": {path.name: file for path, file in zip(others, file_digests(others), strict=True)},
        "trained": trained.digest if trained else "",
        "files": file_digests([path for path in (models.checkpoint, models.motion_module) if path]),
    }

    def content(path: Path) -> str:
        return "trained" if path.absolute() in own else file_digest(path)

    if asked := loras_asked_for(models, work.picture.prompt):
        made_of["loras"] = {name: content(path) for name, path in asked.items()}
    if models.unet:
        made_of["unet"] = content(models.unet)
    if work.video.tiled:
        used = [*models.upscaler_weights, *filter(None, [models.tiled_controlnet])]
        made_of["tiled"] = file_digests(used)
    path = out / "videos" / place
    needs = (trained.name,) if trained else ()
    return Unit(f"videos/{place.as_posix()}", tuple(targets(path, work.video.formats)), digest(made_of), work, needs)


def loras_asked_for(models: ModelFiles, prompt: str) -> dict[str, Path]:
    """Return the files of a unit's LoRAs that its prompt asks for, by their names."""
    found = [file for path in models.loras for file in (walk.files(path) if path.is_dir() else [path])]
    names = {match[1] for match in re.finditer(r"<lora:([^:>]+)", prompt)}
    return {file.stem: file for file in sorted(found, reverse=True) if file.stem in names}


def slug(text: str) -> str:
    """Return a text as part of a file's name; long ones are cut, and told apart by a hash."""
    words = re.sub(r"[^\w.=-]+", "-", text).strip("-._") or "empty"
    if len(words) <= LONGEST_SLUG:
        return words
    return f"{words[: LONGEST_SLUG - HASHED - 1]}-{digest({'text': text})[:HASHED]}"


def check_names(units: Sequence[Unit]) -> None:
    """Raise PlanError where two units would write one file."""
    seen: dict[str, Unit] = {}
    for unit in units:
        for file in unit.files:
            key = str(file).lower()  # not each file system tells them apart
            if key in seen and seen[key] != unit:
                raise PlanError(
                    f"Two outputs have one name, {unit.name}; give one of them a label, or leave it out if both are "
                    "the same."
                )
            seen[key] = unit
