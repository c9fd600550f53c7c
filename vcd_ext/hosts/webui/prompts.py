"""One prompt and one seed a video.

The WebUI and its extensions know pictures: wildcards draw a prompt for each of them, Prompt matrix gives a list with
one for each, a variation seed gives them all the same noise. A video takes what its first frame was given.
"""

from collections.abc import Sequence
from typing import Any

from modules import processing

# The WebUI's names: what a script may hand over as a list, of all pictures of a run, and of those of one batch.
GIVEN_PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")
GIVEN_SEEDS = ("seed", "subseed")
ALL_PROMPTS = ("all_prompts", "all_negative_prompts", "all_hr_prompts", "all_hr_negative_prompts")
ALL_SEEDS = ("all_seeds", "all_subseeds")
BATCH_PROMPTS = ("prompts", "negative_prompts", "hr_prompts", "hr_negative_prompts")


def cells(p: Any) -> int | None:
    """How many pictures a script asks for one by one, by a list of prompts or seeds; None if by none."""
    lists = [value for name in (*GIVEN_PROMPTS, *GIVEN_SEEDS) if isinstance(value := getattr(p, name, None), list)]
    return max(map(len, lists)) if lists else None


def expanded(p: Any, frames: int) -> dict[str, list[Any]]:
    """The lists of `p` with an entry for each frame instead of one for each picture, by name."""
    found: dict[str, list[Any]] = {}
    for name in (*GIVEN_PROMPTS, *GIVEN_SEEDS):
        value = getattr(p, name, None)
        if isinstance(value, list):
            if name in GIVEN_SEEDS:
                value = [processing.get_fixed_seed(seed) for seed in value]
            found[name] = _for_frames(name, value, range(len(value)), frames)
    return found


def settle(p: Any, frames: int) -> None:
    """Give all frames of each video the prompt of its first one and seeds that go on from its first one's.

    Called when the scripts have had their say. Where one of them has put there another number of prompts than it was
    asked for, as combinations do, each of them makes a video.
    """
    if p.batch_size != frames:  # is refused where the frames are sampled
        return
    count = len(p.all_prompts)
    firsts: Sequence[int] = range(0, count, frames)
    if count != p.n_iter * frames:
        firsts = range(count)
        p.n_iter = count
    for name in (*ALL_PROMPTS, *ALL_SEEDS):
        values = getattr(p, name, None)
        if values:
            setattr(p, name, _for_frames(name, values, firsts, frames))


def settle_batch(p: Any) -> None:
    """Do so for the video that is made next, whose prompts scripts may change once more."""
    for name in BATCH_PROMPTS:
        values = getattr(p, name, None)
        if values:
            setattr(p, name, values[:1] * len(values))
    video = slice(p.iteration * p.batch_size, (p.iteration + 1) * p.batch_size)
    for name in ALL_PROMPTS:
        values = getattr(p, name, None)
        if values:
            values[video] = values[video][:1] * len(values[video])


def _for_frames(name: str, values: Sequence[Any], firsts: Sequence[int], frames: int) -> list[Any]:
    steps = range(frames) if name in (*ALL_SEEDS, *GIVEN_SEEDS) else [0] * frames
    chosen = [values[min(first, len(values) - 1)] for first in firsts]
    return [value + step if step else value for value in chosen for step in steps]
