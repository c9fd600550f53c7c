"""From what the noise of a video was drawn, as its infotext tells, so that it can be drawn again and go on.

The noise of a video is the recursion x[0] = w[0], x[i] = gamma * x[i-1] + sqrt(1 - gamma^2) * w[i], where w[i] is drawn
from the seed of frame i (`vcd_ext.noise`). Seed and gamma stand in the video's infotext, so that all of x can be drawn
again: the known frames of a continued video are noised by what they were made from, and the first new frame begins from
the last of it.

A video that goes on with FreeNoise (`vcd_ext.denoising.free_noise`) draws from seeds a second time, in another order.
Then frames that are mixed are not independent, and each is divided by its standard deviation, which is known exactly:
x is a linear map of the white noise of the seeds, and the norm of its row is that deviation.
"""

import math
import re
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.denoising.free_noise import Reuse
from vcd_ext.media import infotext
from vcd_ext.noise import check_gamma, continued, correlate
from vcd_ext.settings import NO_MODULE, VideoSettings, describe, from_infotext

HISTORY_KEY = "VCD noise"  # in the infotext: from which seeds the frames of a continued video were drawn
_SEGMENT = re.compile(r"(\d+) from (\d+) at ([\d.e-]+)")
# Entries of an infotext with which the noise is not that of seed + i alone.
_OTHERWISE = ("Variation seed strength", "Seed resize from")
_ARRANGED = ("loop", "freeinit")  # settings with which it is not, unless a history is told

Draw = Callable[[Sequence[int]], Tensor]  # draws the white noise of frames with these seeds, [n, ...]


class Segment(NamedTuple):
    """Frames whose noise was drawn from seed, seed + 1, ... and correlated by gamma with what came before."""

    frames: int
    seed: int
    gamma: float


History = Sequence[Segment]


def read_history(text: str, frames: int, sources: Container[str]) -> list[Segment]:
    """Read of an infotext from what the noise of its video's frames was drawn; none where that cannot be known.

    frames: that the video has, which must be those of which the infotext tells. sources: of noise ("CPU", "GPU", "NV")
    that draw here as they did there.
    """
    entries = infotext.read_entries(text)
    if entries.get("RNG", "GPU") not in sources or any(key in entries for key in _OTHERWISE):
        return []
    keys = {name: setting.infotext_key for name, setting in describe(VideoSettings).items()}
    try:
        if HISTORY_KEY in entries:
            found = [
                Segment(int(n), int(s), check_gamma(float(g))) for n, s, g in _SEGMENT.findall(entries[HISTORY_KEY])
            ]
        elif any(keys[name] in entries for name in _ARRANGED):
            return []
        else:
            length, gamma = (entries[keys[name]] for name in ("frames", "gamma"))
            found = _from_one_seed(entries, int(length), int(entries["Seed"]), check_gamma(float(gamma)))
    except (KeyError, ValueError):
        return []
    return found if sum(segment.frames for segment in found) == frames else []


def _from_one_seed(entries: dict[str, str], frames: int, seed: int, gamma: float) -> list[Segment]:
    """Return the history of a video that begins from noise alone.

    What FreeNoise mixes is made standard normal by `noise_of` at each frame, by FreeNoise at the end of all: at the
    usual gamma of 0.15 that is the same to 1e-4.
    """
    read = partial(from_infotext, entries=entries)
    context, overlap = read("context"), read("overlap")
    still = read("motion_module") in (None, NO_MODULE)
    if not read("freenoise") or context is None or overlap is None or still:
        return [Segment(frames, seed, gamma)]
    order = Reuse(context, overlap, seed)
    return in_fewest([Segment(1, seed + source, gamma) for source in order.sources(frames)])


def in_words(history: History) -> str:
    """Return a history as it stands in an infotext."""
    return "; ".join(f"{each.frames} from {each.seed} at {each.gamma:g}" for each in history)


def in_fewest(history: History) -> list[Segment]:
    """Return a history in which segments that go on from the one before are one with it."""
    found: list[Segment] = []
    for new in history:
        last = found[-1] if found else None
        if last is not None and (last.seed + last.frames, last.gamma) == (new.seed, new.gamma):
            found[-1] = last._replace(frames=last.frames + new.frames)
        else:
            found.append(new)
    return found


def drawn(history: History) -> Iterator[tuple[int, float]]:
    """Yield the seed and the gamma of each frame."""
    for segment in history:
        for seed in range(segment.seed, segment.seed + segment.frames):
            yield seed, segment.gamma


def next_seed(history: History) -> int:
    """Return the seed behind the last frame's; where some are drawn from twice, the one behind all of them."""
    seeds = [seed for seed, _ in drawn(history)]
    return (max(seeds) if len({*seeds}) < len(seeds) else seeds[-1]) + 1


def reused(history: History, window: int, overlap: int, frames: int, seed: int, gamma: float) -> list[Segment]:
    """Return so many frames more, which draw from the seeds of the frames one window before them, in another order.

    window: frames that are denoised together; of the first window of new frames `overlap` are the history's. Each
    block of window - overlap frames is shuffled, as in FreeNoise. seed: of the order.
    """
    seeds = [seed for seed, _ in drawn(history)]
    back = min(window, len(seeds))
    apart = back - overlap if back > overlap else back
    generator, end = torch.Generator().manual_seed(seed), len(seeds) + frames
    while len(seeds) < end:
        first = len(seeds) - back
        seeds += [seeds[first + i] for i in torch.randperm(apart, generator=generator).tolist()]
    return [Segment(1, each, gamma) for each in seeds[end - frames : end]]


def noise_of(history: History, draw: Draw) -> Tensor:
    """Return the noise of all frames [F, ...] of a history."""
    frames = list(drawn(history))
    unique = list(dict.fromkeys(seed for seed, _ in frames))
    if len(unique) < len(frames):
        return _mixed(frames, unique, draw(unique))
    parts = list[Tensor]()
    for segment in history:
        white = draw(range(segment.seed, segment.seed + segment.frames))
        parts.append(continued(parts[-1][-1], white, segment.gamma) if parts else correlate(white, segment.gamma))
    return torch.cat(parts)


def _mixed(frames: Sequence[tuple[int, float]], unique: Sequence[int], white: Tensor) -> Tensor:
    """Return the noise of frames of which some draw from the same seed: each standard normal by itself.

    white: [len(unique), ...] of the seeds `unique`.
    """
    place = {seed: i for i, seed in enumerate(unique)}
    own = torch.eye(len(unique), dtype=torch.float64)
    made, row = list[Tensor](), torch.zeros(len(unique), dtype=torch.float64)
    for seed, gamma in frames:
        kept = gamma if made else 0.0
        new = math.sqrt(1 - kept * kept)
        row = kept * row + new * own[place[seed]]
        deviation = float(row.norm())
        row = row / deviation
        fresh = new / deviation * white[place[seed]]
        made.append(kept / deviation * made[-1] + fresh if made else fresh)
    return torch.stack(made)
