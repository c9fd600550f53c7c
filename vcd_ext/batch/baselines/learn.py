"""Do a unit of work that trains a baseline: read the photos, learn, write its files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from vcd_ext.batch.baselines import low_rank, whole_weights
from vcd_ext.batch.baselines.fit import Fitting
from vcd_ext.batch.lender import Lender
from vcd_ext.batch.unit import Baseline, TrainingWork, Unit
from vcd_ext.identity import save_embedding
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.progress import Callbacks
from vcd_ext.storage import record


def learn_baseline(
    unit: Unit, work: TrainingWork, baseline: Baseline, lender: Lender, callbacks: Callbacks, metadata: dict[str, str]
) -> None:
    """Learn, and write what `baseline_files` names; Interrupted, with nothing written, where the person stops it."""
    photos, problems = read_photos(work.photos, masks=False)
    for problem in problems:
        callbacks.note(problem)
    learns_word = baseline.kind == "custom_diffusion"
    settings = work.settings if learns_word else replace(work.settings, name=baseline.word)
    host = lender.baseline(work.models)
    with torch.inference_mode(False), torch.enable_grad(), host.training():
        fitting = Fitting(host, photos, replace(settings, masked=False), baseline, callbacks)
        if learns_word:
            tensors, word = whole_weights.custom_diffusion(fitting)
            save_embedding(unit.files[1], word, metadata)
        else:
            tensors = {"lora": low_rank.learn_lora, "dreambooth": whole_weights.dreambooth}[baseline.kind](fitting)
    _write(unit.files[0], tensors, metadata)


def _write(path: Path, tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> None:
    record.write(path, {name: value.contiguous() for name, value in tensors.items()}, dict(metadata))


def baseline_files(folder: Path, name: str, baseline: Baseline) -> tuple[Path, ...]:
    """Return what a baseline writes for a subject: a LoRA or a UNet, and with a new word its embedding."""
    if baseline.kind == "custom_diffusion":
        return folder / f"{name}-weights.safetensors", folder / f"{name}.safetensors"
    return (folder / f"{name}-{baseline.kind}.safetensors",)
