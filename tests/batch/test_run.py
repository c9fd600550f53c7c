"""A plan that is run: what is there is kept, what is missing or changed is made, nothing finished is lost."""

import errno
from pathlib import Path

import pytest

from tests.batch.fake_lender import FakeLender, plan_text
from vcd_ext import media
from vcd_ext.batch.estimate import forecast, read_log
from vcd_ext.batch.plan import read_plan
from vcd_ext.batch.run import Summary, in_process, pending_units, run_units
from vcd_ext.batch.unit import VideoWork
from vcd_ext.batch.work import DIGEST
from vcd_ext.progress import Callbacks, Progress


def carried_out(plan: Path, lender: FakeLender, interrupted=lambda: False, told: list[Progress] | None = None):
    made = read_plan(plan)
    callbacks = Callbacks((told if told is not None else []).append, lambda _: None, interrupted)
    return run_units(made.units, made.out, in_process(lender), callbacks)


def made(summary: Summary) -> list[str]:
    return [unit.name for unit in summary.made]


def test_everything_is_made_and_a_second_run_makes_nothing(folder: Path) -> None:
    plan = plan_text(folder)
    assert len(made(carried_out(plan, FakeLender()))) == 3
    assert (folder / "plan/identities/rex01.safetensors").is_file()
    assert media.read(folder / "plan/videos/rex01/photo-of-subject_seed2.gif").frames.shape == (2, 64, 64, 3)
    again = FakeLender()
    summary = carried_out(plan, again)
    assert (made(summary), len(summary.kept), again.generated) == ([], 3, [])


def test_only_what_is_missing_or_changed_is_made_again(folder: Path) -> None:
    carried_out(plan_text(folder), FakeLender())
    assert made(carried_out(plan_text(folder, "[1, 2, 3]"), FakeLender())) == ["videos/rex01/photo-of-subject_seed3"]
    (folder / "plan/videos/rex01/photo-of-subject_seed1.gif").unlink()
    assert made(carried_out(plan_text(folder), FakeLender())) == ["videos/rex01/photo-of-subject_seed1"]
    assert len(made(carried_out(plan_text(folder, gamma=0.2), FakeLender()))) == 2, "the identity is kept"
    assert len(made(carried_out(plan_text(folder, gamma=0.2, steps=3), FakeLender()))) == 3


def with_frames(plan: Path) -> Path:
    plan.write_text(plan.read_text().replace('formats = ["gif"]', 'formats = ["png"]'))
    return plan


def test_frames_of_other_settings_are_replaced_and_stay_where_that_fails(folder: Path, monkeypatch) -> None:
    carried_out(with_frames(plan_text(folder, "[1]")), FakeLender())
    frames = folder / "plan/videos/rex01/photo-of-subject_seed1"
    before = media.read_metadata(frames)

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EACCES, "writing is not permitted there")

    with monkeypatch.context() as patch:
        patch.setattr("vcd_ext.batch.work.save", fails)
        assert carried_out(with_frames(plan_text(folder, "[1]", gamma=0.2)), FakeLender()).failed
    assert media.read_metadata(frames) == before
    assert len(made(carried_out(with_frames(plan_text(folder, "[1]", gamma=0.2)), FakeLender()))) == 1
    assert media.read_metadata(frames)[DIGEST] != before[DIGEST]
    assert sorted(path.name for path in frames.parent.iterdir()) == [frames.name]


def test_a_folder_that_is_somebody_s_own_is_left_alone(folder: Path) -> None:
    own = folder / "plan/videos/rex01/photo-of-subject_seed1"
    own.mkdir(parents=True)
    (own / "letter.txt").write_text("mine")
    summary = carried_out(with_frames(plan_text(folder, "[1]")), FakeLender())
    assert "no batch has made" in next(iter(summary.failed.values()))
    assert (own / "letter.txt").read_text() == "mine"


def test_a_damaged_file_is_made_again(folder: Path) -> None:
    carried_out(plan_text(folder), FakeLender())
    file = folder / "plan/videos/rex01/photo-of-subject_seed1.gif"
    file.write_bytes(file.read_bytes()[:40])
    assert made(carried_out(plan_text(folder), FakeLender())) == ["videos/rex01/photo-of-subject_seed1"]


def test_a_file_says_what_it_is_made_of(folder: Path) -> None:
    carried_out(plan_text(folder), FakeLender())
    digests = {unit.files[0].name: unit.digest for unit in read_plan(folder / "plan.toml").units}
    file = folder / "plan/videos/rex01/photo-of-subject_seed1.gif"
    assert media.read_metadata(file)[DIGEST] == digests[file.name]


def test_an_interrupted_plan_keeps_what_is_finished_and_goes_on(folder: Path) -> None:
    lender = FakeLender()
    first = carried_out(plan_text(folder), lender, lambda: len(lender.generated) == 1)
    assert (len(first.made), len(first.left)) == (2, 1)
    assert made(carried_out(plan_text(folder), FakeLender())) == ["videos/rex01/photo-of-subject_seed2"]


def test_an_interrupted_training_goes_on_where_it_was(folder: Path) -> None:
    asked: list[int] = []
    summary = carried_out(plan_text(folder), FakeLender(), lambda: bool(asked.append(1)) or len(asked) > 4)
    assert summary.made == []
    states = [path.name for path in (folder / "plan/identities").iterdir()]
    assert any(name.endswith(".training") for name in states)
    assert len(made(carried_out(plan_text(folder), FakeLender()))) == 3
    assert [path.name for path in (folder / "plan/identities").iterdir()] == ["rex01.safetensors"]


def test_what_fails_is_told_and_the_others_are_made(folder: Path) -> None:
    def fail(work: VideoWork) -> None:
        if work.picture.seed == 1:
            raise ValueError("tiny made NaN instead of pictures.")

    summary = carried_out(plan_text(folder), FakeLender(fail))
    assert summary.failed == {"videos/rex01/photo-of-subject_seed1": "tiny made NaN instead of pictures."}
    assert len(made(summary)) == 2


def test_videos_of_an_identity_that_failed_are_not_made_of_an_older_one(folder: Path) -> None:
    carried_out(plan_text(folder), FakeLender())
    plan = read_plan(plan_text(folder, steps=3))
    lender = FakeLender()
    lender.trainer = lambda _: (_ for _ in ()).throw(ValueError("No."))  # type: ignore[method-assign, assignment]
    summary = run_units(
        plan.units, plan.out, in_process(lender), Callbacks(lambda _: None, lambda _: None, lambda: False)
    )
    assert len(summary.failed) == 3
    assert lender.generated == []
    assert "needs identities/rex01, which failed" in summary.failed["videos/rex01/photo-of-subject_seed1"]


def test_a_full_disk_ends_the_run_and_keeps_what_is_finished(folder: Path) -> None:
    def full(work: VideoWork) -> None:
        if work.picture.seed == 2:
            raise OSError(errno.ENOSPC, "the disk is full")

    with pytest.raises(OSError, match="full"):
        carried_out(plan_text(folder), FakeLender(full))
    assert len(pending_units(read_plan(folder / "plan.toml").units)) == 1


def test_progress_is_told_in_seconds_of_the_whole_and_ends_there(folder: Path) -> None:
    told: list[Progress] = []
    carried_out(plan_text(folder), FakeLender(), told=told)
    assert [progress.step for progress in told] == sorted(progress.step for progress in told)
    assert told[-1].step == told[-1].total
    assert told[-1].stage == "3 of 3: videos/rex01/photo-of-subject_seed2"


def test_the_next_estimate_rests_on_what_was_measured(folder: Path) -> None:
    plan = read_plan(plan_text(folder))
    assert not forecast(plan.units, plan.out)[2]
    carried_out(folder / "plan.toml", FakeLender())
    seconds, room, measured = forecast(plan.units, plan.out)
    took = sum(line["seconds"] for line in read_log(plan.out))
    assert measured
    assert seconds == pytest.approx(took, rel=0.5)
    assert room > 0
