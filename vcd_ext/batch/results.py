"""Measure the videos of a protocol, and keep what was measured: a line for each video, also after an interruption."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vcd_ext import media
from vcd_ext.batch.protocol import Cell, Person, Protocol
from vcd_ext.batch.recipe import PromptSubject
from vcd_ext.batch.toml_file import PlanError
from vcd_ext.batch.unit import VideoWork
from vcd_ext.batch.work import made
from vcd_ext.identity.photos.photo import Photo, read_photos
from vcd_ext.metrics.registry import Compute, MeasureContext, find_measure
from vcd_ext.progress import Callbacks, Clock
from vcd_ext.storage.atomic import atomically

MEASURED = "measured.jsonl"  # in the folder of a protocol


@dataclass(frozen=True)
class Row:
    """What was measured of one video; `values` is empty where there is no video."""

    cell: Cell
    values: Mapping[str, float]

    @property
    def file(self) -> Path:
        """The video."""
        return self.cell.file


def unmeasurable(protocol: Protocol) -> dict[str, str]:
    """Return the measures that cannot be made here, with the sentence that says which file is missing."""
    sentences = {name: find_measure(name).missing(protocol.measure_weights) for name in protocol.measures}
    return {name: sentence for name, sentence in sentences.items() if sentence}


def check_measures(protocol: Protocol, allow_missing: bool) -> None:
    """Raise PlanError for measures without their weights, unless rows without them are wanted."""
    lacking = unmeasurable(protocol)
    if lacking and not allow_missing:
        name, sentence = next(iter(lacking.items()))
        raise PlanError(f"The measure {name} cannot be made: {sentence} Or leave it out by --without-missing-measures.")


def measure_video(file: Path, context: MeasureContext, computes: Mapping[str, Compute]) -> dict[str, float]:
    """Return the measures of one video; NaN where it has too few frames for one, or nothing to measure."""
    frames = media.read(file).frames
    return {
        name: compute(frames, context) if len(frames) >= find_measure(name).fewest else math.nan
        for name, compute in computes.items()
    }


def measure_all(protocol: Protocol, callbacks: Callbacks) -> list[Row]:
    """Measure all videos that are there; what was measured before of the same video is not measured again.

    Stops where the person interrupts; the rows so far are returned.
    """
    known, log = _known(protocol.out), protocol.out / MEASURED
    names = [name for name in protocol.measures if name not in unmeasurable(protocol)]
    there = {cell.name: made(cell.file, cell.unit) for cell in protocol.cells}
    loaded = _LoadedMeasures(protocol)
    clock = Clock(callbacks.progress, "Measuring", len(protocol.cells))
    for number, cell in enumerate(protocol.cells):
        if callbacks.interrupted():
            break
        found = known.setdefault((cell.name, cell.unit.digest, cell.subject), {})
        wanted = [name for name in names if name not in found]
        if wanted and there[cell.name]:
            found |= measure_video(cell.file, loaded.context(cell), loaded.computes(wanted))
            line = {"video": cell.name, "digest": cell.unit.digest, "subject": cell.subject, "values": found}
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        clock.tell(number + 1)
    return [Row(cell, known.get((cell.name, cell.unit.digest, cell.subject), {})) for cell in protocol.cells]


class _LoadedMeasures:
    """Measures and photos, loaded when they are first needed."""

    def __init__(self, protocol: Protocol):
        self.weights = protocol.measure_weights
        self.people: dict[str, Person] = {person.name: person for person in protocol.subjects}
        self.photos: dict[str, tuple[Photo, ...]] = {}
        self.ready: dict[str, Compute] = {}

    def context(self, cell: Cell) -> MeasureContext:
        person, work = self.people[cell.subject], cell.unit.work
        assert isinstance(work, VideoWork)
        if person.name not in self.photos:
            self.photos[person.name] = tuple(read_photos(person.photos).photos)
        photos = self.photos[person.name]
        if work.embeddings:
            return MeasureContext(work.picture.prompt, person.name, person.class_word, photos)
        # Without what another trainer's words and LoRA add.
        text = PromptSubject("", person.class_word).prompt(cell.prompt)
        return MeasureContext(text, "", person.class_word, photos)

    def computes(self, names: Sequence[str]) -> dict[str, Compute]:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        for name in names:
            if name not in self.ready:
                self.ready[name] = find_measure(name).load(self.weights, device)
        return {name: self.ready[name] for name in names}


Key = tuple[str, str, str]


def _known(out: Path) -> dict[Key, dict[str, float]]:
    """Read what was measured before; a line that a killed process left half is skipped."""
    path, found = out / MEASURED, dict[Key, dict[str, float]]()
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            line = json.loads(text)
            found[line["video"], line["digest"], line["subject"]] = dict(line["values"])
        except (ValueError, KeyError, TypeError):
            continue
    return found


def write_rows(protocol: Protocol, rows: Sequence[Row]) -> list[Path]:
    """Write rows.csv and rows.jsonl into the protocol's folder; their paths."""
    columns = [name for name in protocol.measures if any(name in row.values for row in rows)]
    records = [_record(protocol, row, columns) for row in rows]
    text = io.StringIO()
    table = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    table.writeheader()
    table.writerows(records)
    lines = "".join(json.dumps(_without_nan(record)) + "\n" for record in records)
    return [_written(protocol.out / "rows.csv", text.getvalue()), _written(protocol.out / "rows.jsonl", lines)]


def _record(protocol: Protocol, row: Row, columns: Sequence[str]) -> dict[str, Any]:
    cell = row.cell
    file = row.file.relative_to(protocol.out).as_posix()
    said = {"method": cell.method, "subject": cell.subject, "prompt": cell.prompt, "seed": cell.seed, "file": file}
    return {**said, **{name: row.values.get(name, math.nan) for name in columns}}


def _without_nan(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in record.items()}


def _written(path: Path, text: str) -> Path:
    with atomically(path) as part:
        part.write_text(text, encoding="utf-8")
    return path
