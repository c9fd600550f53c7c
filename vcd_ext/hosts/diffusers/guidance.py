"""Classifier-free guidance (arXiv 2207.12598) by a prompt in the WebUI's syntax, without the WebUI.

A prompt may have several parts (`a cat AND a dog :0.5`), which guide side by side, and each may change from step to
step (`[a cat:a dog:0.5]`) and from frame to frame (`0: a cat` and `8: a dog` as lines).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.hosts.diffusers.conditioning import Prompts
from vcd_ext.hosts.shared.people import lengthened
from vcd_ext.hosts.shared.prompt_travel import KeyFraming, Scheduled, Subprompt, UpTo, travelled
from vcd_ext.people.attention import with_people, without_people
from vcd_ext.prompt import parts, schedule
from vcd_ext.prompt.comments import without_comments
from vcd_ext.prompt.networks import check_no_networks
from vcd_ext.prompt.travel import Travel


class Conditions(NamedTuple):
    """What guides one step."""

    uncond: Tensor | None  # [rows, tokens, width] of the negative prompt; None where nothing depends on it
    conds: list[Tensor]  # of the prompt's parts, all with the same number of tokens
    scales: list[float | Tensor]  # how strongly each part guides; [rows, 1, 1, 1] where frames differ

    def predict(self, unet: Callable[[list[Tensor]], list[Tensor]]) -> Tensor:
        """Compute the guided prediction. unet: gives the predictions for conditions of one shape, in their order.

        Conditions of different lengths are computed apart, as in the WebUI: padding would change what the shorter one
        means.
        """
        if self.uncond is None:
            return unet(self.conds)[0]
        if self.uncond.shape == self.conds[0].shape:
            uncond, *conds = unet([self.uncond, *self.conds])
        else:
            [uncond], conds = unet([self.uncond]), unet(self.conds)
        guided = uncond.clone()
        for cond, scale in zip(conds, self.scales, strict=True):
            scale = scale.to(cond) if isinstance(scale, Tensor) else scale
            guided += scale * (cond - uncond)
        return guided


@dataclass(frozen=True)
class _Schedule:
    """Conditions [tokens, width], each up to a step; steps count from 0 here."""

    conditions: Tensor  # [n, tokens, width]
    ends: list[int]

    def entries(self) -> list[Scheduled]:
        return [UpTo(end, cond) for end, cond in zip(self.ends, self.conditions, strict=True)]

    def at(self, step: int) -> Tensor:
        # The WebUI compares a step that counts from 0 with an end that counts from 1.
        return self.conditions[next((i for i, end in enumerate(self.ends) if step <= end), 0)]


@dataclass(frozen=True)
class _FrameSchedules:
    """Schedules of a prompt that travels, one for each frame."""

    frames: list[Sequence[Scheduled]]

    def at(self, step: int) -> Tensor:
        """Return the conditions of a step, [frames, tokens, width]."""
        return torch.stack(
            [next((e.cond for e in each if step <= e.end_at_step), each[0].cond) for each in self.frames]
        )

    @property
    def ends(self) -> list[int]:
        return sorted({entry.end_at_step for each in self.frames for entry in each})


@dataclass(frozen=True)
class Guidance:
    """The prompt and the negative prompt of a video, encoded."""

    uncond: _Schedule | _FrameSchedules | None
    conds: Sequence[_Schedule | _FrameSchedules]
    scales: list[float | Tensor]
    people: Sequence[_Schedule] = ()  # who have regions, behind the conditions; see `people.attention`

    @property
    def people_tokens(self) -> list[int]:
        """The tokens of each person's text."""
        return [each.conditions.shape[1] for each in self.people]

    def at(self, step: int, rows: int) -> Conditions:
        """Return the conditions of step 0, 1, ... that is run, with so many rows; where frames differ, one a frame."""
        conds = [each.at(step) for each in self.conds]
        uncond = None if self.uncond is None else self.uncond.at(step)
        for each in (*conds, uncond):
            if each is not None and each.dim() == 3:
                rows = len(each)
        longest = max(each.shape[-2] for each in conds)
        conds = [lengthened(each, longest) for each in conds]
        if self.people:
            texts = [each.at(step) for each in self.people]
            conds = [with_people(each, texts) for each in conds]
            uncond = None if uncond is None else without_people(uncond, sum(self.people_tokens))
        conds = [each.expand(rows, -1, -1) for each in conds]
        return Conditions(None if uncond is None else uncond.expand(rows, -1, -1), conds, self.scales)

    @property
    def constant(self) -> Tensor:
        """The one condition [tokens, width] of the prompt, or [frames, tokens, width] of one that travels.

        ValueError if it has several parts or changes from step to step.
        """
        if len(self.conds) > 1 or len(self.conds[0].ends) > 1:
            raise ValueError(
                "The prompt joins parts with AND or changes while it is painted ([a:b:0.5]), so it cannot be exchanged "
                "where the subject is not; write it without that, or use it everywhere."
            )
        return self.conds[0].at(0)


def guidance(
    prompts: Prompts,
    prompt: str,
    negative_prompt: str,
    cfg_scale: float,
    steps: int,
    embeddings: Mapping[str, Tensor],
    framing: KeyFraming | None = None,
    people: Sequence[str] = (),
) -> Guidance:
    """Encode a prompt and a negative prompt for so many steps. embeddings: vectors [k, width] by name.

    framing: of the prompts' key frames; None: they have none. people: the words of those who have regions.
    ValueError, in one sentence, for a prompt that cannot be read.
    """
    prompt, negative_prompt = without_comments(prompt), without_comments(negative_prompt)
    check_no_networks(prompt, negative_prompt)

    encoder = _Encoder(prompts, steps, embeddings, framing)
    heard = [encoder.encoded(without_comments(words)) for words in people]
    found = framing and framing.read(prompt)
    if not found:
        texts = parts(prompt)
        scales: list[float | Tensor] = [cfg_scale * weight for _, weight in texts]
        uncond = None if _unguided(scales) else encoder.negative(negative_prompt)
        return Guidance(uncond, [encoder.encoded(text) for text, _ in texts], scales, heard)
    rows = encoder.travelling(found, parts)
    conds = [_FrameSchedules([row[i].schedule for row in rows]) for i in range(len(rows[0]))]
    scales = [_scale([cfg_scale * row[i].weight for row in rows]) for i in range(len(conds))]
    return Guidance(None if _unguided(scales) else encoder.negative(negative_prompt), conds, scales, heard)


@dataclass(frozen=True)
class _Encoder:
    """Encodes the texts of a video."""

    prompts: Prompts
    steps: int
    embeddings: Mapping[str, Tensor]
    framing: KeyFraming | None

    def encoded(self, text: str) -> _Schedule:
        entries = schedule(text, self.steps)
        together = self.prompts.encode_together([said for _, said in entries], self.embeddings)
        return _Schedule(together, [end for end, _ in entries])

    def negative(self, prompt: str) -> _Schedule | _FrameSchedules:
        found = self.framing and self.framing.read(prompt)
        if not found:
            return self.encoded(prompt)
        return _FrameSchedules([row[0].schedule for row in self.travelling(found, lambda text: [(text, 1.0)])])

    def travelling(self, found: Travel, read: Callable[[str], list[tuple[str, float]]]) -> list[list[Subprompt]]:
        assert self.framing is not None
        known = {
            text: [Subprompt(self.encoded(said).entries(), weight) for said, weight in read(text)]
            for text in dict.fromkeys(found.texts)
        }
        places = [found.place(frame) for frame in self.framing.numbers]
        empty = self.prompts.encode("", {})[0]
        return travelled([known[text] for text in found.texts], places, self.framing.mode, empty)


def _unguided(scales: Sequence[float | Tensor]) -> bool:
    return len(scales) == 1 and not isinstance(scales[0], Tensor) and scales[0] == 1.0


def _scale(frames: list[float]) -> float | Tensor:
    return frames[0] if len(set(frames)) == 1 else torch.tensor(frames).reshape(-1, 1, 1, 1)
