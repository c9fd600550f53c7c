"""Who asks for work gets trainings first, then small units before large ones, each after what it needs."""

from pathlib import Path

import pytest

from tests.batch.fake_lender import FakeLender, plan_text
from vcd_ext.batch import worker
from vcd_ext.batch.estimate import work_of
from vcd_ext.batch.plan import read_plan
from vcd_ext.batch.unit import Unit, UnitResult
from vcd_ext.batch.waiting import Waiting
from vcd_ext.batch.worker import Worker, at_whole_paths, expected, token_in


@pytest.fixture
def units(folder: Path) -> list[Unit]:
    text = plan_text(folder).read_text()
    (folder / "other.safetensors").write_bytes(b"another")
    settings = '[[videos.settings]]\nlabel = "long"\nframes = 4\n[[videos.settings]]\nlabel = "short"\nframes = 1\n'
    other = '[[videos]]\ncheckpoint = "other.safetensors"\nprompts = ["{name}"]\nseeds = [5]\nframes = 2\n'
    (folder / "plan.toml").write_text(text + settings + other)
    return read_plan(folder / "plan.toml").units


def test_trainings_come_first_then_the_loaded_checkpoint_s_small_before_large(units: list[Unit]) -> None:
    waiting = Waiting(units, work_of)
    training = waiting.take(None)
    assert training == units[0]
    assert waiting.take(None) is None, "the videos need it"
    waiting.finished(UnitResult(training.name, 1.0))
    loaded = training.work.models.checkpoint
    order = [unit.name for _ in range(5) if (unit := waiting.take(loaded))]
    sizes = ["short_seed1", "short_seed2", "long_seed1", "long_seed2"]
    assert order == [*(f"videos/rex01/photo-of-subject_{size}" for size in sizes), "videos/rex01/name_seed5"]
    assert not waiting


def test_what_needs_a_failed_unit_fails_with_it(units: list[Unit]) -> None:
    waiting = Waiting(units, work_of)
    waiting.take(None)
    results = list(waiting.finished(UnitResult(units[0].name, 1.0, "No.")))
    assert [result.error for result in results] == ["It needs identities/rex01, which failed."] * 5
    assert not waiting


def test_a_unit_that_no_worker_outlives_fails_alone(units: list[Unit]) -> None:
    waiting = Waiting(units[:1], work_of)
    assert [waiting.lost(waiting.take(None)) for _ in range(2)] == [None, None]
    assert "died, 3 times" in waiting.lost(waiting.take(None)).error
    assert not waiting


def test_a_worker_of_another_version_or_without_the_files_says_so(units: list[Unit], folder: Path, monkeypatch) -> None:
    there = Worker(FakeLender)
    with token_in(folder / "out") as token:
        wanted = expected(units, token)
        assert there.unfit(wanted) == ""
        (folder / "other.safetensors").write_bytes(b"one of another size")
        assert there.unfit(wanted).startswith(f"does not see {folder / 'other.safetensors'} as it is here")
    (folder / "other.safetensors").write_bytes(b"another")
    assert there.unfit(wanted).startswith(f"does not see {token}"), "another folder of the same name"
    monkeypatch.setattr(worker, "versions", lambda: wanted.versions | {"torch": "1.0"})
    assert there.unfit(wanted) == f"has torch 1.0, and {wanted.versions['torch']} is here; install the same there."


def test_a_worker_gets_whole_paths(units: list[Unit], folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "near").mkdir()
    relative = read_plan(Path("plan.toml")).units
    assert at_whole_paths(tuple(relative)) == tuple(read_plan(folder / "plan.toml").units)
    assert not relative[0].files[0].is_absolute()


def test_what_a_lost_worker_has_finished_is_not_done_again(units: list[Unit]) -> None:
    first, second = Worker(FakeLender), Worker(FakeLender)
    assert first.do(units[0]).error == ""
    assert second.do(units[0]) == UnitResult(units[0].name, 0.0)
