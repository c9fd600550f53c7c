"""Go on with a video that exists: its last frames are the first ones of what is made, and its noise goes on.

The noise of a video is the recursion x[0] = w[0], x[i] = gamma * x[i-1] + sqrt(1 - gamma^2) * w[i], where w[i] is drawn
from the seed of frame i (`vcd_ext.noise`). Seed and gamma stand in the video's infotext, so that all of x can be drawn
again: the known frames are noised by what they were made from, and the first new frame begins from the last of it.
"""

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.media import Clip, infotext
from vcd_ext.media.clip import exact_fps, stacked
from vcd_ext.noise import check_gamma, continued, correlate
from vcd_ext.settings import SettingError, VideoSettings, describe

HISTORY_KEY = "VCD noise"  # in the infotext: from which seeds the frames of a continued video were drawn
CONTINUED_KEY = "VCD continues"  # in the infotext: the video that was gone on with
_SEGMENT = re.compile(r"(\d+) from (\d+) at ([\d.e-]+)")
# Entries of an infotext with which the noise is not that of seed + i alone.
_OTHERWISE = ("Variation seed strength", "Seed resize from")

Draw = Callable[[Sequence[int]], Tensor]  # draws the white noise of frames with these seeds, [n, ...]


class Segment(NamedTuple):
    """Frames whose noise was drawn from seed, seed + 1, ... and correlated by gamma with what came before."""

    frames: int
    seed: int
    gamma: float


def read_history(text: str, frames: int, sources: Container[str]) -> list[Segment]:
    """Read of an infotext from what the noise of its video's frames was drawn; none where that cannot be known.

    frames: that the video has, which must be those of which the infotext tells. sources: of noise ("CPU", "GPU", "NV")
    that draw here as they did there.
    """
    entries = infotext.read_entries(text)
    if entries.get("RNG", "GPU") not in sources or any(key in entries for key in _OTHERWISE):
        return []
    try:
        if HISTORY_KEY in entries:
            found = [
                Segment(int(n), int(s), check_gamma(float(g))) for n, s, g in _SEGMENT.findall(entries[HISTORY_KEY])
            ]
        else:
            known = (entries[describe(VideoSettings)[name].infotext_key] for name in ("frames", "gamma"))
            length, gamma = known
            found = [Segment(int(length), int(entries["Seed"]), check_gamma(float(gamma)))]
    except (KeyError, ValueError):
        return []
    return found if sum(segment.frames for segment in found) == frames else []


@dataclass(frozen=True)
class Continuation:
    """A video that is gone on with.

    clip: all of it that is kept. overlap: its last frames that are the first of the new ones. history: of all its
    frames; empty where it is not known.
    """

    clip: Clip
    name: str
    overlap: int
    history: Sequence[Segment]

    @property
    def pictures(self) -> dict[int, NDArray[np.uint8]]:
        """The frames that are known, by their places among those that are made."""
        return dict(enumerate(self.clip.frames[len(self.clip.frames) - self.overlap :]))

    def seed(self, chosen: int) -> int:
        """Return the seed of the first frame that is made, which is a known one.

        With the video's own seed the noise goes on as if the video had been longer from the first; with another one
        what is drawn is new.
        """
        own = [self.history[-1].seed] if self.history else []
        told = infotext.read_entries(self.clip.metadata.get(infotext.PARAMETERS, "")).get("Seed", "")
        if own and (chosen == own[0] or str(chosen) == told):
            return own[0] + self.history[-1].frames - self.overlap
        return chosen

    def noise(self, white: Tensor, gamma: float, draw: Draw) -> Tensor:
        """Return the noise [F, ...] of the frames that are made, of which the first ones are known.

        white: [F, ...], drawn from their own seeds.
        """
        if not self.history:
            return correlate(white, gamma)
        past = self._past(draw).to(white)
        return torch.cat([past[-self.overlap :], continued(past[-1], white[self.overlap :], gamma)])

    def _past(self, draw: Draw) -> Tensor:
        parts = list[Tensor]()
        for segment in self.history:
            white = draw(range(segment.seed, segment.seed + segment.frames))
            parts.append(continued(parts[-1][-1], white, segment.gamma) if parts else correlate(white, segment.gamma))
        return torch.cat(parts)

    def joined(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the whole video: this one as it is, and behind it what was made, [F, H, W, 3], without the overlap."""
        new = frames[self.overlap :]
        return stacked((frame for part in (self.clip.frames, new) for frame in part), len(self.clip.frames) + len(new))

    def entries(self, frames: int, seed: int, gamma: float) -> dict[str, str]:
        """Return what the infotext tells of it. frames, seed, gamma: of the frames that are made, known ones too."""
        return {CONTINUED_KEY: self.name} | (
            {HISTORY_KEY: self.history_after(frames, seed, gamma)} if self.history else {}
        )

    def history_after(self, frames: int, seed: int, gamma: float) -> str:
        """Return the history of the whole video, as it is written down; with gamma as it is put into the next."""
        new = Segment(frames - self.overlap, seed + self.overlap, gamma)
        *before, last = self.history
        if (last.seed + last.frames, last.gamma) == (new.seed, gamma):
            new, last = Segment(last.frames + new.frames, last.seed, gamma), None  # type: ignore[assignment]
        kept = [*before, *([last] if last else []), new]
        return "; ".join(f"{each.frames} from {each.seed} at {each.gamma:g}" for each in kept)


def continuation(
    clip: Clip, name: str, settings: VideoSettings, size: tuple[int, int], sources: Container[str], whole: bool = True
) -> Continuation:
    """Return how to go on with a clip; SettingError, in one sentence, if that is not possible.

    size: width and height of the video that is made. sources: as for `read_history`. whole: whether it is all of its
    file; of a part the noise is not known.
    """
    overlap, count = settings.onward.continue_frames, len(clip.frames)
    height, width = clip.frames.shape[1:3]
    if (width, height) != size:
        raise SettingError(
            "continue_video",
            f"{name} is {width}x{height} and this video would be {size[0]}x{size[1]}; choose the size at which it was "
            "made to go on with it.",
        )
    if clip.fps != exact_fps(settings.fps):
        raise SettingError(
            "continue_video",
            f"{name} has {float(clip.fps):g} frames a second and this video would have {settings.fps:g}; set 'FPS' to "
            f"{float(clip.fps):g} to go on with it.",
        )
    if overlap >= settings.frames:
        raise SettingError(
            "continue_frames",
            f"continue_frames is {overlap} and there would be {settings.frames} frames, so that none is new; choose "
            "more frames, or fewer to go on from.",
        )
    if overlap > count:
        raise SettingError(
            "continue_frames", f"continue_frames is {overlap}, and {name} has {count}; choose at most {count}."
        )
    text = clip.metadata.get(infotext.PARAMETERS, "")
    return Continuation(clip, name, overlap, read_history(text, count, sources) if whole else [])
