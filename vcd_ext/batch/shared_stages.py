"""Rows that differ only in how far they go share a video: what one row ends with, another one's unit has on its way.

T2V VCD is most of the time of a video, and a row for each stage would make it three times.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from vcd_ext.batch.digest import changed, digest
from vcd_ext.batch.unit import Unit, VideoWork
from vcd_ext.batch.work import stages_of
from vcd_ext.settings import FaceSettings, VideoSettings
from vcd_ext.stages.pipeline import T2V, Finished, alone
from vcd_ext.stages.video_to_video import title

FACE = title(FaceSettings())


class Source(NamedTuple):
    """Where the video of a unit is: of another unit, before its last stage."""

    unit: Unit
    stage: str = ""  # the title of its stage; "": the unit's last


@dataclass(frozen=True)
class _Reached:
    """What a unit has after one of its stages, by a digest of all that decides it."""

    key: str
    stage: str


def shared_sources(units: Sequence[Unit]) -> dict[str, Source]:
    """Return for each unit, by its name, the one whose files hold its video. That unit saves its stages for it."""
    own = {unit.name: list(_reached(unit)) for unit in units}
    longer: dict[str, Source] = {}
    for unit in units:
        for reached in own[unit.name][:-1]:
            longer.setdefault(reached.key, Source(unit, reached.stage))
    found = {unit.name: longer.get(own[unit.name][-1].key, Source(unit)) for unit in units}
    # A stage may be that of a unit which is itself taken from a longer one.
    for name, source in found.items():
        while found[source.unit.name].unit is not source.unit:
            source = Source(found[source.unit.name].unit, source.stage or found[source.unit.name].stage)
        found[name] = source
    saving = {source.unit.name: _saving(source.unit) for source in found.values() if source.stage}
    return {name: Source(saving.get(source.unit.name, source.unit), source.stage) for name, source in found.items()}


def _reached(unit: Unit) -> Iterator[_Reached]:
    work = unit.work
    assert isinstance(work, VideoWork)
    own = "" if work.video.onward.interpolate == 1 else unit.name  # frames between are of the last stage's video alone
    whole: list[Any] = [work.models, asdict(work.picture), _plain(work.video), work.embeddings, work.identity, own]
    yield _Reached(digest({"parts": whole}), T2V)
    if work.video.face or work.video.tiled:
        for stage in stages_of(work):
            whole.append([type(stage.settings).__name__, asdict(stage.settings)])
            yield _Reached(digest({"parts": whole}), title(stage.settings))


@lru_cache
def _plain(video: VideoSettings) -> dict[str, Any]:
    """Return what matters before the stages."""
    of_stages = ("face_", "tiled_")
    found = {name: value for name, value in changed(alone(video)).items() if not name.startswith(of_stages)}
    return found | {"formats": video.formats}


def _saving(unit: Unit) -> Unit:
    """Return a unit that keeps the videos before its last stage."""
    assert isinstance(unit.work, VideoWork)
    stages = [T2V, *([FACE] if unit.work.video.face and unit.work.video.tiled else [])]
    also = tuple(stage_file(file, stage) for stage in stages for file in unit.files)
    return replace(unit, work=replace(unit.work, video=replace(unit.work.video, save_stages=True)), also=also)


def stage_file(file: Path, stage: str) -> Path:
    """Return where a unit writes the video of a stage before its last one."""
    return Finished.beside(Finished(stage, None), file)  # type: ignore[arg-type]
