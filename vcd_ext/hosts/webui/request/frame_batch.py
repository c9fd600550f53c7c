"""Make a batch of the WebUI the frames of videos: its prompts and seeds, and what scripts ask for one by one.

The WebUI and its extensions know pictures: wildcards draw a prompt for each of them, Prompt matrix gives a list with
one for each, a variation seed gives them all the same noise. A video takes what its first frame was given.
"""

from collections.abc import Sequence
from typing import Any

from modules import processing

from vcd_ext.hosts.webui.request.overrides import Overrides
from vcd_ext.hosts.webui.request.read import delivery
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.hosts.webui.save import own_frames
from vcd_ext.prompt.names import with_name
from vcd_ext.settings import VideoSettings

# The WebUI's names: what a script may hand over as a list, of all pictures of a run, and of those of one batch.
GIVEN_PROMPTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")
GIVEN_SEEDS = ("seed", "subseed")
ALL_PROMPTS = ("all_prompts", "all_negative_prompts", "all_hr_prompts", "all_hr_negative_prompts")
ALL_SEEDS = ("all_seeds", "all_subseeds")
BATCH_PROMPTS = ("prompts", "negative_prompts", "hr_prompts", "hr_negative_prompts")
LATENT_NOISE = 2  # the WebUI's number of "latent noise" as masked content


def make_frames(p: Any, settings: VideoSettings, overrides: Overrides) -> bool:
    """Make the batch of `p` the frames of one video; return whether a script asks for pictures one by one.

    Such a script gets a video for each of them.
    """
    p.batch_size = settings.frames
    cells = picture_count(p)
    if cells is not None:
        for name, values in repeated_for_frames(p, settings.frames).items():
            overrides.put(name, values)
        overrides.put("n_iter", cells)
    overrides.put("do_not_save_grid", True)
    if settings.frames > 1:
        keeps_frames = "png" in settings.formats and delivery(p).save and not own_frames(settings)
        overrides.put("do_not_save_samples", not keeps_frames)
    return cells is not None


def write_identity(p: Any, name: str, overrides: Overrides) -> None:
    """Write an identity's name into the prompts of `p`; Refused, in one sentence, where that cannot be."""
    try:
        for field in ("prompt", "hr_prompt"):
            prompt = getattr(p, field, None)
            if isinstance(prompt, list):
                overrides.put(field, [with_name(text, name) for text in prompt])
            elif prompt or (prompt is not None and field == "prompt"):
                overrides.put(field, with_name(prompt, name))
    except ValueError as error:
        raise Refused(f"identity: {error}") from error


def picture_count(p: Any) -> int | None:
    """Return how many pictures a script asks for one by one, by a list of prompts or seeds; None if by none."""
    lists = [value for name in (*GIVEN_PROMPTS, *GIVEN_SEEDS) if isinstance(value := getattr(p, name, None), list)]
    return max(map(len, lists)) if lists else None


def repeated_for_frames(p: Any, frames: int) -> dict[str, list[Any]]:
    """Return the lists of `p` with an entry for each frame instead of one for each picture, by name."""
    found: dict[str, list[Any]] = {}
    for name in (*GIVEN_PROMPTS, *GIVEN_SEEDS):
        value = getattr(p, name, None)
        if isinstance(value, list):
            if name in GIVEN_SEEDS:
                value = [processing.get_fixed_seed(seed) for seed in value]
            found[name] = _for_frames(name, value, range(len(value)), frames)
    return found


def unify_prompts(p: Any, frames: int) -> None:
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


def unify_batch_prompts(p: Any) -> None:
    """Give the frames of the next video its first prompt, as scripts may have changed them once more."""
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


def share_latent_noise(p: Any) -> None:
    """Give all frames the first one's noise as masked content, if that is noise: what is painted over is the same.

    The WebUI has put noise of its own under the mask of each, which would flicker.
    """
    if getattr(p, "nmask", None) is None or p.inpainting_fill != LATENT_NOISE:
        return
    noise = processing.create_random_tensors(p.init_latent.shape[1:], p.all_seeds[:1])
    p.init_latent = p.init_latent * p.mask + noise.to(p.init_latent) * p.nmask


def leave_first_frames(processed: Any, videos: Sequence[Sequence[Any]], length: int) -> None:
    """Leave one picture for each that a script asked for, which it puts into its grid: a video's first frame.

    length: the frames of each video.
    """
    processed.images = [video[0] for video in videos]
    for name in ("infotexts", "all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds"):
        setattr(processed, name, getattr(processed, name)[::length])
