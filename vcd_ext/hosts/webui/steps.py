"""How many steps an img2img of the WebUI runs.

By itself the WebUI runs one step more than the strength asks for where `steps * strength` is a whole number, and as
many as the slider says if the person has chosen so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from modules import shared

from vcd_ext.hosts.passes import steps_run

# What the samplers that go by time steps leave out of what they are asked for: the step whose noise is put in, and
# those that lead to no noise at all.
LEFT_OUT = {"DDIM": 2, "DDIM CFG++": 2, "PLMS": 2, "UniPC": 1}


def request(sampler: str, steps: int, count: int) -> tuple[int, float]:
    """With which `steps` and strength `Sampler.sample_img2img` runs the last `count` steps of a schedule of `steps`.

    Whatever the WebUI's settings are: it makes a schedule of int(asked / strength) steps.
    """
    asked = min(count + LEFT_OUT.get(sampler, 0), steps)
    return asked, asked / (steps + 0.5)


@contextmanager
def exact_steps(p: Any) -> Iterator[None]:
    """Within this context the sampler of `p`, an img2img, runs the steps that its strength asks for.

    Unless the person wants as many as the slider says.
    """
    plain, strength = p.sampler.sample_img2img, p.denoising_strength
    if shared.opts.img2img_fix_steps or not strength:
        yield
        return
    asked, told = request(p.sampler_name, p.steps, steps_run(p.steps, strength))
    p.sampler.sample_img2img = partial(plain, steps=asked)
    p.denoising_strength = told
    try:
        yield
    finally:
        p.sampler.sample_img2img, p.denoising_strength = plain, strength
