"""How a protocol asks for a baseline, and how videos show a subject that one has learned."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from vcd_ext.batch.recipe import PromptSubject, training_unit
from vcd_ext.batch.toml_file import PlanError, check_known_keys
from vcd_ext.batch.unit import BASELINES, Baseline, TrainingWork

SMALLEST = {"learning_rate": 1e-9, "rank": 1, "prior": 0, "prior_weight": 0.0}


def baseline_of(value: Any, where: str) -> Baseline:
    """Return the baseline of a method: its kind, or a table with the kind and what differs from the usual values."""
    table = {"kind": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or table.get("kind") not in BASELINES:
        kinds = ", ".join(BASELINES)
        raise PlanError(f'baseline of {where} is {value!r}; write one of {kinds}, or a table with it as "kind".')
    usual = BASELINES[table["kind"]]
    check_known_keys(table, [field.name for field in fields(Baseline)], f"baseline of {where}")
    for key, found in table.items():
        if not _is_like(found, key, getattr(usual, key)):
            raise PlanError(f"{key} of the baseline of {where} is {found!r}; it is usually {getattr(usual, key)!r}.")
    return Baseline(**{**asdict(usual), **table})


def _is_like(found: Any, key: str, usual: Any) -> bool:
    if isinstance(usual, str):
        return isinstance(found, str)
    number = isinstance(found, int | float) and not isinstance(found, bool)
    return number and found >= SMALLEST[key] and type(usual)(found) == found


def by_baseline(subject: PromptSubject, baseline: Baseline, out: Path) -> PromptSubject:
    """Return a subject that a baseline learns in place of the ID module, from the same photos and settings."""
    before = subject.trained_by
    assert before is not None
    assert isinstance(before.work, TrainingWork)
    unit = training_unit(out, before.files[0].parent.name, replace(before.work, baseline=baseline))
    if baseline.kind == "custom_diffusion":
        return replace(subject, embedding=unit.files[1], trained_by=unit, lora=unit.files[0])
    words = f"{baseline.word} {subject.class_word}"
    made = {"lora" if baseline.kind == "lora" else "unet": unit.files[0]}
    return PromptSubject(subject.name, subject.class_word, trained_by=unit, words=words, **made)
