"""Do one unit of work with borrowed models, and know whether one is done."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from vcd_ext import media
from vcd_ext.batch.baselines.learn import learn_baseline
from vcd_ext.batch.lender import Lender
from vcd_ext.batch.unit import TrainingWork, Unit, UnitResult, VideoWork
from vcd_ext.denoising.out_of_memory import is_out_of_memory
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.identity import save_embedding, train
from vcd_ext.identity.photos.photo import Photo, read_photos
from vcd_ext.identity.segment import fill_masks
from vcd_ext.identity.training import snapshots
from vcd_ext.media.order import ordered
from vcd_ext.media.output_files import save
from vcd_ext.progress import Callbacks, Progress
from vcd_ext.stages import pipeline
from vcd_ext.stages.film import interpolator
from vcd_ext.stages.interpolation import interpolated
from vcd_ext.storage import record
from vcd_ext.storage.atomic import disk_is_full

DIGEST = "vcd batch"  # in the metadata of what a unit wrote


def done(unit: Unit) -> bool:
    """Return whether all files of a unit are there, whole and made of what the unit says."""
    return all(made(file, unit) for file in (*unit.files, *unit.also))


def made(file: Path, unit: Unit) -> bool:
    """Return whether a file is there, whole and what a unit has made."""
    return file.exists() and _digest_of(file) == unit.digest


def _digest_of(file: Path) -> str:
    try:
        described = record.summarize(file) if file.suffix == ".safetensors" else media.read_metadata(file)
    except ValueError:
        return ""
    return described.get(DIGEST, "")


def do(unit: Unit, lender: Lender, callbacks: Callbacks) -> UnitResult:
    """Do a unit of work; what goes wrong with it is said in the result.

    Raises Interrupted where the person stopped it, and OSError where the disk is full, for then no other unit can be
    done either.
    """
    began, notes = time.monotonic(), list[str]()
    callbacks = callbacks._replace(note=notes.append)
    try:
        if isinstance(unit.work, TrainingWork) and unit.work.baseline:
            learn_baseline(unit, unit.work, unit.work.baseline, lender, callbacks, {DIGEST: unit.digest})
        elif isinstance(unit.work, TrainingWork):
            _train(unit, unit.work, lender, callbacks)
        else:
            _make(unit, unit.work, lender, callbacks)
    except Interrupted:
        raise
    except Exception as error:
        if disk_is_full(error):
            raise
        return UnitResult(unit.name, time.monotonic() - began, _sentence(error), tuple(notes))
    return UnitResult(unit.name, time.monotonic() - began, "", tuple(notes))


def _sentence(error: Exception) -> str:
    if is_out_of_memory(error):
        return "Out of memory; use a smaller size or fewer frames."
    text = str(error).strip().partition("\n")[0]
    return text if isinstance(error, ValueError | OSError | ImportError) else f"{type(error).__name__}: {text}"


def _train(unit: Unit, work: TrainingWork, lender: Lender, callbacks: Callbacks) -> None:
    settings, file = work.settings, unit.files[0]
    photos, problems = read_photos(work.photos, settings.masked)
    for problem in problems:
        callbacks.note(problem)
    if settings.masked:
        photos = _masked(photos, work, lender, callbacks)
    # Of these settings alone: a training that was stopped with others is not gone on with.
    state = file.with_name(f".{file.stem}-{unit.digest}.training")
    state.parent.mkdir(parents=True, exist_ok=True)
    host = lender.trainer(work.models)
    identity = train(
        host,
        photos,
        settings,
        callbacks.progress,
        state=state,
        interrupted=callbacks.interrupted,
        keep=snapshots.kept_beside(file),
    )
    if not identity.finished:
        raise Interrupted
    save_embedding(file, identity.vectors, identity.metadata | {DIGEST: unit.digest})
    for left in file.parent.glob(f".{file.stem}-*.training*"):
        left.unlink(missing_ok=True)


def _masked(photos: list[Photo], work: TrainingWork, lender: Lender, callbacks: Callbacks) -> list[Photo]:
    """Give each photo a mask; those for which none is found are left out. ValueError if there is none for any."""
    if all(photo.mask is not None for photo in photos):
        return photos

    def progress(done: int, total: int) -> None:
        callbacks.progress(Progress("Finding masks", done, total))

    filled, problems = fill_masks(photos, work.settings.class_word, lender.segmenters(work.models), progress)
    for problem in problems:
        callbacks.note(problem)
    found = [photo for photo in filled if photo.mask is not None]
    if not found:
        raise ValueError(
            f"No mask was found for any photo of {work.settings.name}; put masks beside them (rex.mask.png for "
            "rex.jpg, the subject white), or set masked = false."
        )
    return found


def _make(unit: Unit, work: VideoWork, lender: Lender, callbacks: Callbacks) -> None:
    stages = stages_of(work)

    def progress(done: int, total: int) -> None:
        if callbacks.interrupted():
            raise Interrupted
        callbacks.progress(Progress(pipeline.T2V, done, total))

    clip = lender.generate(work, progress)
    outcome = pipeline.Outcome([pipeline.Finished(pipeline.T2V, clip)], True, "")
    if stages:
        outcome = pipeline.run_stages(
            lender.remaker(work), clip, stages, lambda face: lender.detector(work.models, face), callbacks
        )
    # Those before the last first: that the last is there says that the unit is done.
    last = outcome.videos[-1]
    by = interpolator(work.video.onward, work.models.weights, callbacks.note)
    for video in outcome.videos if work.video.save_stages or not outcome.complete else [last]:
        final = video is last and outcome.complete
        clip = ordered(video.clip, work.video.loops.order)
        clip = interpolated(clip, work.video.onward.interpolate, work.video.loops.closed, by) if final else clip
        for file in unit.files:
            _write(clip, file if final else video.beside(file), unit, callbacks)
    if outcome.error:
        raise ValueError(outcome.error)
    if not outcome.complete:
        raise Interrupted


def _write(clip: media.Clip, file: Path, unit: Unit, callbacks: Callbacks) -> None:
    assert isinstance(unit.work, VideoWork)
    clip = replace(clip, metadata=clip.metadata | {DIGEST: unit.digest})
    with _set_aside(file):
        save(clip, [file], None, callbacks.note, unit.work.video.files)


@contextmanager
def _set_aside(file: Path) -> Iterator[None]:
    """Make room for a folder of frames, which is never written over; an older one comes back after a failure.

    ValueError, in one sentence, for a folder that no batch has made.
    """
    if not file.is_dir():
        yield
        return
    if not _digest_of(file):
        raise ValueError(f"{file} is a folder that no batch has made; move it away, or give the plan another 'out'.")
    aside = file.with_name(f".{file.name}.before")
    if aside.exists():  # of a process that was killed
        shutil.rmtree(aside)
    file.rename(aside)
    try:
        yield
    except BaseException:
        aside.rename(file)
        raise
    shutil.rmtree(aside)


def stages_of(work: VideoWork) -> list[pipeline.Stage]:
    """Return what follows the generation; SettingError for what no host can work with."""
    return pipeline.stages(work.video, pipeline.shared_with(work.picture, work.identity, work.models.motion_module))
