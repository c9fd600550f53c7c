"""Teach a text encoder that has words what names mean: the vectors behind a text say the same as all looks in words.

    python -m tools.toyworld.teach_names --denoiser runs/denoiser --out runs/taught --steps 1500      # minutes

A denoiser learns a name as slowly as it once learned words; but it has words now. CLIP's text encoder looks back only,
so the vectors behind the end of a text hold all of it, and those of "photo of q q q q woman ..." are drawn to those of
"photo of a pale woman with long red hair and ...", as the untaught encoder gives them, while captions in words are held
where they are. Only the text encoder changes; a training with `--start` goes on from what this writes.
"""

from __future__ import annotations

import argparse
import copy
import shutil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from . import denoiser_file
from .captioning import tokenized
from .looks import phrase, traits
from .named import LENGTHS, LETTER, SHARES, Called, Names, hears
from .spec import sample
from .training import State, descend, learning_rate, update_average

_FIRST = 30_000_000_000  # numbers of clips whose captions are read; no picture is made of them


def main(arguments: list[str] | None = None) -> None:
    """Teach, and write OUT/denoiser.safetensors beside OUT/clip."""
    parser = argparse.ArgumentParser(description="Teach a text encoder what names mean.")
    parser.add_argument("--denoiser", type=Path, required=True, help="folder that train_denoiser exported into")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    denoiser = denoiser_file.load(options.denoiser / "denoiser.safetensors", options.denoiser / "clip")
    tokenizer = CLIPTokenizer.from_pretrained(options.denoiser / "clip")
    errors = teach_names(denoiser.text, tokenizer, options.steps, options.batch)
    print(f"error {errors[0]:.4f} -> {errors[-1]:.4f} of what names would say, as a share of the vectors' variance")
    shutil.copytree(options.denoiser / "clip", options.out / "clip", dirs_exist_ok=True)
    denoiser_file.save(denoiser, options.out / "denoiser.safetensors")


def teach_names(text: CLIPTextModel, tokenizer: CLIPTokenizer, steps: int, batch: int, seed: int = 0) -> list[float]:
    """Train `text` in place; return the error of names, as a share of the variance, every 50 steps and at the end."""
    names = Names(tokenizer, text.config.hidden_size)
    state = State.start(text, torch.optim.AdamW(text.parameters(), lr=1e-3, weight_decay=0.0))
    untaught = copy.deepcopy(text).requires_grad_(False)
    errors = []
    for step in range(steps):
        rng = np.random.default_rng([seed, step, 12])
        called, worded, people = _captions(rng, [_FIRST + step * batch + k for k in range(batch)])
        tokens, words = tokenized(tokenizer, called), tokenized(tokenizer, worded)
        with torch.no_grad():
            wanted = untaught(words).last_hidden_state
        with hears(text, names.rows(tokens, people, rng)):
            found = text(tokens).last_hidden_state
        behind = _behind(tokens) & _behind(words)
        error = (found - wanted)[behind].square().mean() / wanted[behind].var(dim=0).mean()
        held = (text(words).last_hidden_state - wanted).square().mean() / wanted.var(dim=(0, 1)).mean()
        descend(state, error + held, learning_rate(step, steps, 1e-3, max(steps // 20, 1)))
        state.step += 1
        update_average(state, 0.99)
        if step % 50 == 0 or step == steps - 1:
            errors.append(error.item())
            print(f"step {step}: names {error.item():.4f}, words held within {held.item():.4f}", flush=True)
    text.load_state_dict(state.average.state_dict())
    return errors


def _captions(rng: np.random.Generator, numbers: list[int]) -> tuple[list[str], list[str], list[Called]]:
    """Return captions that call by names, the same ones with all looks in words, and whom they call."""
    called: list[str] = []
    worded: list[str] = []
    people: list[Called] = []
    for number in numbers:
        spec, length = sample(number, "train"), int(rng.choice(LENGTHS, p=SHARES))
        text, who = spec.called(rng, " ".join([LETTER] * length))
        called.append(text)
        for one in who:
            text = text.replace(f"{' '.join([LETTER] * length)} {one.kind}", phrase(one.kind, traits(one)), 1)
        worded.append(text)
        people.append((who, length))
    return called, worded, people


def _behind(tokens: Tensor) -> Tensor:
    """Return which places [B, L] are behind the end of each text, its end token among them."""
    end = (tokens == tokens[:, -1:]).int().argmax(dim=1)
    return torch.arange(tokens.shape[1])[None] >= end[:, None]


if __name__ == "__main__":
    main()
