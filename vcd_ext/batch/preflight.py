"""Refuse units that cannot be done before any is begun: one sentence now, and not an error after hours."""

import importlib.util
from collections.abc import Iterable, Sequence

from vcd_ext import motion
from vcd_ext.batch.baselines import low_rank
from vcd_ext.batch.lender import Lender
from vcd_ext.batch.recipe import loras_asked_for
from vcd_ext.batch.toml_file import PlanError
from vcd_ext.batch.unit import TrainingWork, Unit, VideoWork
from vcd_ext.batch.work import stages_of
from vcd_ext.identity.embedding import load_concepts
from vcd_ext.media.clip import exact_fps
from vcd_ext.motion.checkpoint import module_facts
from vcd_ext.prompt.networks import check_no_networks
from vcd_ext.settings import FaceSettings
from vcd_ext.stages.film import check_interpolator
from vcd_ext.stages.interpolation import check_interpolation


def check_units(units: Sequence[Unit]) -> None:
    """Raise PlanError, naming the first unit that cannot be done, by settings and files alone; nothing is loaded."""
    seen = set[object]()
    for unit in units:
        try:
            if isinstance(unit.work, VideoWork):
                _check_video(unit.work, seen)
            elif unit.work.baseline and unit.work.baseline.kind == "lora":
                low_rank.check_peft()
        except ValueError as error:
            raise PlanError(f"{unit.name} cannot be made: {error}") from error


def _check_video(work: VideoWork, seen: set[object]) -> None:
    picture, video, models = work.picture, work.video, work.models
    known = loras_asked_for(models, picture.prompt)
    check_no_networks(picture.prompt, picture.negative_prompt, known=known)
    stages_of(work)
    check_interpolation(exact_fps(video.fps), video.onward.interpolate)
    check_interpolator(video.onward, models.weights)
    around = motion.ring_windows if models.motion_module and video.loops.loop else motion.windows
    window = around(video.frames, video.context, video.overlap if models.motion_module else 0)[0]
    if models.motion_module:
        module = models.motion_module
        if (module, len(window.frames)) not in seen:
            most = module_facts(module).max_frames
            if len(window.frames) > most:
                raise ValueError(f"context is {video.context}; {module.name} holds at most {most} frames together.")
            seen.add((module, len(window.frames)))
    for path in work.embeddings:
        if path not in seen and path.is_file():
            load_concepts(path)
            seen.add(path)
    if video.tiled and models.upscaler_weights and importlib.util.find_spec("spandrel") is None:
        raise ValueError(f"{models.upscaler_weights[0].name} needs spandrel, which is not installed.")


def check_on_models(units: Iterable[Unit], lender: Lender) -> None:
    """Raise PlanError for what only loaded models tell: checkpoints, names, detectors, upscalers, ControlNets.

    Each combination of models is asked once.
    """
    seen = set[object]()
    for unit in units:
        try:
            if isinstance(unit.work, TrainingWork):
                lender.check_training(unit.work)
            else:
                _check_loaded(unit.work, lender, seen)
        except ValueError as error:
            raise PlanError(f"{unit.name} cannot be made: {error}") from error


def _check_loaded(work: VideoWork, lender: Lender, seen: set[object]) -> None:
    asked = [stage.settings for stage in stages_of(work)]
    names = [(each.detector, each.words) if isinstance(each, FaceSettings) else each.upscaler for each in asked]
    key = (work.models, tuple(path for path in work.embeddings if path.is_file()), *names)
    if key in seen:
        return
    lender.check(work)
    for settings in asked:
        if isinstance(settings, FaceSettings):
            lender.detector(work.models, settings)
        elif settings.upscaler and settings.upscaler not in lender.upscalers(work.models):
            there = ", ".join(lender.upscalers(work.models))
            raise ValueError(f"There is no upscaler called {settings.upscaler}; choose one of {there}.")
    seen.add(key)
