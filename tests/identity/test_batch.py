"""What a step works on depends on seed, step and sample, and on nothing that was drawn before."""

from collections import Counter
from dataclasses import replace

import torch

from tests.identity.toy_host import SETTINGS
from vcd_ext.identity.training.batch import NoiseSchedules, training_batch, validation_batch
from vcd_ext.identity.training.latent_cache import LatentCache
from vcd_ext.identity.training.schedule import animatediff

SCHEDULES = NoiseSchedules((animatediff(),), "epsilon")


def cache(photos: int, variants: int = 2) -> LatentCache:
    """Entry i has a mask whose values are i."""
    count = photos * variants
    draw = torch.Generator().manual_seed(1)
    mean = torch.randn(count, 4, 8, 8, generator=draw).half()
    mask = torch.arange(count).float()[:, None, None].expand(count, 8, 8)
    return LatentCache(mean, torch.full_like(mean, 0.1), mask, (("", "far away ") * count)[:count], photos)


def photos_of(steps: range, photos: int, batch: int = 4) -> list[int]:
    made, settings = cache(photos), replace(SETTINGS, batch=batch)
    return [int(mask[0, 0]) // 2 for step in steps for mask in training_batch(made, settings, SCHEDULES, step).mask]


def test_a_step_is_drawn_the_same_alone_and_after_others():
    made = cache(3)
    one = [training_batch(made, SETTINGS, SCHEDULES, step) for step in range(3)][2]
    other = training_batch(made, SETTINGS, SCHEDULES, 2)
    assert all(torch.equal(a, b) for a, b in zip(one[:4], other[:4], strict=True))
    assert one.captions == other.captions


def test_another_step_sample_or_seed_draws_something_else():
    made = cache(1, variants=1)
    first, second = (training_batch(made, SETTINGS, SCHEDULES, step) for step in (0, 1))
    other = training_batch(made, replace(SETTINGS, seed=9), SCHEDULES, 0)
    drawn = [*first.target, *second.target, *other.target]
    assert len({tuple(noise.flatten().tolist()) for noise in drawn}) == 12


def test_every_photo_comes_once_before_one_comes_again():
    assert all(sorted(photos_of(range(6), 8)[i : i + 8]) == list(range(8)) for i in (0, 8, 16))


def test_fewer_photos_than_the_batch_repeat():
    assert Counter(photos_of(range(3), 2)) == {0: 6, 1: 6}
    assert Counter(photos_of(range(1), 1)) == {0: 4}


def test_captions_have_the_variants_prefix_name_and_class():
    made = training_batch(cache(3), SETTINGS, SCHEDULES, 0)
    expected = {0: "photo of rexy dog", 1: "far away photo of rexy dog"}
    assert [expected[int(mask[0, 0]) % 2] for mask in made.mask] == list(made.captions)


def test_the_noise_offset_shifts_whole_channels():
    shifted, plain = (
        training_batch(cache(3), replace(SETTINGS, noise_offset=offset), SCHEDULES, 0) for offset in (0.5, 0.0)
    )
    shift = shifted.target - plain.target
    assert torch.allclose(shift, shift[:, :, :1, :1].expand_as(shift), atol=1e-6)
    assert shift.std() > 0.1


def test_noise_is_standard_normal_and_times_are_uniform():
    made = training_batch(cache(3), replace(SETTINGS, batch=64, noise_offset=0.0), SCHEDULES, 0)
    assert abs(made.target.mean()) < 0.05
    assert abs(made.target.std() - 1) < 0.05
    assert made.times.min() < 100
    assert made.times.max() > 900


def test_noisy_latents_are_of_the_bank_at_the_time_that_is_told():
    made, entries = cache(3), 0
    drawn = training_batch(made, SETTINGS, SCHEDULES, 0)
    for noisy, time, noise, mask in zip(*drawn[:4], strict=True):
        level = animatediff()[time]
        latent = (noisy - (1 - level).sqrt() * noise) / level.sqrt()
        away = (latent - made.mean[int(mask[0, 0])].float()) / 0.1
        if level > 0.1:
            entries += 1
            assert 0.8 < away.std() < 1.2, "a sample of the posterior"
    assert entries > 0


def test_mixed_uses_both_schedules():
    both = NoiseSchedules((torch.ones(1000), torch.zeros(1000)), "epsilon")
    drawn = training_batch(cache(3), replace(SETTINGS, batch=16), both, 0)
    pure_noise = [torch.allclose(noisy, noise) for noisy, noise in zip(drawn.noisy, drawn.target, strict=True)]
    assert 2 < sum(pure_noise) < 14


def test_the_validation_is_always_the_same_and_spread_over_photos_and_noise_levels():
    one, other = (validation_batch(cache(3), SETTINGS, SCHEDULES) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one[:4], other[:4], strict=True))
    assert one.times.tolist() == [62, 187, 312, 437, 562, 687, 812, 937]
    assert {int(mask[0, 0]) // 2 for mask in one.mask} == {0, 1, 2}
    assert not torch.equal(one.target[0], validation_batch(cache(3), replace(SETTINGS, seed=8), SCHEDULES).target[0])
