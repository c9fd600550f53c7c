"""Frames that are given to a video that is made from text: its first or last picture, or an earlier video's end."""

import tempfile
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from vcd_ext import media
from vcd_ext.denoising.picture_shares import Shares, shares
from vcd_ext.media import Clip
from vcd_ext.media.originals import ORIGINALS
from vcd_ext.media.picture import read_picture
from vcd_ext.noise import correlate
from vcd_ext.progress import Note
from vcd_ext.settings import SettingError, VideoSettings
from vcd_ext.stages.continuation import Continuation, continuation
from vcd_ext.stages.noise_history import Draw
from vcd_ext.stages.video_to_video import part_of
from vcd_ext.tiled.upscaled_frames import SCALE

Pixels = NDArray[np.uint8]
Find = Callable[[str, Path], Path]  # returns the file that a setting names, or writes what it holds into a folder


@dataclass(frozen=True)
class GivenFrames:
    """Frames that are known while the others are made, and stay as they are.

    pictures: uint8 [H, W, 3] of the finished video's size, by their places among the frames that are made.
    """

    pictures: Mapping[int, Pixels]
    continued: Continuation | None = None

    @property
    def places(self) -> list[int]:
        """The known frames, counted from 0."""
        return sorted(self.pictures)

    def seed(self, chosen: int) -> int:
        """Return the seed of the first frame that is made."""
        return chosen if self.continued is None else self.continued.seed(chosen)

    def noise(self, white: Tensor, gamma: float, draw: Draw, seed: int) -> Tensor:
        """Return the noise of the frames that are made, [F, ...], from their own white noise; seed: of the first."""
        return correlate(white, gamma) if self.continued is None else self.continued.noise(white, gamma, draw, seed)

    def resized(self, height: int, width: int) -> list[Pixels]:
        """Return the known frames at another size, in the order of their places."""
        return [fitted(self.pictures[place], height, width) for place in self.places]

    def put(self, frames: Pixels) -> Pixels:
        """Return frames [F, H, W, 3] with the known ones as they are."""
        frames = np.array(frames)
        for place, picture in zip(self.places, self.resized(*frames.shape[1:3]), strict=True):
            frames[place] = picture
        return frames

    def finished(self, clip: Clip) -> Clip:
        """Return the finished video of a clip that was made: with the known frames, behind what it goes on with."""
        frames = self.put(clip.frames)
        # A stage that was stopped leaves the video smaller than it was to become.
        if self.continued is None or frames.shape[1:] != self.continued.clip.frames.shape[1:]:
            return Clip(frames, clip.fps, clip.metadata, clip.start)
        return Clip(self.continued.joined(frames), clip.fps, clip.metadata, self.continued.clip.start)

    def entries(self, frames: int, seed: int, gamma: float) -> dict[str, str]:
        """Return what the infotext tells of it."""
        return {} if self.continued is None else self.continued.entries(frames, seed, gamma)


class BlendedPictures(NamedTuple):
    """Pictures, uint8 [H, W, 3] of the video's size, that a video begins from by the shares of its frames."""

    first: Pixels | None
    last: Pixels | None
    shares: Shares


@dataclass(frozen=True)
class Reader:
    """Read what the settings name. find: says where it is. sources: of noise that draw here as they did elsewhere."""

    find: Find
    sources: Container[str]
    note: Note = field(default=lambda _: None)
    find_picture: Find | None = None  # None: as `find` does
    moving: bool = True  # with a motion module; without one frames that share noise would be the same

    def given(self, settings: VideoSettings, height: int, width: int) -> GivenFrames | None:
        """Return what is given to a video from text; None for nothing. SettingError, in one sentence."""
        if not (settings.onward.continue_video or settings.onward.start_picture or settings.onward.end_picture):
            return None
        check_no_loop(settings)
        if settings.onward.continue_video and settings.onward.start_picture:
            raise SettingError(
                "start_picture", "A video that is continued begins with its own frames; leave the start picture away."
            )
        scale = SCALE if settings.tiled else 1
        height, width = scale * height, scale * width
        pictures, continued = dict[int, Pixels](), None
        if settings.onward.continue_video:
            continued = self._continued(settings, height, width)
            pictures |= continued.pictures
        for name, place in (("start_picture", 0), ("end_picture", settings.frames - 1)):
            if getattr(settings.onward, name):
                pictures[place] = fitted(self.still(name, getattr(settings.onward, name)), height, width)
        if len(pictures) >= settings.frames:
            raise SettingError(
                "frames",
                f"frames is {settings.frames}, and {len(pictures)} of them are given: none is new; choose more.",
            )
        return GivenFrames(pictures, continued)

    def blended(self, settings: VideoSettings, height: int, width: int) -> BlendedPictures | None:
        """Return the pictures that a video begins from by shares; None without `from_picture`. SettingError."""
        asked = settings.onward
        if not asked.from_picture:
            return None
        if asked.continue_video or not (asked.start_picture or asked.end_picture):
            raise SettingError(
                "from_picture", "from_picture goes with a start picture, an end picture or both, and with nothing else."
            )
        check_no_loop(settings)
        first, last = (
            fitted(self.still(name, getattr(asked, name)), height, width) if getattr(asked, name) else None
            for name in ("start_picture", "end_picture")
        )
        powers = asked.powers(first is not None, last is not None)
        return BlendedPictures(first, last, shares(settings.frames, *powers))

    def still(self, key: str, value: str) -> Pixels:
        """Read a picture, uint8 [H, W, 3]. SettingError for one that is transparent or cannot be read."""
        try:
            with tempfile.TemporaryDirectory(prefix="vcd") as scratch:
                pixels, alpha = read_picture((self.find_picture or self.find)(value, Path(scratch)))
        except (OSError, ValueError) as error:
            raise SettingError(key, f"{key}: {error}") from error
        if alpha is not None:
            raise SettingError(
                key, f"{key} is transparent in places, which a video cannot be; save it without, on a background."
            )
        return pixels

    def _continued(self, settings: VideoSettings, height: int, width: int) -> Continuation:
        try:
            part = part_of(settings)
            with tempfile.TemporaryDirectory(prefix="vcd") as scratch:
                file = self.find(settings.onward.continue_video, Path(scratch))
                name = "the video" if file.parent == Path(scratch) else file.name
                clip = part.cut(ORIGINALS.find(file)) or media.read(file, self.note, part)
        except SettingError:
            raise
        except (OSError, ValueError, ImportError, MemoryError) as error:
            raise SettingError("continue_video", f"continue_video: {error}") from error
        found = continuation(clip, name, settings, (width, height), self.sources, part.whole)
        if not self.moving:
            found = replace(found, window=0)
        if not found.history:
            self.note(
                f"From what noise {name} was made is not known here, so the new frames begin from noise of their own."
            )
        return found


def check_no_loop(settings: VideoSettings) -> None:
    """Raise SettingError, in one sentence, for a closed loop and FreeInit."""
    if settings.loops.loop:
        raise SettingError(
            "loop",
            "A closed loop has no first and no last frame; turn it off, or leave pictures and the earlier video away.",
        )
    if settings.free.freeinit:
        raise SettingError(
            "freeinit",
            "freeinit is on, and it is for videos that begin from noise alone; turn it off, or leave pictures and the "
            "earlier video away.",
        )


def fitted(picture: Pixels, height: int, width: int) -> Pixels:
    """Return a picture [H, W, 3] at another size; what is too much of its longer side is cut off at both ends."""
    if picture.shape[:2] == (height, width):
        return picture
    image = ImageOps.fit(Image.fromarray(picture), (width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)


def as_floats(pictures: Sequence[Pixels]) -> list[NDArray[Any]]:
    """Return pictures uint8 as float32 in [0, 1]."""
    return [picture.astype(np.float32) / 255 for picture in pictures]
