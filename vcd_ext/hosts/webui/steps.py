"""How many steps an img2img of the WebUI runs.

By itself the WebUI runs one step more than the strength asks for where `steps * strength` is a whole number, and as
many as the slider says if the person has chosen so. Its samplers that go by time steps (DDIM, PLMS, UniPC) run one or
two less, and begin below the noise that was put in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from modules import shared
from torch import Tensor

from vcd_ext.hosts.shared.passes import steps_run

# Needs no time step below its last one; the others of its kind leave out the step that leads away from the lowest.
WHOLE = "UniPC"


@contextmanager
def exact_steps(p: Any, count: int) -> Iterator[None]:
    """Within this context the sampler of `p`, an img2img, runs the last `count` steps of a schedule of `p.steps`.

    The noise that it begins from is that of the first of them. The WebUI's settings have no say in it.
    """
    sampler, strength = p.sampler, p.denoising_strength
    asked = count
    if hasattr(sampler, "get_timesteps"):
        lowest = [] if p.sampler_name == WHOLE else [0]
        times = _last_times(sampler.get_timesteps(p, p.steps), count, lowest)
        sampler.get_timesteps = lambda _p, _steps: times
        asked = len(times)
    sampler.sample_img2img = partial(sampler.sample_img2img, steps=asked)
    p.denoising_strength = asked / (p.steps + 0.5)  # the WebUI makes a schedule of int(asked / strength) steps
    try:
        yield
    finally:
        p.denoising_strength = strength
        for name in ("sample_img2img", "get_timesteps"):
            vars(sampler).pop(name, None)


@contextmanager
def steps_of_strength(p: Any) -> Iterator[None]:
    """Within this context an img2img runs the steps that its strength asks for, unless the person wants all of them."""
    if shared.opts.img2img_fix_steps or not p.denoising_strength:
        yield
        return
    with exact_steps(p, steps_run(p.steps, p.denoising_strength)):
        yield


def _last_times(times: Tensor, count: int, lowest: list[int]) -> Tensor:
    """Rising time steps of which the sampler takes all but the last, and the last for the noise to begin from."""
    begin = times[count - 1 : count]
    return torch.cat([times.new_tensor(lowest), times[:count], begin])
