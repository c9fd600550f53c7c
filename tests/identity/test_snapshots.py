"""Snapshots: every so many steps what was learned is kept as an embedding of its own, and nothing else changes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tests.identity.toy_host import PHOTOS
from tests.toy_studio import NAME, SETTINGS, LastingHost, ToyStudio, ended, stopped_at
from vcd_ext.identity import load_embedding, train
from vcd_ext.identity.training.learned import Identity
from vcd_ext.jobs.job import DONE
from vcd_ext.jobs.service import Jobs
from vcd_ext.settings import SettingError

EVERY = replace(SETTINGS, keep_every=8)  # of 20 steps


def kept_by(settings: object = EVERY) -> tuple[list[Identity], Identity]:
    kept: list[Identity] = []
    return kept, train(LastingHost(), PHOTOS, settings, keep=kept.append)  # type: ignore[arg-type]


def test_what_is_kept_is_what_a_shorter_training_ends_with() -> None:
    kept, identity = kept_by()
    assert [(one.name, one.steps) for one in kept] == [(f"{NAME}_8", 8), (f"{NAME}_16", 16)]
    for one in kept:
        _, shorter = kept_by(replace(SETTINGS, steps=one.steps, validate_every=0))
        assert torch.equal(one.vectors, shorter.vectors)
        assert one.metadata["steps"] == one.metadata["best_step"] == str(one.steps)
        assert one.metadata["snapshot_of"] == NAME
    assert torch.equal(identity.vectors, kept_by(SETTINGS)[1].vectors), "the end is the same with and without"


def test_a_training_in_the_background_keeps_them_beside_its_file(jobs: Jobs, studio: ToyStudio) -> None:
    job = ended(jobs.trainings.start(PHOTOS, EVERY))
    assert (job.state, job.notes) == (DONE, [])
    folder = studio.folders.identities
    assert sorted(path.name for path in folder.glob("*.safetensors")) == [
        f"{NAME}.safetensors", f"{NAME}_16.safetensors", f"{NAME}_8.safetensors",
    ]  # fmt: skip
    with safe_open(folder / f"{NAME}_8.safetensors", "pt") as file:
        assert file.keys() == [f"{NAME}_8"], "prompts call it by its file's name"


def test_one_that_is_stopped_and_gone_on_with_keeps_the_same(jobs: Jobs, studio: ToyStudio) -> None:
    stopped_at(jobs, 10, EVERY)
    assert ended(jobs.trainings.resume(NAME)).state == DONE
    kept, _ = kept_by()
    for one in kept:
        assert torch.equal(load_embedding(studio.folders.identities / f"{one.name}.safetensors"), one.vectors)


def test_an_embedding_of_such_a_name_is_not_overwritten_unasked(jobs: Jobs, studio: ToyStudio) -> None:
    taken = studio.folders.identities / f"{NAME}_16.safetensors"
    taken.parent.mkdir(parents=True, exist_ok=True)
    taken.write_bytes(b"somebody's")
    with pytest.raises(ValueError, match=f"There is already an embedding called {NAME}_16"):
        jobs.trainings.start(PHOTOS, EVERY)
    assert taken.read_bytes() == b"somebody's"
    assert ended(jobs.trainings.start(PHOTOS, EVERY, replace_existing=True)).state == DONE
    assert load_embedding(taken).shape == (4, 8)


def test_one_that_cannot_be_written_costs_no_training(
    jobs: Jobs, studio: ToyStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object) -> None:
        raise OSError(f"{path.name} was not written: the disk is full.")

    monkeypatch.setattr("vcd_ext.jobs.training.save_embedding", full)
    job = ended(jobs.trainings.start(PHOTOS, EVERY))
    assert job.state == DONE
    assert job.notes == [f"No more steps are kept: {NAME}_8.safetensors was not written: the disk is full."]


def test_more_than_a_hundred_are_refused() -> None:
    with pytest.raises(SettingError, match="keep_every is 1, which leaves 101 embeddings of 101 steps; use 2 or more"):
        kept_by(replace(SETTINGS, steps=101, keep_every=1))
