"""Which frames of a video are read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from vcd_ext.media.clip import Clip, MediaError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Part:
    """The frames from `first` to `last`, counted from 1 and both within; a last one of 0 is the end of the video.

    Raises ValueError (`MediaError`), in one sentence, for a last frame before the first.
    """

    first: int = 1
    last: int = 0

    def __post_init__(self) -> None:
        if self.first < 1:
            raise MediaError(f"the first frame is {self.first}; frames are counted from 1.")
        if 0 < self.last < self.first:
            raise MediaError(
                f"the last frame is {self.last} and the first {self.first}; choose a last frame from {self.first} on, "
                "or 0 for the end of the video."
            )

    @property
    def whole(self) -> bool:
        """Whether this is the whole video."""
        return self.first == 1 and self.last == 0

    @property
    def count(self) -> int | None:
        """Return how many frames these are; None where only the video's end knows."""
        return self.last - self.first + 1 if self.last else None

    def at_most(self, frames: int) -> "Part":
        """Return the same part without what comes after its first so many frames."""
        last = self.first + frames - 1
        return Part(self.first, min(self.last or last, last))

    def cut(self, clip: Clip | None) -> Clip | None:
        """Return this part of a whole clip, without a copy of its frames; None without a clip or if it ends before."""
        if clip is None or self.first > len(clip.frames):
            return None
        frames = clip.frames[self.first - 1 : self.last or None]
        return replace(clip, frames=frames, start=clip.start + (self.first - 1) / clip.fps)

    def of(self, items: Iterable[Item], skipped: int = 0) -> Iterator[Item]:
        """Yield the part of a video's frames, asking for none after it. MediaError if the video ends before it.

        skipped: how many of those before it are left out of `items` already.
        """
        count = 0
        for item in islice(items, self.first - 1 - skipped, self.last - skipped if self.last else None):
            count += 1
            yield item
        if count == 0 and self.first > 1:
            raise MediaError(f"it ends before frame {self.first}; choose an earlier first frame.")


WHOLE = Part()
