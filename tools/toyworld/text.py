"""Teach the text encoder of the drawn world to name the truth of a caption, before any denoiser listens to it.

A denoiser that learns from nothing hears a word only after its text encoder keeps the word apart; asked directly, the
encoder learns that within minutes. The answers are read off the vectors from the end of the text on, which see all of
it (CLIP's text encoder looks back only).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from .spec import sample
from .training import State, descend, half, learning_rate, update_average
from .truths import QUESTIONS, answers

READ = 56  # tokens, as many as a caption has and a few of what comes behind it
_FIRST = 20_000_000_000  # numbers of clips whose captions are read; no picture is made of them


class Reader(nn.Module):
    """A text encoder and one answer for each question."""

    def __init__(self, text: CLIPTextModel) -> None:
        """Read the answers off `text`."""
        super().__init__()
        self.text = text
        self.answers = answering(text.config.hidden_size)

    def forward(self, tokens: Tensor, length: Tensor) -> list[Tensor]:
        """Return logits [B, choices] for each question; tokens [B, L], `length` [B] up to the end of the text."""
        return logits(self.answers, self.text(tokens).last_hidden_state, length)


def answering(width: int) -> nn.Linear:
    """Make the layer that reads the answers off a text's vectors of `width` values."""
    return nn.Linear(width, sum(map(len, QUESTIONS.values())))


def logits(layer: nn.Linear, vectors: Tensor, length: Tensor) -> list[Tensor]:
    """Return logits [B, choices] for each question, off the vectors [B, L, width] behind `length` [B] of the text."""
    after = torch.arange(vectors.shape[1], device=vectors.device)[None] >= length[:, None] - 1
    mean = (vectors * after[..., None]).sum(dim=1) / after.sum(dim=1, keepdim=True)
    return list(layer(mean).split([len(choices) for choices in QUESTIONS.values()], dim=1))


def naming_loss(found: list[Tensor], right: Tensor) -> Tensor:
    """Return the cross-entropy of all answers, summed over the questions; `right` [B, questions]."""
    losses = [F.cross_entropy(one.float(), answer) for one, answer in zip(found, right.T, strict=True)]
    return torch.stack(losses).sum()


def batch(tokenizer: CLIPTokenizer, seed: int, step: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return tokens [B, 56], lengths [B] and answers [B, questions] of captions that nobody read before."""
    rng = np.random.default_rng([seed, step, 8])
    first = _FIRST + step * size
    said = [sample(first + k, "train").said(rng) for k in range(size)]
    said = [("", []) if rng.random() < 0.02 else one for one in said]
    texts = [text for text, _ in said]
    kept = tokenizer(texts, padding="max_length", max_length=READ, truncation=True, return_tensors="pt")
    right = torch.tensor([answers(text, looks) for text, looks in said])
    return kept.input_ids, kept.attention_mask.sum(dim=1), right


def teach(text: CLIPTextModel, tokenizer: CLIPTokenizer, steps: int, seed: int = 0, size: int = 48) -> float:
    """Train `text` in place, for `steps` steps of `size` captions; return the share of right answers at the end.

    Only answers other than "unsaid" count in the share.
    """
    device = next(text.parameters()).device
    state = State.start(model := Reader(text).to(device), torch.optim.AdamW(model.parameters(), lr=1e-3))
    shares = []
    for _ in range(steps):
        tokens, length, right = (part.to(device) for part in batch(tokenizer, seed, state.step, size))
        with half(device):
            found = model(tokens, length)
        descend(state, naming_loss(found, right), learning_rate(state.step, steps, 2e-3, max(steps // 10, 1)))
        state.step += 1
        update_average(state, 0.99)
        if state.step > steps - 20 or state.step % 100 == 0:
            shares.append(named_right(found, right))
        if state.step % 100 == 0:
            print(f"text encoder: step {state.step}, right {shares[-1]:.3f}", flush=True)
    text.load_state_dict(state.average.text.state_dict())
    return float(np.mean(shares[-20:])) if shares else 0.0


@torch.no_grad()
def named_right(found: list[Tensor], right: Tensor) -> float:
    """Return the share of right answers among those that are not "unsaid"."""
    chosen = torch.stack([one.argmax(dim=1) for one in found], dim=1)
    return float((chosen == right)[right > 0].float().mean())
