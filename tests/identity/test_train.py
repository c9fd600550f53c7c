"""Training of an identity on a toy model: what is learned, what is told, and what is refused."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.identity.toy_host import PHOTOS, SETTINGS, ToyHost, photo
from vcd_ext import identity
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training import latent_cache
from vcd_ext.identity.training.learned import Identity
from vcd_ext.progress import ENCODING, TRAINING, Progress
from vcd_ext.settings import SettingError

EMPTY = np.zeros((64, 64), np.uint8)


def trained(photos=PHOTOS, host=None, **settings) -> Identity:
    return identity.train(host or ToyHost(), photos, replace(SETTINGS, **settings))


def test_the_loss_falls():
    result = trained(steps=200, learning_rate=0.05, validate_every=50)
    losses = [loss for _, loss in result.validation]
    assert losses[-1] < losses[0] / 10
    assert result.finished
    assert result.steps == len(result.losses) == 200


def test_vectors_start_at_the_class_and_by_turns_at_chosen_words():
    host = ToyHost()
    a, b = host.vectors_of("small puppy")
    still = trained(steps=1, learning_rate=1e-6, tokens=3, init_words="small puppy").vectors
    assert torch.allclose(still, torch.stack([a, b, a]), atol=1e-5)
    assert torch.allclose(trained(steps=1, learning_rate=1e-6).vectors, host.vectors_of("dog"), atol=1e-5)


def test_what_is_outside_the_mask_is_not_learned():
    elsewhere = [photo(i, background=255 - 40 * i) for i in range(3)]
    # Not to the bit: the photos were resampled, if only to their own size.
    assert torch.allclose(trained(PHOTOS).vectors, trained(elsewhere).vectors, rtol=0, atol=1e-6)
    assert not torch.allclose(
        trained(PHOTOS, masked=False).vectors, trained(elsewhere, masked=False).vectors, atol=1e-2
    )


def test_what_is_inside_the_mask_is_learned():
    other = [photo(i, subject=100) for i in range(3)]
    assert not torch.equal(trained(PHOTOS).vectors, trained(other).vectors)


def test_the_same_seed_learns_the_same_and_another_another():
    assert torch.equal(trained().vectors, trained().vectors)
    assert not torch.equal(trained().vectors, trained(seed=4).vectors)


def test_minus_one_draws_a_seed_that_the_metadata_tells():
    first = trained(seed=-1)
    assert torch.equal(first.vectors, trained(seed=int(first.metadata["seed"])).vectors)
    assert first.metadata["seed"] != trained(seed=-1).metadata["seed"]


def test_micro_batches_learn_the_same():
    whole, parts = ToyHost(), ToyHost()
    one, other = trained(host=whole, micro_batch=4).vectors, trained(host=parts, micro_batch=3).vectors
    assert set(whole.calls) == {4}
    assert parts.calls[:4] == [3, 1, 3, 1]
    assert torch.allclose(one, other, atol=1e-5)


def test_the_file_says_what_was_learned_and_from_what():
    metadata = trained().metadata
    expected = {
        "class": "dog", "tokens": "4", "steps": "20", "seed": "3", "schedule": "animatediff", "photos": "3",
        "mask_source": "file", "checkpoint": "toy.safetensors", "checkpoint_hash": "0123456789",
    }  # fmt: skip
    assert expected.items() <= metadata.items()
    assert {"best_step", "version"} <= metadata.keys()
    assert trained(masked=False).metadata["mask_source"] == ""


@pytest.mark.parametrize("schedule", ["animatediff", "checkpoint", "mixed"])
def test_each_schedule_learns_something_of_its_own(schedule):
    others = {"animatediff", "checkpoint", "mixed"} - {schedule}
    assert not any(torch.equal(trained(schedule=schedule).vectors, trained(schedule=s).vectors) for s in others)


def test_the_vectors_of_the_best_validation_are_kept():
    result = trained(learning_rate=0.1, steps=40, validate_every=2)
    losses = dict(result.validation)
    assert list(losses) == list(range(0, 41, 2))
    best = min(list(losses)[1:], key=losses.__getitem__)
    assert result.best_step == best < 40, "the test should see a best that is not the last"
    assert torch.equal(result.vectors, trained(learning_rate=0.1, steps=best, validate_every=0).vectors)


def test_the_last_step_is_validated_and_without_validation_kept():
    assert [step for step, _ in trained(steps=7).validation] == [0, 5, 7]
    last = trained(steps=7, validate_every=0)
    assert last.validation == ()
    assert last.best_step == 7


def test_an_early_stop_ends_when_nothing_gets_better():
    result = trained(steps=1000, learning_rate=0.1, validate_every=10, early_stop=True)
    assert result.steps < 1000
    assert result.finished
    assert result.steps == result.best_step + 30


def test_an_average_over_the_steps_is_calmer_than_the_last():
    last, average = (trained(steps=4, validate_every=0, ema=ema).vectors for ema in (0.0, 0.9))
    start = ToyHost().vectors_of("dog")
    assert not torch.equal(last, average)
    assert (average - start).norm() < (last - start).norm()


def test_progress_tells_stage_step_loss_and_time_left():
    told: list[Progress] = []
    identity.train(ToyHost(), PHOTOS, SETTINGS, told.append)
    encoding = [progress.step for progress in told if progress.stage == ENCODING]
    training = [progress for progress in told if progress.stage == TRAINING]
    assert encoding == list(range(7))
    assert [progress.step for progress in training] == list(range(21))
    assert {progress.total for progress in training} == {20}
    assert training[0].loss is None
    assert all(progress.loss > 0 and progress.seconds_left >= 0 for progress in training[1:])
    assert training[-1].seconds_left == 0
    assert training[4].validation == training[0].validation != training[5].validation
    assert not torch.equal(training[0].vectors, training[1].vectors)


def test_interruption_returns_what_was_learned_so_far():
    told: list[Progress] = []
    result = identity.train(ToyHost(), PHOTOS, SETTINGS, told.append, interrupted=lambda: told[-1].step == 7)
    assert (result.steps, result.finished) == (7, False)
    assert torch.equal(result.vectors, trained(steps=5).vectors), "the best until then is that of step 5"


def test_interruption_while_photos_are_encoded():
    host = ToyHost()
    result = identity.train(host, PHOTOS, SETTINGS, interrupted=lambda: host.encoded == 2)
    assert (result.steps, result.finished, host.encoded) == (0, False, 2)
    assert not host.within


def test_photos_are_encoded_once_and_many_have_fewer_variants(monkeypatch):
    host, many = ToyHost(), ToyHost()
    trained(host=host)
    assert host.encoded == 3 * 2
    assert host.encoder_freed
    monkeypatch.setattr(latent_cache, "MOST", 10)
    trained(host=many, variants=16)
    assert many.encoded == 3 * 3


def test_two_hundred_photos_train_with_fewer_variants_of_each():
    host = ToyHost()
    result = trained([photo(i, subject=55 + i) for i in range(200)], host, variants=16, steps=2)
    assert result.finished
    assert host.encoded == 200 * 5


def test_one_photo_trains_with_a_warning():
    result = trained(PHOTOS[:1])
    assert result.finished
    assert "only one photo" in result.warnings[0]
    assert not any("only one photo" in warning for warning in trained().warnings)


def test_no_photos_are_refused():
    with pytest.raises(ValueError, match="no photos"):
        trained([])


def test_empty_masks_are_left_out_and_never_give_nan():
    blind = replace(PHOTOS[0], name="blind.png", mask=EMPTY)
    result = trained([*PHOTOS, blind])
    assert result.warnings == ("Left out, because the mask is empty: blind.png.",)
    assert torch.equal(result.vectors, trained(PHOTOS).vectors)
    with pytest.raises(ValueError, match="masks of all photos are empty"):
        trained([blind, blind])
    assert trained([blind], masked=False).vectors.isfinite().all()


def test_a_mask_too_thin_for_a_latent_never_gives_nan():
    thin = EMPTY.copy()
    thin[5, 5] = 1
    result = trained([replace(PHOTOS[0], mask=thin)])
    assert result.vectors.isfinite().all()
    assert all(math.isfinite(loss) for loss in result.losses)


def test_a_photo_without_a_mask_is_learned_as_a_whole():
    whole = [Photo("a.png", PHOTOS[0].pixels, None, ""), Photo("b.png", PHOTOS[1].pixels, None, "")]
    assert not torch.equal(trained(whole).vectors, trained(PHOTOS[:2]).vectors)


def test_steps_without_a_number_are_skipped_and_counted():
    result = trained(host=ToyHost(broken=(2, 3)), micro_batch=4)
    assert result.skipped == 2
    assert result.warnings == ("2 steps were skipped, because their loss was not a number.",)
    assert [math.isnan(loss) for loss in result.losses[:5]] == [False, False, True, True, False]
    assert result.vectors.isfinite().all()


def test_ten_steps_without_a_number_end_the_training_with_advice():
    host = ToyHost(broken=tuple(range(1, 11)))
    with pytest.raises(ValueError, match="not a number in 10 steps; compute in float32"):
        trained(host=host, micro_batch=4)
    assert host.steps == 11
    assert not host.within


def test_half_precision_learns_nearly_the_same():
    half, whole = ToyHost(dtype=torch.float16), ToyHost()
    for host in (half, whole):
        host.weights /= 8
    result = trained(host=half)
    assert result.skipped == 0
    assert torch.allclose(result.vectors, trained(host=whole).vectors, atol=0.005)


def test_a_gradient_too_large_for_half_precision_lowers_the_scale_until_it_fits():
    loud = ToyHost(dtype=torch.float16)
    loud.weights *= 2
    result = trained(host=loud)
    assert 0 < result.skipped < 10
    assert math.isnan(result.losses[0])
    assert math.isfinite(result.losses[-1])


def test_a_vae_that_makes_nan_is_refused_by_the_photos_name():
    host = ToyHost()
    host.to_latent *= torch.nan
    with pytest.raises(ValueError, match=r"NaN of 0\.png.*--no-half-vae"):
        trained(host=host)


def test_too_little_memory_computes_in_smaller_parts_and_then_says_so():
    class Small(ToyHost):
        holds = 1

        def free_memory(self) -> int:
            return 2**40

        def predict(self, latents, times, text):
            if torch.is_grad_enabled() and len(latents) > self.holds:
                raise RuntimeError("MPS backend out of memory (MPS allocated: 8.2 GB)")
            return super().predict(latents, times, text)

    host = Small()
    assert trained(host=host).finished
    assert set(host.calls) == {1}
    host.holds = 0
    host.encoder_freed = False
    with pytest.raises(ValueError, match="memory is too small for training at 64x64"):
        trained(host=host)


REFUSED = {
    "no name": ({"name": ""}, "name is empty"),
    "path": ({"name": "../rexy"}, "has '.' in it"),
    "common word": ({"name": "dog", "class_word": "pet"}, "dog is a common word"),
    "name in the class": ({"class_word": "Rexy toy"}, "also in the class"),
    "five words": ({"class_word": "my very own little dog"}, "class has 5 words"),
    "no class": ({"class_word": "  "}, "class is empty"),
    "odd size": ({"size": 100}, "size is 100; it must be a multiple of 8, best 128"),
    "no steps": ({"steps": 0}, "steps is 0"),
    "many tokens": ({"tokens": 17}, "tokens is 17"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_settings_that_cannot_work_are_refused_before_anything_is_computed(case: str, tmp_path: Path):
    settings, reason = REFUSED[case]
    host = ToyHost()
    with pytest.raises(SettingError, match=reason) as refusal:
        identity.train(host, PHOTOS, replace(SETTINGS, **settings), state=tmp_path / "state")
    assert refusal.value.key in settings
    assert host.encoded == 0
    assert not list(tmp_path.iterdir())
