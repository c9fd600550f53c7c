"""Go on with a video that exists: its last frames are the first ones of what is made, and its noise goes on."""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.media import Clip, infotext
from vcd_ext.media.clip import exact_fps, stacked
from vcd_ext.noise import continued, correlate
from vcd_ext.settings import SettingError, VideoSettings
from vcd_ext.stages.noise_history import (
    HISTORY_KEY,
    Draw,
    History,
    Segment,
    in_fewest,
    in_words,
    next_seed,
    noise_of,
    read_history,
    reused,
)

CONTINUED_KEY = "VCD continues"  # in the infotext: the video that was gone on with


@dataclass(frozen=True)
class Continuation:
    """A video that is gone on with.

    clip: all of it that is kept. overlap: its last frames that are the first of the new ones. history: of all its
    frames; empty where it is not known. window: of how many of its last frames the new ones take the noise, in another
    order, as FreeNoise does; 0: of none.
    """

    clip: Clip
    name: str
    overlap: int
    history: History
    window: int = 0

    @property
    def pictures(self) -> dict[int, NDArray[np.uint8]]:
        """The frames that are known, by their places among those that are made."""
        return dict(enumerate(self.clip.frames[len(self.clip.frames) - self.overlap :]))

    def seed(self, chosen: int) -> int:
        """Return the seed of the first frame that is made, which is a known one.

        With the video's own seed the noise goes on as if the video had been longer from the first; with another one
        what is drawn is new.
        """
        told = infotext.read_entries(self.clip.metadata.get(infotext.PARAMETERS, "")).get("Seed", "")
        if self.history and (chosen == self.history[-1].seed or str(chosen) == told):
            return next_seed(self.history) - self.overlap
        return chosen

    def noise(self, white: Tensor, gamma: float, draw: Draw, seed: int) -> Tensor:
        """Return the noise [F, ...] of the frames that are made, of which the first ones are known.

        white: [F, ...], drawn from their own seeds, of which the first is `seed`.
        """
        if not self.history:
            return correlate(white, gamma)
        if self.window:
            return noise_of(self.history_after(len(white), seed, gamma), draw)[-len(white) :].to(white)
        past = noise_of(self.history, draw).to(white)
        return torch.cat([past[-self.overlap :], continued(past[-1], white[self.overlap :], gamma)])

    def joined(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the whole video: this one as it is, and behind it what was made, [F, H, W, 3], without the overlap."""
        new = frames[self.overlap :]
        return stacked((frame for part in (self.clip.frames, new) for frame in part), len(self.clip.frames) + len(new))

    def entries(self, frames: int, seed: int, gamma: float) -> dict[str, str]:
        """Return what the infotext tells of it. frames, seed, gamma: of the frames that are made, known ones too."""
        told = {CONTINUED_KEY: self.name}
        if self.history:
            told[HISTORY_KEY] = in_words(self.history_after(frames, seed, gamma))
        return told

    def history_after(self, frames: int, seed: int, gamma: float) -> History:
        """Return from what the noise of the whole video is drawn. gamma: as it is written down."""
        count = frames - self.overlap
        new = [Segment(count, seed + self.overlap, gamma)]
        if self.window:
            new = reused(self.history, self.window, self.overlap, count, seed, gamma)
        return in_fewest([*self.history, *new])


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
    history = read_history(text, count, sources) if whole else []
    return Continuation(clip, name, overlap, history, settings.context if settings.free.freenoise else 0)
