"""Mix the conditions of a prompt's key frames for the frames between them, as both hosts do.

The conditions of a frame are made when a step asks for them: those of a long video's frames at all steps would need
gigabytes, those of the key frames need little.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from vcd_ext.hosts.protocols import VideoPass
from vcd_ext.prompt.travel import Place, Travel, travel
from vcd_ext.settings import TRAVELS

# Above this cosine the angle is too small to divide by its sine.
PARALLEL = 0.9995


class KeyFraming(NamedTuple):
    """Say which frames of a video conditions are for, and how its prompts go from key frame to key frame."""

    numbers: Sequence[int]
    mode: str = TRAVELS[0]
    around: int = 0  # frames of a closed loop, in which the last key frame leads on to the first; 0: of none

    @classmethod
    def of_pass(cls, work: VideoPass, frames: int) -> "KeyFraming":
        """Return that of a pass over so many frames."""
        numbers = range(frames) if work.frame_numbers is None else work.frame_numbers
        return cls(numbers, work.prompt_travel, work.around or (frames if work.loop else 0))

    def read(self, prompt: str) -> Travel | None:
        """Return a prompt's key frames; None if it has none."""
        found = travel(prompt)
        return found.around(self.around) if found is not None and self.around else found


class Scheduled(Protocol):
    """A condition up to a step, as the WebUI's `ScheduledPromptConditioning`."""

    @property
    def end_at_step(self) -> int:
        """The last step, counted from 1."""

    @property
    def cond(self) -> Tensor:
        """Vectors [tokens, width]."""


class UpTo(NamedTuple):
    """Hold a condition up to a step."""

    end_at_step: int
    cond: Tensor  # [tokens, width]


class Mixed(NamedTuple):
    """Mix two conditions, up to a step, whenever it is asked for the result."""

    end_at_step: int
    before: Tensor  # [tokens, width]
    after: Tensor
    share: float  # of `after`
    mode: str  # one of `settings.TRAVELS`

    @property
    def cond(self) -> Tensor:
        """The mixed condition, [tokens, width]."""
        return mixed(self.before, self.after, self.share, self.mode)


class Subprompt(NamedTuple):
    """Hold one of the texts that AND joins."""

    schedule: Sequence[Scheduled]
    weight: float


def mixed(before: Tensor, after: Tensor, share: float, mode: str) -> Tensor:
    """Interpolate two conditions of one shape. share: of `after`, from 0 to 1; exact at both.

    mode: "linear", or "slerp" (Shoemake, SIGGRAPH 1985) of each whole condition as one vector, which is what
    sd-webui-animatediff does; conditions that point the same way are mixed linearly.
    """
    if mode == "slerp":
        one, other = before.double().flatten(), after.double().flatten()
        cosine = float(one @ other / (one.norm() * other.norm()))
        if abs(cosine) <= PARALLEL:
            angle = torch.tensor(cosine, dtype=torch.float64).arccos()
            weights = [float((part * angle).sin() / angle.sin()) for part in (1 - share, share)]
            return (weights[0] * before.float() + weights[1] * after.float()).to(before.dtype)
    return torch.lerp(before.float(), after.float(), share).to(before.dtype)


def travelled(
    keys: Sequence[Sequence[Subprompt]], places: Sequence[Place], mode: str, empty: Tensor
) -> list[list[Subprompt]]:
    """Return the parts of each frame, equally many in all frames.

    keys: the parts of each key frame. places: of the frames among them. empty: the condition [77, width] of an empty
    chunk, by which shorter conditions are made as long as the others. A part that one of two key frames lacks fades by
    its weight.
    """
    keys = _equally_long(keys, empty)
    made: dict[Place, list[Subprompt]] = {}
    for place in places:
        if place not in made:
            made[place] = _at(keys, place, mode)
    return [made[place] for place in places]


def _equally_long(keys: Sequence[Sequence[Subprompt]], empty: Tensor) -> list[list[Subprompt]]:
    """Pad the conditions of each part to its longest; parts may differ, as in any prompt."""
    longest = [
        max(len(entry.cond) for key in keys if i < len(key) for entry in key[i].schedule)
        for i in range(max(map(len, keys)))
    ]

    def padded(entry: Scheduled, length: int) -> Scheduled:
        missing = (length - len(entry.cond)) // len(empty)
        if not missing:
            return entry
        return UpTo(entry.end_at_step, torch.cat([entry.cond, *[empty.to(entry.cond)] * missing]))

    return [
        [
            Subprompt([padded(entry, length) for entry in part.schedule], part.weight)
            for part, length in zip(key, longest, strict=False)
        ]
        for key in keys
    ]


def _at(keys: Sequence[Sequence[Subprompt]], place: Place, mode: str) -> list[Subprompt]:
    before, after = keys[place.before], keys[place.after]
    parts = []
    for i in range(max(map(len, keys))):
        there = [key[i] for key in (before, after, *keys) if i < len(key)]
        one = before[i] if i < len(before) else Subprompt(there[0].schedule, 0.0)
        other = after[i] if i < len(after) else Subprompt(there[0].schedule, 0.0)
        parts.append(_between(one, other, place.share, mode))
    return parts


def _between(one: Subprompt, other: Subprompt, share: float, mode: str) -> Subprompt:
    if not share:
        return one
    weight = one.weight + share * (other.weight - one.weight)
    if one.schedule is other.schedule:
        return Subprompt(one.schedule, weight)
    ends = sorted({entry.end_at_step for part in (one, other) for entry in part.schedule})
    return Subprompt([Mixed(end, _up_to(one, end), _up_to(other, end), share, mode) for end in ends], weight)


def _up_to(part: Subprompt, end: int) -> Tensor:
    return next((entry.cond for entry in part.schedule if end <= entry.end_at_step), part.schedule[-1].cond)
