"""Trainings in the background: one at a time, stopped and resumed, and told about whatever happens."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.full_disk import full_disk
from tests.identity.toy_host import PHOTOS, photo
from tests.toy_studio import ENDLESS, NAME, SETTINGS, WITHOUT_MASKS, LastingHost, ToyStudio, ended, stopped_at, until
from vcd_ext.identity import load_embedding
from vcd_ext.identity.training.unfinished import unfinished
from vcd_ext.jobs.job import DONE, FAILED, RUNNING, STOPPED, STOPPING, WAITING
from vcd_ext.jobs.queue import REMEMBERED, BusyError
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob


def left_over(studio: ToyStudio) -> list[str]:
    """Files of trainings that were not put away."""
    return sorted(path.name for path in studio.folders.trainings.glob("*"))


def test_a_training_runs_to_its_end_and_leaves_an_identity_with_a_picture(jobs: Jobs, studio: ToyStudio) -> None:
    job = ended(jobs.trainings.start(PHOTOS, SETTINGS))
    assert (job.state, job.error, job.notes) == (DONE, "", [])
    assert job.file == studio.folders.identities / f"{NAME}.safetensors"
    assert load_embedding(job.file).shape == (4, 8)
    with Image.open(job.file.with_suffix(".preview.png")) as picture:
        assert picture.size == (256, 256)
    assert [step for step, _ in job.losses] == list(range(1, 21))
    assert [step for step, _ in job.validation] == [0, 5, 10, 15, 20]
    assert left_over(studio) == []
    assert jobs.trainings.pace is not None


def test_only_one_thing_is_done_at_a_time(jobs: Jobs) -> None:
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    for do in (
        lambda: jobs.trainings.start(PHOTOS, replace(SETTINGS, name="other")),
        lambda: jobs.trainings.find_masks(PHOTOS, "dog"),
        lambda: jobs.trainings.discard("other"),
    ):
        with pytest.raises(BusyError, match=f"{NAME} is being trained"):
            do()
    job.stop()
    ended(job)
    with jobs.turn("Deleting an identity"), pytest.raises(BusyError, match="Deleting an identity is under way"):
        jobs.trainings.start(PHOTOS, replace(SETTINGS, name="other"))
    assert ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, name="other"))).state == DONE


def test_a_training_waits_for_its_turn(jobs: Jobs, studio: ToyStudio) -> None:
    with studio.somebody_else_computing():
        job = jobs.trainings.start(PHOTOS, SETTINGS)
        assert job.state == WAITING
        assert studio.busy()
    assert ended(job).state == DONE


def test_a_stopped_training_resumes_to_what_an_uninterrupted_one_learns(
    jobs: Jobs, studio: ToyStudio, tmp_path: Path
) -> None:
    straight = ended(Jobs(ToyStudio(tmp_path / "straight")).trainings.start(PHOTOS, SETTINGS))
    job = stopped_at(jobs, 7)
    assert (job.state, job.file) == (STOPPED, None)
    assert unfinished(studio.folders.trainings) == [(NAME, "dog", 7, 20)]
    resumed = ended(Jobs(studio).trainings.resume(NAME))  # as after a restart
    assert resumed.state == DONE
    assert straight.identity is not None
    assert resumed.identity is not None
    assert torch.equal(resumed.identity.vectors, straight.identity.vectors)
    assert resumed.losses == straight.losses
    assert left_over(studio) == []


def test_what_is_learned_by_then_can_be_saved_when_stopping_and_afterwards(jobs: Jobs, studio: ToyStudio) -> None:
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    until(lambda: job.losses)
    jobs.trainings.keep(job)
    assert ended(job).state == DONE
    assert job.identity is not None
    assert not job.identity.finished
    assert left_over(studio) == []
    job = stopped_at(jobs, 3, replace(SETTINGS, name="later"))
    assert job.state == STOPPED
    jobs.trainings.keep(job)
    assert job.state == DONE
    assert (studio.folders.identities / "later.safetensors").is_file()
    assert left_over(studio) == []


def test_nothing_is_saved_of_a_training_that_has_not_made_a_step(jobs: Jobs, studio: ToyStudio) -> None:
    with studio.somebody_else_computing():
        job = jobs.trainings.start(PHOTOS, SETTINGS)
        jobs.trainings.keep(job)
        assert job.state == STOPPING
    assert ended(job).state in (FAILED, STOPPED)
    assert job.file is None
    assert not studio.folders.identities.exists()


def test_a_training_that_is_stopped_while_it_waits_ends_at_once(jobs: Jobs, studio: ToyStudio) -> None:
    for masks in (PHOTOS, WITHOUT_MASKS):  # it waits to be trained, or first for masks to be found
        with studio.somebody_else_computing():
            job = jobs.trainings.start(masks, SETTINGS)
            job.stop()
            assert (ended(job).state, job.error) == (STOPPED, "")
        assert left_over(studio) == []
    stopped_at(jobs, 7)
    with studio.somebody_else_computing():
        job = jobs.trainings.resume(NAME)
        job.stop()
        assert ended(job).state == STOPPED
    assert unfinished(studio.folders.trainings) == [(NAME, "dog", 7, 20)], "what it had learned before is there"


def test_what_was_learned_before_is_saved_by_a_training_that_waits(jobs: Jobs, studio: ToyStudio) -> None:
    stopped_at(jobs, 7)
    with studio.somebody_else_computing():
        job = jobs.trainings.resume(NAME)
        jobs.trainings.keep(job)
    assert ended(job).state == DONE
    assert job.identity is not None
    assert job.identity.steps == 7
    assert left_over(studio) == []


def test_an_unfinished_training_is_not_overwritten_by_a_new_one(jobs: Jobs, studio: ToyStudio) -> None:
    stopped_at(jobs, 2)
    before = {path.name: path.read_bytes() for path in studio.folders.trainings.iterdir()}
    with pytest.raises(ValueError, match=r"unfinished training of rexy \(2 of 20 steps\); resume it, or discard it"):
        jobs.trainings.start(PHOTOS[:1], SETTINGS)
    assert {path.name: path.read_bytes() for path in studio.folders.trainings.iterdir()} == before
    jobs.trainings.discard(NAME)
    assert left_over(studio) == []
    assert ended(jobs.trainings.start(PHOTOS, SETTINGS)).state == DONE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "../rex"}, "name"),
        ({"name": ""}, "empty"),
        ({"class_word": "a dog that I saw once"}, "6 words"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_begins(
    jobs: Jobs, studio: ToyStudio, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        jobs.trainings.start(PHOTOS, replace(SETTINGS, **changes))
    assert jobs.last is None
    assert left_over(studio) == []


def test_a_training_without_photos_is_refused(jobs: Jobs) -> None:
    with pytest.raises(ValueError, match="no photos"):
        jobs.trainings.start([], SETTINGS)


def test_an_identity_is_replaced_only_where_that_is_wanted(jobs: Jobs) -> None:
    first = ended(jobs.trainings.start(PHOTOS, SETTINGS)).file
    assert first is not None
    before = first.read_bytes()
    with pytest.raises(ValueError, match="already an embedding called rexy"):
        jobs.trainings.start(PHOTOS, SETTINGS)
    assert first.read_bytes() == before
    assert ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, seed=4), replace_existing=True)).file == first
    assert first.read_bytes() != before


def test_what_training_refuses_is_told_and_leaves_nothing(jobs: Jobs, studio: ToyStudio) -> None:
    job = ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, name="dog", class_word="cat")))
    assert job.state == FAILED
    assert "common word" in job.error
    assert left_over(studio) == []
    assert ended(jobs.trainings.start(PHOTOS, SETTINGS)).state == DONE


def test_an_unexpected_error_is_told_in_a_sentence_and_the_training_can_be_gone_on_with(
    jobs: Jobs, studio: ToyStudio, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(steps: int) -> None:
        if steps == 6:
            raise RuntimeError("the driver\nis gone")

    studio.host.at = fail
    job = ended(jobs.trainings.start(PHOTOS, SETTINGS))
    assert job.state == FAILED
    assert job.error == "The training failed: RuntimeError: the driver. The console tells more."
    assert "is gone" in capsys.readouterr().err
    assert [one.step for one in unfinished(studio.folders.trainings)] == [4]


def test_a_full_disk_at_the_end_costs_nothing_that_was_learned(
    jobs: Jobs, studio: ToyStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("vcd_ext.hosts.diffusers.studio.save_embedding", full_disk)
        job = ended(jobs.trainings.start(PHOTOS, SETTINGS))
    assert job.state == FAILED
    assert "rexy.safetensors was not written: the disk is full." in job.error
    assert not studio.folders.identities.exists()
    assert [one.step for one in unfinished(studio.folders.trainings)] == [20]
    begun = studio.host.steps
    assert ended(jobs.trainings.resume(NAME)).state == DONE
    assert studio.host.steps == begun, "no step is made again"


@pytest.mark.parametrize("words", ["CUDA out of memory. Tried", "DefaultCPUAllocator: not enough memory: you tried"])
def test_too_little_memory_is_told_with_what_to_do(tmp_path: Path, words: str) -> None:
    class Small(LastingHost):
        def encode(self, pictures: torch.Tensor) -> None:  # type: ignore[override]
            raise RuntimeError(f"{words} to allocate 2.00 GiB")

    job = ended(Jobs(ToyStudio(tmp_path, Small())).trainings.start(PHOTOS, SETTINGS))
    assert job.error.startswith("The memory is too small")


def test_masks_are_found_for_photos_that_have_none_and_the_others_are_left_out(jobs: Jobs) -> None:
    dark = replace(photo(3, subject=90, name="dark.png"), mask=None)
    job = ended(jobs.trainings.start([PHOTOS[0], WITHOUT_MASKS[1], dark], SETTINGS))
    assert job.state == DONE
    assert job.notes == [
        "dark.png gets no mask: no dog is bright in it.",
        "Left out, because no mask was found: dark.png.",
    ]
    assert job.identity is not None
    assert job.identity.metadata["photos"] == "2"
    assert job.identity.metadata["mask_source"] == "brightness, file"


def test_without_any_mask_the_training_does_not_begin_unless_masks_are_not_wanted(jobs: Jobs) -> None:
    dark = [replace(photo(3, subject=90, name="dark.png"), mask=None)]
    job = ended(jobs.trainings.start(dark, SETTINGS))
    assert (job.state, job.error.split(",")[0]) == (FAILED, "No photo has a mask")
    assert ended(jobs.trainings.start(dark, replace(SETTINGS, masked=False))).state == DONE


def test_without_a_class_a_training_learns_what_the_photos_show(jobs: Jobs, studio: ToyStudio) -> None:
    unsaid = replace(SETTINGS, class_word="")
    job = ended(jobs.trainings.start(PHOTOS, unsaid))
    assert job.identity is not None
    assert job.identity.metadata["class"] == job.settings.class_word == "dog"
    assert studio.described == 3
    ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, class_word="cat"), replace_existing=True))
    assert studio.described == 3, "the person's word goes first"
    studio.captions = False
    with pytest.raises(ValueError, match="class is empty"):
        jobs.trainings.start(PHOTOS, replace(unsaid, name="maxly"))
    assert jobs.doing is None


def test_finding_masks_tells_how_far_it_is_and_can_be_stopped(jobs: Jobs, studio: ToyStudio) -> None:
    found, problems = jobs.trainings.find_masks(WITHOUT_MASKS, "dog")
    assert problems == []
    assert [(one.mask_source, np.array_equal(one.mask, had.mask)) for one, had in zip(found, PHOTOS, strict=True)] == [
        ("brightness", True)
    ] * 3
    assert jobs.doing is None
    studio.was_interrupted = True
    found, _ = jobs.trainings.find_masks(WITHOUT_MASKS, "dog")
    assert [one.mask for one in found] == [None] * 3


def test_a_training_tells_where_it_is(jobs: Jobs) -> None:
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    until(lambda: len(job.losses) >= 6)
    assert job.state == RUNNING
    assert job.loss is not None
    assert job.seconds_a_step is not None
    assert job.progress is not None
    assert (job.progress.stage, job.progress.total) == ("Training", 100_000)
    assert jobs.last is job
    assert jobs.get(job.id, TrainingJob) is job
    jobs.stop()
    assert job.state in (STOPPING, STOPPED)
    ended(job)


def test_steps_without_a_loss_do_not_hide_it(tmp_path: Path) -> None:
    jobs = Jobs(ToyStudio(tmp_path, LastingHost(broken=(19,))))
    job = ended(jobs.trainings.start(PHOTOS, SETTINGS))
    assert np.isnan(job.losses[-1][1])
    assert job.loss == job.losses[-2][1]


def test_previews_are_made_every_so_often_and_change_nothing_of_what_is_learned(jobs: Jobs) -> None:
    plain = ended(jobs.trainings.start(PHOTOS, SETTINGS))
    job = ended(jobs.trainings.start(PHOTOS, SETTINGS, replace_existing=True, preview_every=8))
    assert plain.preview is None
    assert job.preview is not None
    assert (job.preview.step, job.preview.prompt) == (16, "photo of rexy dog")
    assert job.preview.pixels.shape == (64, 64, 3)
    assert plain.identity is not None
    assert job.identity is not None
    assert torch.equal(plain.identity.vectors, job.identity.vectors)


def test_a_preview_that_fails_costs_no_training(jobs: Jobs, studio: ToyStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("CUDA out of memory.\nTried to allocate")

    monkeypatch.setattr(studio, "picture", fail)
    job = ended(jobs.trainings.start(PHOTOS, SETTINGS, preview_every=5))
    assert job.state == DONE
    assert job.notes == ["There are no more previews: CUDA out of memory."]


def test_old_trainings_are_forgotten(jobs: Jobs) -> None:
    one_step = replace(SETTINGS, steps=1, variants=1, validate_every=0)
    first = ended(jobs.trainings.start(PHOTOS, one_step, replace_existing=True))
    for _ in range(REMEMBERED):
        ended(jobs.trainings.start(PHOTOS, one_step, replace_existing=True))
    with pytest.raises(LookupError, match="no training"):
        jobs.get(first.id, TrainingJob)


def test_an_unfinished_training_that_is_not_there_cannot_be_resumed(jobs: Jobs) -> None:
    for name in ("unknown", "../../etc/passwd"):
        with pytest.raises(ValueError, match="There is no unfinished training|has '.' in it|has '/' in it"):
            jobs.trainings.resume(name)
