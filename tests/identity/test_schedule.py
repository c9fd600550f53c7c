"""Forward noising and its targets."""

import pytest
import torch
from diffusers import DDPMScheduler

from vcd_ext.identity.training.schedule import add_noise, animatediff, prediction_target

LATENTS, NOISE = torch.randn(2, 3, 4, 5, 5, generator=torch.Generator().manual_seed(1))
TIMES = torch.tensor([0, 500, 999])


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_it_is_that_of_diffusers_with_animatediffs_betas(prediction_type):
    theirs = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="linear")
    assert torch.allclose(animatediff(), theirs.alphas_cumprod, rtol=1e-4)
    level = animatediff()[TIMES]
    assert torch.allclose(add_noise(LATENTS, NOISE, level), theirs.add_noise(LATENTS, NOISE, TIMES), atol=1e-4)
    expected = NOISE if prediction_type == "epsilon" else theirs.get_velocity(LATENTS, NOISE, TIMES)
    assert torch.allclose(prediction_target(LATENTS, NOISE, level, prediction_type), expected, atol=1e-4)
