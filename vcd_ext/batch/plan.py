"""Read a plan: identities to train, and videos of them, in a file in TOML. docs/batch.md shows one.

What cannot work is refused before anything is loaded. The keys are the settings' own names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from vcd_ext.batch.recipe import (
    MODEL_KEYS,
    TRAIN_KEYS,
    PromptSubject,
    check_names,
    check_video_keys,
    models_of,
    named_path,
    slug,
    training_settings,
    training_unit,
    video_settings,
    video_unit,
)
from vcd_ext.batch.toml_file import PlanError, check_known_keys, read_toml, table_of, tables, texts
from vcd_ext.batch.unit import ModelFiles, TrainingWork, Unit, VideoWork
from vcd_ext.identity.naming import check_class_word, check_name
from vcd_ext.settings import NO_MODULE, SettingError

TOP = ("out", "train", "video", "identities", "videos", *MODEL_KEYS)
IDENTITY = ("name", "label", "photos", "embedding", "class_word")
VIDEOS = ("label", "identities", "prompts", "seeds", "settings")
SOMEBODY = PromptSubject("", "person")


class PlanFolders(NamedTuple):
    """Where names in a plan begin, and where it writes."""

    source: Path
    out: Path


class BatchPlan(NamedTuple):
    """What is to be made: first the trainings, then the videos."""

    out: Path
    units: list[Unit]


def read_plan(path: Path, out: Path | None = None) -> BatchPlan:
    """Read a plan; names in it begin at its folder. out: where to write, in place of the plan's own `out`.

    PlanError, in one sentence, for what cannot be made.
    """
    whole = read_toml(path)
    check_known_keys(whole, TOP, path.name)
    folders = PlanFolders(path.parent, out or path.parent / str(whole.get("out", path.stem)))
    shared = {key: whole[key] for key in MODEL_KEYS if key in whole}
    identities = _identities(whole, shared, folders)
    trainings = [identity.trained_by for identity in identities.values() if identity.trained_by]
    videos = list(_videos(whole, shared, folders, identities))
    if not trainings and not videos:
        raise PlanError(f"{path.name} lists nothing to make; add [[identities]] with photos, or [[videos]].")
    check_names([*trainings, *videos])
    return BatchPlan(folders.out, [*trainings, *videos])


def _identities(whole: Mapping[str, Any], shared: Mapping[str, Any], folders: PlanFolders) -> dict[str, PromptSubject]:
    usual = table_of(whole, "train", "the plan")
    check_known_keys(usual, [*TRAIN_KEYS, *MODEL_KEYS], "[train]")
    found: dict[str, PromptSubject] = {}
    for table in tables(whole, "identities", "the plan"):
        name, label = str(table.get("name", "")), str(table.get("label", ""))
        where = f"identity {name or len(found) + 1}"
        check_known_keys(table, [*IDENTITY, *TRAIN_KEYS, *MODEL_KEYS], where)
        key = f"{label}/{name}" if label else name
        if key in found:
            raise PlanError(f"Two identities are called {key}; give one of them a label.")
        values = {**shared, **usual, **table}
        found[key] = identity_of(values, name, label, folders, where)
    return found


def identity_of(values: Mapping[str, Any], name: str, label: str, folders: PlanFolders, where: str) -> PromptSubject:
    """Return an identity that is trained from `photos`, or read from `embedding`; PlanError for what cannot work."""
    if ("photos" in values) == ("embedding" in values):
        raise PlanError(f"{where} needs either photos, a folder to learn it from, or embedding, a file.")
    class_word = str(values.get("class_word", "person"))
    try:
        check_class_word(class_word, check_name(name))
    except SettingError as error:
        raise PlanError(f"In {where}, {error}") from error
    if "embedding" in values:
        file = named_path(str(values["embedding"]), folders.source)
        if not file.is_file() or file.stem != name:
            raise PlanError(f"embedding of {where} is {file}; it must be a file that is there, called {name}.")
        return PromptSubject(name, class_word, file)
    photos = checked_photos(named_path(str(values["photos"]), folders.source), where)
    settings = training_settings(values, name, where)
    models = models_of({key: values[key] for key in MODEL_KEYS if key in values}, folders.source, where)
    unit = training_unit(
        folders.out, slug(label) if label else "", TrainingWork(training_models(models), settings, photos)
    )
    return PromptSubject(name, class_word, unit.files[0], unit)


def training_models(models: ModelFiles) -> ModelFiles:
    """Return those of the models that a training uses."""
    return ModelFiles(models.checkpoint, weights=models.weights, no_half=models.no_half)


def checked_photos(folder: Path, where: str) -> Path:
    """Return the folder; PlanError if it is not there or no photo in it can be read."""
    from vcd_ext.identity.photos.photo import read_photos

    if not folder.exists():
        raise PlanError(f"photos of {where} is {folder}, which does not exist; check the folder and the name.")
    try:
        read_photos(folder)
    except ValueError as error:
        raise PlanError(f"In {where}, {error}") from error
    return folder


def _videos(
    whole: Mapping[str, Any],
    shared: Mapping[str, Any],
    folders: PlanFolders,
    identities: Mapping[str, PromptSubject],
) -> Iterator[Unit]:
    usual = table_of(whole, "video", "the plan")
    check_video_keys(usual, (), "[video]")
    for number, table in enumerate(tables(whole, "videos", "the plan"), 1):
        label = str(table.get("label", ""))
        where = f"videos {label or number}"
        check_video_keys(table, VIDEOS, where)
        prompts, seeds = texts(table, "prompts", where), seeds_of(table, where)
        if not prompts:
            raise PlanError(f'{where} has no prompts; add a line such as prompts = ["photo of {{subject}}"].')
        for who in _meant(table, identities, where):
            for variant in tables(table, "settings", where) or [{}]:
                check_video_keys(variant, ("label",), f"settings of {where}")
                values = {**shared, **usual, **table, **variant}
                base, work = _place(label, who, variant), work_of_videos(values, who, folders, where)
                for prompt in prompts:
                    for seed in seeds:
                        place = base / f"{slug(prompt)}{_ending(variant)}_seed{seed}"
                        yield video_of(work, who, prompt, seed, place, folders.out)


def work_of_videos(values: Mapping[str, Any], who: PromptSubject, folders: PlanFolders, where: str) -> VideoWork:
    """Return what videos of somebody have in common; prompt and seed are to come. values: MODEL_KEYS and settings."""
    coming = [file.absolute() for file in who.trained_by.files] if who.trained_by else []
    models = models_of(values, folders.source, where, coming)
    picture, video = video_settings(values, models.tiled_controlnet, where)
    embeddings = (*models.embedding, *([who.embedding] if who.embedding else []))
    return VideoWork(models, picture, video, embeddings, who.name if who.embedding else NO_MODULE)


def video_of(work: VideoWork, who: PromptSubject, prompt: str, seed: int, place: Path, out: Path) -> Unit:
    """Return the unit of one video. prompt: with {subject} and the like."""
    picture = replace(work.picture, prompt=who.prompt(prompt), seed=seed)
    return video_unit(out, place, replace(work, picture=picture), who)


def seeds_of(table: Mapping[str, Any], where: str) -> list[int]:
    """Return the seeds of a table, [0] without any; PlanError for what is no list of them."""
    seeds = table.get("seeds", [0])
    good = isinstance(seeds, list) and all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in seeds)
    if not good or not seeds:
        raise PlanError(f"seeds of {where} is {seeds!r}; it must be a list of whole numbers from 0 on.")
    return list(dict.fromkeys(seeds))


def _meant(table: Mapping[str, Any], identities: Mapping[str, PromptSubject], where: str) -> list[PromptSubject]:
    names = texts(table, "identities", where, list(identities))
    for name in names:
        if name not in identities:
            known = ", ".join(identities) or "none"
            raise PlanError(f"{where} asks for the identity {name}, which is not in the plan; there are {known}.")
    return [identities[name] for name in names] or [SOMEBODY]


def _place(label: str, who: PromptSubject, variant: Mapping[str, Any]) -> Path:
    source = who.trained_by.files[0].parent.name if who.trained_by else ""
    trained = f"{source}-" if source not in ("", "identities") else ""
    return Path(slug(label) if label else "") / slug(f"{trained}{who.name}" or "nobody")


def _ending(variant: Mapping[str, Any]) -> str:
    label = variant.get("label")
    named = [slug(str(label))] if label else [slug(f"{key}={_short(value)}") for key, value in variant.items()]
    return "".join(f"_{part}" for part in named)


def _short(value: Any) -> str:
    return Path(value).stem if isinstance(value, str) else str(value)
