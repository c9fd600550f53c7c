"""Every way in which the WebUI cuts a batch into UNet calls gives each video its own temporal attention."""

import numpy as np
import pytest

from tests.webui.server import Server
from tests.webui.test_video import lsb

MOTION = {"motion_module": "mm_v2", "frames": 4, "gamma": 0.0}
LONG = "a photo of a cat, " + ", ".join(["fur"] * 60)  # two chunks of 75 tokens


def test_and_prompts_that_say_the_same_are_the_single_prompt(server: Server) -> None:
    single = server.generate(MOTION, prompt="a photo of a cat")
    double = server.generate(MOTION, prompt="a photo of a cat :0.5 AND a photo of a cat :0.5")
    assert lsb(single.frames, double.frames) <= 1
    triple = server.generate(MOTION, prompt=" AND ".join(["a photo of a cat :0.25"] * 2 + ["a photo of a cat :0.5"]))
    assert lsb(single.frames, triple.frames) <= 1


@pytest.mark.parametrize("sampler", ["Euler", "DDIM"])
@pytest.mark.parametrize(
    ("prompt", "negative"),
    [
        ("a cat", "blurry"),
        ("a cat AND a dog on a beach", "blurry"),
        ("a cat AND a dog AND a horse", "blurry"),
        (LONG, "blurry"),
        (f"{LONG} AND {LONG}, asleep AND {LONG}, awake", "blurry"),
    ],
    ids=["one prompt", "two joined", "three joined", "unequal lengths", "three joined, unequal lengths"],
)
def test_cond_and_uncond_together_or_apart_make_the_same_video(
    server: Server, prompt: str, negative: str, sampler: str
) -> None:
    ask = {"prompt": prompt, "negative_prompt": negative, "sampler_name": sampler}
    together = server.generate(MOTION, **ask)
    apart = server.generate(MOTION, options={"batch_cond_uncond": False}, **ask)
    assert lsb(together.frames, apart.frames) <= 1
    plain = server.generate({**MOTION, "motion_module": "none"}, **ask)
    assert lsb(together.frames, plain.frames) > 10, "the motion module must have had an effect"


@pytest.mark.parametrize("prompt", ["a cat", "a cat AND a dog"])
def test_steps_that_skip_uncond_keep_videos_whole(server: Server, prompt: str) -> None:
    settings = {"skip_early_cond": 0.5}  # the first steps run without uncond
    ask = {"prompt": prompt, "steps": 4}
    together = server.generate(MOTION, options=settings, **ask)
    apart = server.generate(MOTION, options=settings | {"batch_cond_uncond": False}, **ask)
    assert lsb(together.frames, apart.frames) <= 1
    without = server.generate(MOTION, **ask)
    assert lsb(together.frames, without.frames) > 0, "skipping must have happened"


def test_skipped_uncond_of_joined_prompts_that_say_the_same_is_the_single_prompt(server: Server) -> None:
    settings = {"skip_early_cond": 0.5}
    # Weights that add up to 1 would cancel what the WebUI puts in the place of uncond.
    single = server.generate(MOTION, prompt="a photo of a cat :1.5", options=settings, steps=4)
    both = "a photo of a cat :0.75 AND a photo of a cat :0.75"
    double = server.generate(MOTION, prompt=both, options=settings, steps=4)
    assert lsb(single.frames, double.frames) <= 1


def test_padded_prompts_work_as_well(server: Server) -> None:
    padded = server.generate(MOTION, prompt=LONG, options={"pad_cond_uncond": True})
    assert padded.frames.shape == (4, 64, 64, 3)
    assert np.ptp(padded.frames) > 50
