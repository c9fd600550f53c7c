"""How long units will take and how much room their files need: rough before the first run, measured after it."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

import torch
from safetensors import SafetensorError, safe_open  # type: ignore[attr-defined]

from vcd_ext.batch.unit import TRAINING, VIDEO, TrainingWork, Unit, VideoWork
from vcd_ext.batch.work import stages_of
from vcd_ext.identity.training.estimate import ENCODE, FORWARD, PARAMETERS, STEP, speed
from vcd_ext.settings import FaceSettings

LOG = "batch.jsonl"  # in the folder of a plan: a line for each unit that was done
LATEST = 50  # lines of the log that are counted
# Floating-point operations of the decoder for one 512x512 picture, and what a motion module adds to a UNet's.
DECODE, MOVING = 2.5e12, 1.3
VARIANTS = 8  # encoded pictures of one training, of each step's batch: they are few beside its steps
# Bytes of a pixel of one frame, as measured on drawn and on photographic videos.
BYTES = {"mp4": 0.06, "webm": 0.05, "gif": 0.5, "webp": 0.15, "png": 1.6}
EMBEDDING = 16_000  # bytes
FULL = 512 * 512  # pixels
UNET = "model.diffusion_model."


def work_of(unit: Unit) -> float:
    """Count the floating-point operations of a unit, by the size of its checkpoint's UNet."""
    counted = _training(unit.work) if isinstance(unit.work, TrainingWork) else _video(unit.work)
    return counted * unet_parameters(unit.work.models.checkpoint) / PARAMETERS


@lru_cache
def unet_parameters(checkpoint: Path) -> float:
    """Count a checkpoint's UNet's parameters without reading them; SD1.5's where the file does not tell."""
    try:
        opened: Any = safe_open(checkpoint, framework="pt")
        with opened as file:
            shapes = [file.get_slice(key).get_shape() for key in file.keys() if key.startswith(UNET)]  # noqa: SIM118
    except (OSError, SafetensorError):
        return PARAMETERS
    return sum(map(math.prod, shapes)) or PARAMETERS


def _training(work: TrainingWork) -> float:
    settings = work.settings
    return (settings.steps * settings.batch * STEP + VARIANTS * settings.variants * ENCODE) * settings.size**2 / FULL


def _video(work: VideoWork) -> float:
    picture, video = work.picture, work.video
    moving = MOVING if work.models.motion_module else 1.0
    rows = 1 if picture.cfg_scale == 1 else 2
    pixels = picture.width * picture.height / FULL

    def denoised(steps: float) -> float:
        return steps * rows * FORWARD * moving + DECODE

    one = denoised(picture.steps) * pixels
    for stage in stages_of(work):
        asked = stage.settings
        steps = math.ceil(picture.steps * asked.denoise)
        if isinstance(asked, FaceSettings):
            one += (denoised(steps) + ENCODE) * asked.size**2 / FULL
        else:
            # Twice the sides, and what tiles share is computed in each of them.
            covered = (asked.tile / max(asked.tile - asked.tile_overlap, 8)) ** 2
            one += (denoised(steps) * covered + ENCODE) * 4 * pixels
    return video.frames * one


def disk_bytes(unit: Unit) -> float:
    """Guess the size of a unit's files."""
    if isinstance(unit.work, TrainingWork):
        return EMBEDDING
    picture, video = unit.work.picture, unit.work.video
    pixels = picture.width * picture.height * video.frames * (4 if video.tiled else 1)
    times = 1 + (video.save_stages and (video.face + video.tiled / 4))
    return times * sum(BYTES[name] * pixels for name in video.formats)


@dataclass
class Pace:
    """What was measured: seconds for an operation by kind of unit, and true bytes for guessed ones."""

    seconds_each: dict[str, float] = field(default_factory=dict)
    bytes_each: float = 1.0
    measured: bool = False

    @classmethod
    def of(cls, out: Path) -> "Pace":
        """Read the pace from the log of a plan's folder; a guess by the speed of this machine where there is none."""
        lines = read_log(out)[-LATEST:]
        found = {}
        for kind in (TRAINING, VIDEO):
            ratios = [line["seconds"] / line["work"] for line in lines if line["kind"] == kind and line["work"]]
            found[kind] = median(ratios) if ratios else guessed()
        sizes = [line["bytes"] / line["estimated_bytes"] for line in lines if line["kind"] == VIDEO]
        return cls(found, median(sizes) if sizes else 1.0, bool(lines))

    def seconds(self, unit: Unit) -> float:
        """Estimate how long a unit takes."""
        return self.seconds_each[unit.kind] * work_of(unit)


def guessed() -> float:
    """Return seconds for an operation on this machine, by multiplying matrices for a moment."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return 1 / speed(device, 2 if device == "cuda" else 4)


def read_log(out: Path) -> list[dict[str, Any]]:
    """Read what was done in a plan's folder; a line that a killed process left half is skipped."""
    path, lines = out / LOG, []
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def forecast(units: Sequence[Unit], out: Path) -> tuple[float, float, bool]:
    """Estimate seconds and bytes of units. Third: whether it rests on what was measured in this folder."""
    pace = Pace.of(out)
    room = sum(disk_bytes(unit) * (pace.bytes_each if unit.kind == VIDEO else 1) for unit in units)
    return sum(map(pace.seconds, units)), room, pace.measured
