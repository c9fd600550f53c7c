"""A training that is stopped, killed or moved goes on as if nothing had happened."""

import multiprocessing
import random
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import pytest
import torch

from tests.identity.toy_host import PHOTOS, SETTINGS, ToyHost, photo
from vcd_ext import identity
from vcd_ext.identity.training import latent_cache, state
from vcd_ext.identity.training.learned import Identity
from vcd_ext.progress import TRAINING, Progress
from vcd_ext.settings import TrainSettings


def stopped(at: int, path: Path, settings: TrainSettings = SETTINGS) -> Identity:
    """Interrupt a training after step `at`."""
    told: list[Progress] = []
    return identity.train(
        ToyHost(), PHOTOS, settings, told.append, state=path, interrupted=lambda: reached(told[-1], at)
    )


def reached(progress: Progress, step: int) -> bool:
    return progress.stage == TRAINING and progress.step == step


def same(one: Identity, other: Identity) -> bool:
    return (
        torch.equal(one.vectors, other.vectors)
        and (one.losses, one.validation, one.best_step) == (other.losses, other.validation, other.best_step)
        and one.metadata == other.metadata
    )


@pytest.mark.parametrize("options", [{}, {"ema": 0.9}, {"schedule": "mixed", "seed": -1}])
@pytest.mark.parametrize("at", [1, 7, 16, 20])
def test_stopped_and_gone_on_with_is_the_same_to_the_bit(at: int, options: dict, tmp_path: Path):
    settings = replace(SETTINGS, **options)
    first = stopped(at, tmp_path / "state", settings)
    assert first.steps == at
    resumed = identity.train(ToyHost(), PHOTOS, settings, state=tmp_path / "state")
    seeded = replace(settings, seed=int(resumed.metadata["seed"]))
    assert same(resumed, identity.train(ToyHost(), PHOTOS, seeded))


def test_stopped_at_step_60_of_200_it_is_the_same_too(tmp_path: Path):
    settings = replace(SETTINGS, steps=200, validate_every=25, save_every=25)
    assert stopped(60, tmp_path / "state", settings).steps == 60
    resumed = identity.train(ToyHost(), PHOTOS, settings, state=tmp_path / "state")
    assert same(resumed, identity.train(ToyHost(), PHOTOS, settings))


def test_photos_are_not_encoded_again(tmp_path: Path):
    stopped(3, tmp_path / "state")
    host = ToyHost()
    identity.train(host, PHOTOS, SETTINGS, state=tmp_path / "state")
    assert host.encoded == 0
    (tmp_path / "state.bank").write_bytes(b"damaged")
    (tmp_path / "state").unlink()
    identity.train(host := ToyHost(), PHOTOS, SETTINGS, state=tmp_path / "state")
    assert host.encoded == 6, "a bank that cannot be read is made again"


def test_a_finished_training_can_be_made_longer(tmp_path: Path):
    identity.train(ToyHost(), PHOTOS, SETTINGS, state=tmp_path / "state")
    longer = replace(SETTINGS, steps=30)
    assert same(
        identity.train(ToyHost(), PHOTOS, longer, state=tmp_path / "state"), identity.train(ToyHost(), PHOTOS, longer)
    )


def test_skipped_steps_and_the_scale_are_gone_on_with(tmp_path: Path):
    told: list[Progress] = []
    until = {"state": tmp_path / "state", "interrupted": lambda: reached(told[-1], 6)}
    whole = replace(SETTINGS, micro_batch=4)
    identity.train(ToyHost(broken=(2,), dtype=torch.float16), PHOTOS, whole, told.append, **until)
    resumed = identity.train(ToyHost(dtype=torch.float16), PHOTOS, whole, state=tmp_path / "state")
    unbroken = identity.train(ToyHost(broken=(2,), dtype=torch.float16), PHOTOS, whole)
    assert resumed.skipped == unbroken.skipped > 0
    assert torch.equal(resumed.vectors, unbroken.vectors)


OTHERS = {
    "settings": (PHOTOS, {"learning_rate": 0.05, "batch": 2}, "0123456789", "differs in learning_rate, batch"),
    "seed": (PHOTOS, {"seed": 9}, "0123456789", "differs in seed"),
    "photos": (PHOTOS[:2], {}, "0123456789", "differs in photos"),
    "mask": ([*PHOTOS[:2], replace(PHOTOS[2], mask=None)], {}, "0123456789", "differs in photos"),
    "checkpoint": (PHOTOS, {}, "another", "differs in checkpoint"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_training_does_not_go_on_from_it(case: str, tmp_path: Path):
    photos, options, hash, reason = OTHERS[case]
    path = tmp_path / "state"
    stopped(4, path)
    before = path.read_bytes()
    host = ToyHost()
    host.checkpoint_hash = hash
    with pytest.raises(ValueError, match=rf"{reason}\. .*delete it"):
        identity.train(host, photos, replace(SETTINGS, **options), state=path)
    assert path.read_bytes() == before
    assert host.encoded == 0


def test_a_training_without_a_step_is_not_worth_keeping(tmp_path: Path):
    stopped(0, tmp_path / "state")
    assert identity.train(ToyHost(), PHOTOS, replace(SETTINGS, batch=2), state=tmp_path / "state").finished


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 100, b"\xff" * 100])
def test_a_file_that_is_no_state_is_refused_and_kept(content: bytes, tmp_path: Path):
    path = tmp_path / "state"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="state is damaged.*Delete it"):
        identity.train(ToyHost(), PHOTOS, SETTINGS, state=path)
    assert path.read_bytes() == content


def test_another_file_of_tensors_is_refused(tmp_path: Path):
    path = identity.save_embedding(tmp_path / "rexy.safetensors", torch.ones(1, 8))
    with pytest.raises(ValueError, match="not the state of a training"):
        identity.train(ToyHost(), PHOTOS, SETTINGS, state=path)


def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path: Path):
    (tmp_path / "file").write_text("")
    host = ToyHost()
    with pytest.raises(OSError, match="part of its path is a file"):
        identity.train(host, PHOTOS, SETTINGS, state=tmp_path / "file" / "state")
    assert host.encoded == 0
    assert not host.within


def test_a_full_disk_keeps_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "state"
    write = state.record.write

    def full(where: Path, tensors: dict, description: dict) -> None:
        if len(tensors.get("losses", ())) > 8:
            raise OSError(28, "No space left on device")
        write(where, tensors, description)

    monkeypatch.setattr(state.record, "write", full)
    with pytest.raises(OSError, match="No space"):
        identity.train(ToyHost(), PHOTOS, SETTINGS, state=path)
    monkeypatch.undo()
    host = ToyHost()
    assert same(identity.train(host, PHOTOS, SETTINGS, state=path), identity.train(ToyHost(), PHOTOS, SETTINGS))
    assert host.steps == 12 * 4, "it went on from step 8, photo by photo"


LONG = replace(SETTINGS, steps=5000, validate_every=50, save_every=5)


def started(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a process that does some work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.identity.toy_host", "vcd_ext.identity"])
    process = context.Process(target=work, args=arguments)
    process.start()
    return process


def _train_on(path: Path, last: "RawValue") -> None:
    torch.set_num_threads(1)

    def tell(progress: Progress) -> None:
        last.value = progress.step if progress.loss is not None else last.value

    identity.train(ToyHost(), PHOTOS, LONG, tell, state=path)


def test_killed_at_ten_moments_it_loses_no_more_than_the_steps_since_the_last_save(tmp_path: Path):
    path, last, moments = tmp_path / "state", RawValue("i", 0), random.Random(1)
    kept = None
    for kill in range(10):
        begun = last.value
        process = started(_train_on, path, last)
        while kill % 2 and last.value == begun and process.is_alive():  # the others may die before their first step
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.3))
        process.kill()
        process.join()
        if path.exists() or kill % 2:
            kept = state.load(path, state.fingerprint_of(path))
            assert kept.step >= last.value - LONG.save_every
        if kept and kept.step:
            assert latent_cache.load(tmp_path / "state.bank", state.fingerprint_of(path)) is not None
        assert {file.suffix for file in tmp_path.iterdir()} <= {"", ".bank", ".part"}
    assert kept is not None
    assert kept.step < LONG.steps, "it was killed, and did not end"
    shorter = replace(LONG, steps=kept.step + 7)
    resumed = identity.train(ToyHost(), PHOTOS, shorter, state=path)
    assert torch.equal(torch.tensor(resumed.losses), torch.tensor(identity.train(ToyHost(), PHOTOS, shorter).losses))


def _save_on(path: Path, saved: "RawValue") -> None:
    torch.set_num_threads(1)
    while True:
        identity.save_embedding(path, torch.full((4, 768), float(saved.value + 1)), {"steps": str(saved.value + 1)})
        saved.value += 1


def test_an_embedding_whose_saving_is_killed_at_ten_moments_is_the_new_one_or_the_one_before(tmp_path: Path):
    path, saved, moments = tmp_path / "rexy.safetensors", RawValue("i", 0), random.Random(2)
    for _ in range(10):
        begun = saved.value
        process = started(_save_on, path, saved)
        while saved.value == begun and process.is_alive():
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.02))
        process.kill()
        process.join()
        vectors = identity.load_embedding(path)
        assert vectors.shape == (4, 768)
        assert (vectors == vectors[0, 0]).all()
        assert vectors[0, 0] - saved.value in (0, 1)
        assert {file.suffix for file in tmp_path.iterdir()} <= {".safetensors", ".part"}


def test_photos_that_show_something_else_make_another_key():
    assert len({identity_fingerprint([photo(0, subject=s)]) for s in (10, 20, 20)}) == 2


def identity_fingerprint(photos: list) -> str:
    from vcd_ext.identity.training.fingerprint import run_fingerprint

    return run_fingerprint(ToyHost(), photos, SETTINGS)
