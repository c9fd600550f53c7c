"""Classifier-free guidance (arXiv 2207.12598) by a prompt in the WebUI's syntax, without the WebUI.

A prompt may have several parts (`a cat AND a dog :0.5`), which guide side by side, and each may change from step to
step (`[a cat:a dog:0.5]`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vcd_ext.hosts.diffusers.conditioning import Prompts
from vcd_ext.prompt import parts, schedule
from vcd_ext.prompt.comments import without_comments
from vcd_ext.prompt.networks import check_no_networks


class Conditions(NamedTuple):
    """What guides one step."""

    uncond: Tensor | None  # [rows, tokens, width] of the negative prompt; None where nothing depends on it
    conds: list[Tensor]  # of the prompt's parts, all with the same number of tokens
    scales: list[float]  # how strongly each part guides

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
            guided += scale * (cond - uncond)
        return guided


@dataclass(frozen=True)
class _Schedule:
    """Conditions [tokens, width], each up to a step; steps count from 0 here."""

    conditions: Tensor  # [n, tokens, width]
    ends: list[int]

    def at(self, step: int) -> Tensor:
        # The WebUI compares a step that counts from 0 with an end that counts from 1.
        return self.conditions[next((i for i, end in enumerate(self.ends) if step <= end), 0)]


@dataclass(frozen=True)
class Guidance:
    """The prompt and the negative prompt of a video, encoded."""

    uncond: _Schedule | None
    conds: list[_Schedule]
    scales: list[float]

    def at(self, step: int, rows: int) -> Conditions:
        """Return the conditions of step 0, 1, ... that is computed, with so many rows."""
        conds = [each.at(step) for each in self.conds]
        longest = max(map(len, conds))
        # As in the WebUI, the last vector of a shorter part is repeated.
        conds = [torch.cat([each, each[-1:].expand(longest - len(each), -1)]) for each in conds]
        uncond = None if self.uncond is None else self.uncond.at(step).expand(rows, -1, -1)
        return Conditions(uncond, [each.expand(rows, -1, -1) for each in conds], self.scales)

    @property
    def constant(self) -> Tensor:
        """The one condition [tokens, width] of the prompt; ValueError if it has several parts or changes."""
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
) -> Guidance:
    """Encode a prompt and a negative prompt for so many steps. embeddings: vectors [k, width] by name.

    ValueError, in one sentence, for a prompt that cannot be read.
    """
    prompt, negative_prompt = without_comments(prompt), without_comments(negative_prompt)
    check_no_networks(prompt, negative_prompt)

    def encoded(text: str) -> _Schedule:
        entries = schedule(text, steps)
        together = prompts.encode_together([said for _, said in entries], embeddings)
        return _Schedule(together, [end for end, _ in entries])

    texts = parts(prompt)
    scales = [cfg_scale * weight for _, weight in texts]
    uncond = None if scales == [1.0] else encoded(negative_prompt)
    return Guidance(uncond, [encoded(text) for text, _ in texts], scales)
