"""Read a protocol: subjects, prompts, seeds, methods and measures, in a file in TOML. docs/evaluation.md shows one.

The paper compares methods on the same prompts and seeds of the same subjects (arXiv 2402.09368 v1, section 5): here a
method is a row that says how identities are trained and videos are made where that differs from the others.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vcd_ext.batch.digest import digest
from vcd_ext.batch.plan import PlanFolders, checked_photos, identity_of, seeds_of, video_of, work_of_videos
from vcd_ext.batch.protocol_tables import OUTSIDE, measures_of, methods_of, prompts_for, prompts_of
from vcd_ext.batch.recipe import MODEL_KEYS, TRAIN_KEYS, PromptSubject, check_video_keys, named_path, slug
from vcd_ext.batch.rival import baseline_of, by_baseline
from vcd_ext.batch.shared_stages import shared_sources, stage_file
from vcd_ext.batch.toml_file import PlanError, check_known_keys, read_toml, table_of, tables, texts
from vcd_ext.batch.unit import Unit, VideoWork

TOP = ("out", "title", "seeds", "measures", "measure_weights", "reference", "train", "video", "subjects", "prompts",
       "methods", *MODEL_KEYS)  # fmt: skip
SUBJECT = ("name", "class_word", "category", "photos", "source")


@dataclass(frozen=True)
class Cell:
    """One video of the experiment: who, by which method, which prompt and seed."""

    method: str
    subject: str
    prompt: str  # as the protocol has it, with {subject}
    seed: int
    unit: Unit
    stage: str = ""  # of the unit, before its last one, whose video this is

    @property
    def file(self) -> Path:
        """The video."""
        file = self.unit.files[0]
        return stage_file(file, self.stage) if self.stage else file

    @property
    def name(self) -> str:
        """What the video is, unlike all others."""
        return f"{self.unit.name}, {self.stage}" if self.stage else self.unit.name


@dataclass(frozen=True)
class Person:
    """A subject of the experiment."""

    name: str
    class_word: str
    category: str
    photos: Path


@dataclass(frozen=True)
class Protocol:
    """An experiment: what is made, measured and compared."""

    title: str
    out: Path
    subjects: tuple[Person, ...]
    methods: tuple[str, ...]
    notes: Mapping[str, str]  # by method, what a reader is to know
    reference: str  # the method that the others are compared with
    measures: tuple[str, ...]
    measure_weights: tuple[Path, ...]
    cells: tuple[Cell, ...]

    @property
    def units(self) -> list[Unit]:
        """All units of work, each once: trainings, then videos."""
        videos = list({cell.unit.name: cell.unit for cell in self.cells}.values())
        return [*self.trainings, *videos]

    trainings: tuple[Unit, ...] = ()


@dataclass
class _ProtocolReader:
    """Reads one protocol; keeps what several of its methods share."""

    whole: Mapping[str, Any]
    folders: PlanFolders

    def __post_init__(self) -> None:
        self.shared = {key: self.whole[key] for key in MODEL_KEYS if key in self.whole}
        self.train = table_of(self.whole, "train", "the protocol")
        check_known_keys(self.train, [*TRAIN_KEYS, *MODEL_KEYS], "[train]")
        self.video = table_of(self.whole, "video", "the protocol")
        check_video_keys(self.video, (), "[video]")
        self.trained: dict[str, PromptSubject] = {}  # by what decides the training
        self.made: dict[str, Unit] = {}  # by digest
        self.works: dict[tuple[str, str], VideoWork] = {}  # by method and subject

    def people(self) -> list[Person]:
        found: list[Person] = []
        for table in tables(self.whole, "subjects", "the protocol"):
            where = f"subject {table.get('name', len(found) + 1)}"
            check_known_keys(table, SUBJECT, where)
            for key in ("name", "class_word", "photos"):
                if not isinstance(table.get(key), str):
                    raise PlanError(f"{where} has no {key}; write it as a text.")
            if table["name"] in {person.name for person in found}:
                raise PlanError(f"Two subjects are called {table['name']}; give each a name of its own.")
            photos = self.photos(table, where)
            found.append(Person(table["name"], table["class_word"], str(table.get("category", "")), photos))
        if not found:
            raise PlanError("The protocol has no subjects; add [[subjects]] with name, class_word and photos.")
        return found

    def photos(self, table: Mapping[str, Any], where: str) -> Path:
        folder = named_path(table["photos"], self.folders.source)
        if not folder.exists() and table.get("source"):
            raise PlanError(f"The photos of {where} are not at {folder}; bring them from {table['source']}.")
        return checked_photos(folder, where)

    def subject(self, person: Person, method: Mapping[str, Any], where: str) -> PromptSubject:
        """Return how a method shows a subject: by an identity that it trains, by one from a file, by the class."""
        if not method.get("identity", True):
            return PromptSubject(person.name, person.class_word)
        if found := {key for key in OUTSIDE[1:] if key in method}:
            return self.by_files(person, method, found, where)
        if "embedding" in method:
            file = str(method["embedding"]).replace("{name}", person.name)
            values = {"embedding": file, "class_word": person.class_word}
            return identity_of(values, person.name, "", self.folders, f"{where} of {person.name}")
        own = table_of(method, "train", where)
        check_known_keys(own, [*TRAIN_KEYS, *MODEL_KEYS], f"train of {where}")
        values = {**self.shared, **self.train, **own}
        key = digest({"who": person.name, "baseline": method.get("baseline"), **values})
        if key not in self.trained:
            # Relative to the working folder is what the protocol's folder may be; it must not be put before it twice.
            values |= {"photos": str(person.photos.absolute()), "class_word": person.class_word}
            made = identity_of(values, person.name, str(method["label"]), self.folders, where)
            if "baseline" in method:
                made = by_baseline(made, baseline_of(method["baseline"], where), self.folders.out)
            self.trained[key] = made
        return self.trained[key]

    def by_files(self, person: Person, method: Mapping[str, Any], keys: Collection[str], where: str) -> PromptSubject:
        files = {key: named_path(str(method[key]).replace("{name}", person.name), self.folders.source) for key in keys}
        for key, file in files.items():
            if not file.is_file():
                raise PlanError(
                    f"{key} of {where} is {file} for {person.name}, which is not there; train it, or bring it."
                )
        words = str(method.get("words", "a {class}")).replace("{class}", person.class_word)
        return PromptSubject(person.name, person.class_word, words=words.replace("{name}", person.name), **files)  # type: ignore[arg-type]

    def cells(
        self, people: Sequence[Person], prompts: Mapping[str, Sequence[str]], methods: Sequence[Mapping[str, Any]]
    ) -> tuple[Cell, ...]:
        """Return all that is made, in the order in which it is.

        Seed by seed and prompt by prompt: whatever is there when it is stopped can be compared. Then method by method,
        as methods have their checkpoints.
        """
        shown = {
            (person.name, str(method["label"])): self.subject(person, method, f"method {method['label']}")
            for method in methods
            for person in people
        }
        seeds = seeds_of(self.whole, "the protocol")
        said = {person.name: prompts_for(person.name, person.category, prompts) for person in people}
        return tuple(
            self.cell(method, person, shown[person.name, str(method["label"])], prompt, seed)
            for seed in seeds
            for number in range(max(map(len, said.values())))
            for method in methods
            for person in people
            for prompt in said[person.name][number : number + 1]
        )

    def cell(self, method: Mapping[str, Any], person: Person, who: PromptSubject, prompt: str, seed: int) -> Cell:
        label = str(method["label"])
        if (label, person.name) not in self.works:
            self.works[label, person.name] = self.work(method, who)
        place = Path(slug(label)) / slug(person.name) / f"{slug(prompt)}_seed{seed}"
        unit = video_of(self.works[label, person.name], who, prompt, seed, place, self.folders.out)
        unit = self.made.setdefault(unit.digest, unit)  # methods that make the same video share its file
        return Cell(label, person.name, prompt, seed, unit)

    def work(self, method: Mapping[str, Any], who: PromptSubject) -> VideoWork:
        where = f"method {method['label']}"
        own = table_of(method, "video", where)
        check_video_keys(own, (), f"video of {where}")
        values = {**self.shared, **self.video, **own}
        if who.lora:
            values["loras"] = [*values.get("loras", []), str(who.lora.absolute())]
        for key, file in (("unet", who.unet), ("checkpoint", who.checkpoint)):
            values |= {key: str(file.absolute())} if file else {}
        return work_of_videos(values, who, self.folders, where)


def read_protocol(path: Path, out: Path | None = None, folder: Path | None = None) -> Protocol:
    """Read a protocol; names in it begin at `folder`, by default its own.

    PlanError, in one sentence, for what cannot be carried out.
    """
    whole, folder = read_toml(path), path.parent if folder is None else folder
    check_known_keys(whole, TOP, path.name)
    reader = _ProtocolReader(whole, PlanFolders(folder, out or folder / str(whole.get("out", path.stem))))
    people, prompts = reader.people(), prompts_of(whole)
    methods = methods_of(whole)
    labels = tuple(str(method["label"]) for method in methods)
    reference = str(whole.get("reference", labels[0]))
    if reference not in labels:
        raise PlanError(f"reference is {reference}, which is no method; choose one of {', '.join(labels)}.")
    cells = reader.cells(people, prompts, methods)
    sources = shared_sources([cell.unit for cell in cells])
    return Protocol(
        title=str(whole.get("title", path.stem)),
        out=reader.folders.out,
        subjects=tuple(people),
        methods=labels,
        notes={str(method["label"]): str(method.get("note", "")) for method in methods},
        reference=reference,
        measures=measures_of(whole),
        measure_weights=tuple(named_path(name, folder) for name in texts(whole, "measure_weights", "the protocol")),
        cells=tuple(
            replace(cell, unit=sources[cell.unit.name].unit, stage=sources[cell.unit.name].stage) for cell in cells
        ),
        trainings=tuple(subject.trained_by for subject in reader.trained.values() if subject.trained_by),
    )


def reduced(protocol: Protocol, subjects: int | None, prompts: int | None, seeds: int | None) -> Protocol:
    """Return the protocol with the first so many subjects, prompts of each and seeds; None keeps all."""
    people = protocol.subjects[:subjects]
    names = {person.name for person in people}
    chosen_prompts = {
        name: list(dict.fromkeys(cell.prompt for cell in protocol.cells if cell.subject == name))[:prompts]
        for name in names
    }
    chosen_seeds = list(dict.fromkeys(cell.seed for cell in protocol.cells))[:seeds]
    cells = tuple(
        cell
        for cell in protocol.cells
        if cell.subject in names and cell.prompt in chosen_prompts[cell.subject] and cell.seed in chosen_seeds
    )
    needed = {name for cell in cells for name in cell.unit.needs}
    trainings = tuple(unit for unit in protocol.trainings if unit.name in needed)
    return replace(protocol, subjects=people, cells=cells, trainings=trainings)
