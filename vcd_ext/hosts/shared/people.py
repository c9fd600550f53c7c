"""Put the conditions of the people of a video behind those of its frames, as both hosts do; see `people.attention`."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.hosts.shared.prompt_travel import Scheduled, Subprompt
from vcd_ext.people import RegionalTexts, check_identities
from vcd_ext.people.attention import with_people, without_people
from vcd_ext.settings import NO_MODULE, PeopleSettings, SettingError


def regional_texts(settings: PeopleSettings, known: Collection[str], identity: str = NO_MODULE) -> RegionalTexts | None:
    """Read who is in a video; None if nobody has a region.

    known: the identities that are there. identity: that of the whole video. SettingError, in one sentence, for lines
    that cannot be.
    """
    try:
        regional = RegionalTexts.of(settings)
        if regional is not None:
            check_identities(regional.people, known, "" if identity == NO_MODULE else identity)
    except ValueError as error:
        raise SettingError("people", str(error)) from error
    return regional


class _Behind(NamedTuple):
    """Put the conditions of people behind another, up to a step, whenever it is asked for the result."""

    end_at_step: int
    base: Scheduled
    length: int  # tokens of the base, which is made as long as that
    texts: Sequence[Tensor]  # of the people, [tokens, width] each
    silent: bool  # whether the place of the texts stays empty, as nothing of this condition belongs to regions

    @property
    def cond(self) -> Tensor:
        """The condition of all, [tokens, width]."""
        base = lengthened(self.base.cond, self.length)
        return without_people(base, sum(map(len, self.texts))) if self.silent else with_people(base, self.texts)


def lengthened(cond: Tensor, length: int) -> Tensor:
    """Repeat the last vector of a shorter part of a prompt, as the WebUI does: [..., length, width]."""
    last = cond[..., -1:, :]
    return torch.cat([cond, last.expand(*last.shape[:-2], length - cond.shape[-2], -1)], dim=-2)


def with_people_behind(
    frames: Sequence[Sequence[Subprompt]], people: Sequence[Sequence[Scheduled]], silent: bool = False
) -> list[list[Subprompt]]:
    """Return the parts of each frame with the conditions of the people behind each of them.

    people: the schedule of each. silent: leave the place of their texts empty, as for the negative prompt.
    """
    length = max(len(part.schedule[0].cond) for frame in frames for part in frame)
    made: dict[int, Sequence[Scheduled]] = {}

    def behind(schedule: Sequence[Scheduled]) -> Sequence[Scheduled]:
        if id(schedule) not in made:  # all frames have one, unless the prompt travels
            ends = sorted({entry.end_at_step for each in (schedule, *people) for entry in each})
            made[id(schedule)] = [
                _Behind(end, _entry(schedule, end), length, [_entry(each, end).cond for each in people], silent)
                for end in ends
            ]
        return made[id(schedule)]

    return [[Subprompt(behind(part.schedule), part.weight) for part in frame] for frame in frames]


def _entry(schedule: Sequence[Scheduled], end: int) -> Scheduled:
    return next((entry for entry in schedule if end <= entry.end_at_step), schedule[-1])
