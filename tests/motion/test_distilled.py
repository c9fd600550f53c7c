"""Modules that are distilled for a few steps: what their authors run them with."""

import pytest

from vcd_ext.motion.distilled import advice, wanted


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("animatediff_lightning_1step_comfyui.safetensors", 1),
        ("animatediff_lightning_8step_diffusers.safetensors", 8),
        ("AnimateDiff-Lightning 2-steps.ckpt", 2),
        ("lightning.safetensors", 4),
    ],
)
def test_lightning_wants_as_many_steps_as_its_name_says(name: str, steps: int) -> None:
    want = wanted("Lightning", name)
    assert want is not None
    assert (want.sampler, want.schedule, want.steps, want.cfg_scale, want.lora) == (
        "Euler",
        "SGM Uniform",
        steps,
        1,
        "",
    )


def test_animatelcm_wants_lcm_few_steps_little_guidance_and_its_lora() -> None:
    said = str(wanted("AnimateLCM", "AnimateLCM_sd15_t2v.ckpt"))
    assert said == "sampler LCM, 6 steps, CFG scale 2, and <lora:AnimateLCM_sd15_t2v_lora:0.8> in the prompt"


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_others_take_what_they_get(version: str) -> None:
    assert wanted(version, "mm.ckpt") is None
    assert advice(version, "mm.ckpt", "DPM++ 2M", 20, 7.5) == ""


def test_other_settings_are_told_of_and_fitting_ones_are_not() -> None:
    name = "animatediff_lightning_4step_comfyui.safetensors"
    assert advice("Lightning", name, "Euler", 4, 1.0) == ""
    assert advice("AnimateLCM", "lcm.ckpt", "LCM", 8, 1.5) == ""
    for other in (("Euler", 20, 1.0), ("Euler", 4, 7.0), ("DDIM", 4, 1.0)):
        sentence = advice("Lightning", name, *other)
        assert sentence.startswith("animatediff_lightning_4step_comfyui is Lightning, which is made for sampler Euler")
