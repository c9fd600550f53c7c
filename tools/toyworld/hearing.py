"""How well a denoiser hears words: what a right, a lacking and a wrong caption do to its error on the subject.

Measured at sigma 6, where the picture is not yet decided, on held-out clips with one subject. A model that hears has a
smaller error with the subject's looks than with its class word alone, and a larger one with another action or class.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from transformers import CLIPTokenizer

from .bank import encoded
from .captions import caption
from .identity import KINDS
from .looks import phrase, traits
from .motion import ACTIONS
from .named import LETTER, Names, hears
from .pictures import covers, whole
from .second_stage import Denoiser, noised, scaled_linear
from .spec import Spec
from .training import half

SIGMA = 6.0
NAME = 4  # vectors of a name


class Hearing:
    """Held-out pictures, their captions, right and wrong ones."""

    def __init__(
        self, model: AutoencoderKL, scale: float, tokenizer: CLIPTokenizer, size: int, count: int, first: int = 700_000
    ) -> None:
        """Draw and encode `count` pictures of `size` pixels."""
        drawn = [whole("test", first + k, size, subjects=1, distance="plain") for k in range(count)]
        with torch.no_grad():
            self.latents = torch.cat([encoded(model, one.frames) * scale for one in drawn])
        shown = torch.from_numpy(np.stack([covers(one)[0] for one in drawn]))
        self.places = torch.nn.functional.avg_pool2d(shown[:, None], 8)
        self.texts = {
            name: [_text(one.spec, name) for one in drawn] for name in ("class", "all", "action", "kind", "name")
        }
        self.who = [one.spec.who for one in drawn]
        self.tokenizer = tokenizer
        self.tokens: dict[str, Tensor] = {
            name: tokenizer(texts, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids
            for name, texts in self.texts.items()
        }

    @torch.no_grad()
    def of(self, model: Denoiser) -> dict[str, float]:
        """Return the change of the subject's error, in percent, against the class word (looks) or all words."""
        device = next(model.parameters()).device
        bars = scaled_linear()
        time = int((((1 - bars) / bars).sqrt() - SIGMA).abs().argmin())
        noise = torch.randn(self.latents.shape, generator=torch.Generator().manual_seed(1))
        names = Names(self.tokenizer, model.text.config.hidden_size)
        errors = {
            name: self._error(model, device, bars, time, noise, tokens, names if name == "name" else None)
            for name, tokens in self.tokens.items()
        }
        return {
            "looks": 100 * (errors["all"] / errors["class"] - 1),
            "name": 100 * (errors["name"] / errors["class"] - 1),
            "wrong_action": 100 * (errors["action"] / errors["all"] - 1),
            "wrong_kind": 100 * (errors["kind"] / errors["all"] - 1),
            "error": errors["all"],
        }

    def _error(
        self, model: Denoiser, device: torch.device, bars: Tensor, time: int, noise: Tensor, tokens: Tensor,
        names: Names | None,
    ) -> float:  # fmt: skip
        """Return the error on the subjects; with `names`, each is called by one of four vectors."""
        total = 0.0
        for first in range(0, len(noise), 32):
            part = slice(first, first + 32)
            times = torch.full((len(noise[part]),), time, device=device)
            rows = noised(self.latents[part], noise[part], times.cpu(), bars).to(device)
            people = [([who], NAME) for who in self.who[part]]
            with half(device), hears(model.text, names.rows(tokens[part], people)) if names else nullcontext():
                predicted = model(rows, times, tokens[part].to(device)).float().cpu()
            total += float(((predicted - noise[part]).square() * self.places[part]).sum())
        return total / float(self.places.sum() * noise.shape[1])


def _text(spec: Spec, which: str) -> str:
    who = spec.who
    kind = KINDS[(KINDS.index(who.kind) + 2) % 4] if which == "kind" else who.kind
    action = ACTIONS[(ACTIONS.index(spec.action) + 1 + spec.seed % 3) % 4] if which == "action" else spec.action
    if which == "name":
        return caption(
            [f"{' '.join([LETTER] * NAME)} {kind}"], spec.scene, spec.action, spec.distance, spec.light, spec.facing
        )
    subject = f"a {kind}" if which in ("class", "kind") else phrase(who.kind, traits(who))
    return caption([subject], spec.scene, action, spec.distance, spec.light, spec.facing)
