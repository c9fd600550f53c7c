"""The noise levels and times that samplers go by: those of the WebUI's (k-diffusion's) samplers."""

from itertools import pairwise

import pytest
import torch

from vcd_ext.hosts.diffusers.sampling import alphas_cumprod, noised, scheduler, started, step

KNOWN = alphas_cumprod(animated=False)
SIGMAS = ((1 - KNOWN) / KNOWN).sqrt()  # of each time


def made(sampler: str, steps: int):
    return scheduler(sampler, steps, False, "epsilon", "cpu")


def test_lcm_goes_by_the_fifty_times_that_it_was_distilled_on():
    sampler = made("lcm", 8)
    assert sampler.timesteps.tolist() == [999, 859, 719, 579, 439, 299, 159, 19]
    torch.testing.assert_close(sampler.sigmas[:-1], SIGMAS[sampler.timesteps.long()])


def test_between_them_it_takes_the_level_itself_and_the_nearest_time():
    sampler = made("lcm", 4)
    assert sampler.timesteps.tolist() == [999, 679, 339, 19]  # places 32 2/3 and 16 1/3 of 0 to 49
    torch.testing.assert_close(sampler.sigmas[1], SIGMAS[659] ** (1 / 3) * SIGMAS[679] ** (2 / 3))


def test_euler_s_levels_lie_between_those_of_whole_times_by_their_logarithm():
    sampler = made("euler", 3)
    assert sampler.timesteps.tolist() == [999, 499.5, 0]
    torch.testing.assert_close(sampler.sigmas[1], (SIGMAS[499] * SIGMAS[500]).sqrt())


def test_euler_sgm_leaves_out_the_last_of_evenly_spaced_times():
    sampler = made("euler_sgm", 4)
    assert sampler.timesteps.tolist() == [999, 749.25, 499.5, 249.75]
    torch.testing.assert_close(sampler.sigmas[2], (SIGMAS[499] * SIGMAS[500]).sqrt())
    assert made("euler_sgm", 1).timesteps.tolist() == [999]


def test_dpmpp_2m_has_karras_levels_and_times_that_are_not_rounded():
    sampler = made("dpmpp_2m", 12)
    roots = sampler.sigmas[:-1] ** (1 / 7)
    torch.testing.assert_close(roots, torch.linspace(roots[0].item(), roots[-1].item(), 12))
    torch.testing.assert_close(sampler.sigmas[[0, 11]], SIGMAS[[999, 0]])
    whole = sampler.timesteps.floor().long()[1:-1]
    low, high = SIGMAS[whole].log(), SIGMAS[whole + 1].log()
    share = sampler.timesteps[1:-1] - whole
    torch.testing.assert_close((low + share * (high - low)).exp(), sampler.sigmas[1:-2], rtol=1e-4, atol=0)
    assert (share > 0.01).any()


@pytest.mark.parametrize(("steps", "last", "count"), [(10, 901, 10), (12, 997, 13), (30, 991, 31)])
def test_ddim_s_times_are_evenly_spaced_whole_numbers_with_one_more_where_they_do_not_fit(steps, last, count):
    times = made("ddim", steps).timesteps.tolist()
    assert (times[0], times[-1], len(times)) == (last, 1, count)
    assert {before - after for before, after in pairwise(times)} == {1000 // steps}


def test_more_steps_than_ddim_s_spacing_has_times_are_refused():
    with pytest.raises(ValueError, match="ddim makes at most 999 steps; 1000 were asked for"):
        made("ddim", 1000)
    assert len(made("lcm", 60).timesteps) == 60, "of which some have the same time"


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m", "lcm", "ddim", "euler_sgm"])
def test_who_predicts_the_noise_that_was_added_gets_the_picture_back(sampler):
    picture, noise = torch.randn(2, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    sampler = made(sampler, 6)
    latents = noised(sampler, picture, noise, begin=2)
    for i in range(2, 6):
        scaled = sampler.scale_model_input(latents, sampler.timesteps[i])
        kept, added = _shares(sampler, i)
        latents = step(sampler, i, (scaled - kept * picture) / added, latents, lambda: noise)
    torch.testing.assert_close(latents, picture, rtol=0, atol=0.15)


def _shares(sampler, i: int) -> tuple[float, float]:
    """How much of the picture and of the noise the UNet sees in step i."""
    if not hasattr(sampler, "sigmas"):
        known = float(KNOWN[int(sampler.timesteps[i])])
        return known**0.5, (1 - known) ** 0.5
    sigma = float(sampler.sigmas[i])
    return (1 + sigma**2) ** -0.5, sigma * (1 + sigma**2) ** -0.5


def test_lcm_adds_noise_that_is_drawn_anew_to_the_picture_but_not_at_the_end():
    sampler, noise, drawn = made("lcm", 3), torch.randn(1, 4, 8, 8), []
    latents = started(sampler, torch.randn(1, 4, 8, 8))
    for i in range(3):
        sampler.scale_model_input(latents, sampler.timesteps[i])
        picture = latents  # where no noise is predicted
        latents = step(sampler, i, torch.zeros_like(latents), picture, lambda: drawn.append(1) or noise)
        torch.testing.assert_close(latents, picture + sampler.sigmas[i + 1] * noise, rtol=1e-4, atol=1e-4)
    assert len(drawn) == 2


def test_a_video_from_text_starts_from_noise_as_large_as_the_first_level():
    noise = torch.randn(1, 4, 8, 8)
    torch.testing.assert_close(started(made("lcm", 4), noise), SIGMAS[-1] * noise)
    share = SIGMAS[-1] / (1 + SIGMAS[-1] ** 2).sqrt()
    torch.testing.assert_close(started(made("dpmpp_2m", 4), noise), share * noise)
    assert torch.equal(started(made("ddim", 4), noise), noise)
