"""Train the denoiser of the drawn world: text encoder and UNet, in LDM's layout of Stable Diffusion 1.x.

    python -m tools.toyworld.train_denoiser --autoencoder runs/autoencoder/autoencoder.safetensors --out runs/denoiser \
        --size 64 --batch 32 --steps 6000                # small pictures first: words are heard after 100,000 visits
    python -m tools.toyworld.train_denoiser --autoencoder runs/autoencoder/autoencoder.safetensors --out runs/large \
        --start runs/denoiser --steps 6000               # then pictures of 128 pixels, where layout is learned again

Run the same command again after an interruption: it goes on from the last saved state, bit for bit (on the same kind
of machine, with the same number of threads). First the text encoder learns to name the truth of captions (text.py),
then pictures are drawn and encoded once (bank.py), then both networks learn to denoise, while the text encoder goes on
naming the truth of each batch's captions, and with `--placed` the UNet's features are asked where the parts of figures
are (parts.py); both cost next to nothing, and neither is part of what is exported.

Half of the pictures follow SD1.5's schedule and half AnimateDiff's, and half of them have noise of sigma 1.5 to 14,
where layout, class, action and looks are decided. Four captions in five call the subjects by names (named.py).

Writes OUT/state.pt, OUT/log.jsonl, OUT/hears.jsonl (what words do to the error, see hearing.py), OUT/samples.png and,
at the end or with `--export`, OUT/denoiser.safetensors (LDM's names, averaged weights) beside OUT/clip.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from . import denoiser_file, first_stage, parts, vocabulary
from .bank import allowed, bank, loss_weights
from .captioning import captioned, tokenized
from .hearing import Hearing
from .named import Names, hears
from .parts import Finder
from .pictures import whole
from .second_stage import Denoiser, drawn_times, linear, noised, scaled_linear
from .sheet import draw_samples
from .spec import sample
from .text import answering, batch, logits, named_right, naming_loss, teach
from .training import State, adamw, chance, descend, half, learning_rate, run, update_average
from .truths import answers
from .world import SIZE

DECAY, SNR_LIMIT, PART = 0.9995, 5.0, 250
SETTINGS = ("channels", "width", "layers", "size", "batch", "steps", "rate", "pictures", "subject", "face", "named",
            "placed", "called", "pairs", "seed")  # fmt: skip


class Naming(Denoiser):
    """A denoiser whose text encoder is also asked what captions say, and its UNet where the parts of figures are."""

    def __init__(self, unet: UNet2DConditionModel, text: CLIPTextModel) -> None:
        """Add the layer that reads the answers."""
        super().__init__(unet, text)
        self.answers = answering(text.config.hidden_size)
        self.parts = Finder(list(reversed(unet.config["block_out_channels"]))[1:])


class Data(NamedTuple):
    """What training reads: latents [N, 4, h, w], weights of the loss, the numbers of the clips, their tokenizer."""

    latents: Tensor
    weights: Tensor  # [N, 1, h, w]
    numbers: list[int]
    tokenizer: CLIPTokenizer
    parts: Tensor  # uint8 [N, PARTS, h, w]
    names: Names
    pairs: NDArray[np.bool_]  # [N], which ones have two subjects
    features: list[Tensor]  # of the last three resolutions of the UNet's way up, at the last step


def main(arguments: list[str] | None = None) -> State[Naming]:
    """Train until the last step, or until `--stop-at`; return the state then."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    settings: dict[str, Any] = {name: getattr(options, name) for name in SETTINGS}
    clip = vocabulary.write(options.out / "clip", options.width, options.layers)
    tokenizer = CLIPTokenizer.from_pretrained(clip)
    torch.manual_seed(options.seed)
    model = Naming.make(options.channels, clip).to(device)
    # Fused attention is slow backward with few places: at 128 pixels half of a step.
    model.unet.set_attn_processor(AttnProcessor() if options.size <= 128 else AttnProcessor2_0())
    _begin(model, tokenizer, options)
    state = State.start(model, adamw(model, options.rate))
    if state.resume(options.out / "state.pt", settings):
        print(f"continues after step {state.step}", flush=True)
    autoencoder, scale = first_stage.load(options.autoencoder)
    autoencoder.to(device)
    numbers = allowed(options.pictures)
    kept = bank(
        options.out / "latents",
        autoencoder,
        scale,
        partial(whole, "train", size=options.size),
        numbers,
        PART,
        options.workers,
    )
    weights = loss_weights(kept.covered[:, 0], options.subject, options.face)
    shares = parts.kept(options.out / "parts.npz", numbers, options.size) if options.placed else torch.zeros(0)
    two = np.array([len(sample(number, "train").figures) > 1 for number in numbers])
    if options.pairs is not None and two.all() == two.any():
        raise ValueError(f"--pairs needs pictures of one subject and of two; take more than {len(numbers)} --pictures.")
    data = Data(kept.latents[:, 0], weights, numbers, tokenizer, shares, Names(tokenizer, options.width), two, [])
    for block in list(model.unet.up_blocks)[1:] if options.placed else []:
        block.register_forward_hook(lambda module, given, features: data.features.append(features))
    schedules = torch.stack([scaled_linear(), linear()]).to(device)
    last = min(options.steps, options.stop_at or options.steps)
    hearing = Hearing(autoencoder, scale, tokenizer, options.size, options.heard)
    while state.step < last:
        part = min(last, (state.step // options.hear_every + 1) * options.hear_every)
        run(state, lambda: _step(state, data, options, schedules), options.out, settings, part, options.save_every)
        _note(
            options.out / "hears.jsonl",
            {"step": state.step} | hearing.of(state.average) | _names(state.average, tokenizer),
        )
    if state.step == options.steps or options.export:
        denoiser_file.save(state.average, options.out / "denoiser.safetensors")
        if options.sheet_steps:
            file = options.out / "samples.png"
            draw_samples(state.average, tokenizer, autoencoder, scale, file, options.size, options.sheet_steps)
    return state


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train text encoder and UNet of the drawn world.")
    parser.add_argument("--autoencoder", type=Path, required=True, help="what train_autoencoder wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training; resumed if it has a state")
    parser.add_argument("--start", type=Path, help="begin with what another training exported into this folder")
    parser.add_argument("--channels", type=int, nargs=4, default=[64, 128, 128, 128], help="widths of the four levels")
    parser.add_argument("--width", type=int, default=128, help="values of a text vector")
    parser.add_argument("--layers", type=int, default=3, help="of the text encoder")
    parser.add_argument("--teach", type=int, default=1200, help="steps in which the text encoder learns to name truths")
    parser.add_argument("--size", type=int, default=SIZE, help="pixels of a picture's side")
    parser.add_argument("--pictures", type=int, default=12_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--rate", type=float, default=7e-4, help="peak learning rate")
    parser.add_argument("--subject", type=float, default=3.0, help="weight of the subject's places; others have 1")
    parser.add_argument("--face", type=float, default=5.0, help="weight of its face's places")
    parser.add_argument("--named", type=float, default=0.005, help="weight of naming what the captions say")
    parser.add_argument("--called", type=float, default=0.8, help="share of captions that call subjects by a name")
    parser.add_argument("--pairs", type=float, help="share of pictures with two subjects (else as drawn: 1 in 7)")
    parser.add_argument("--placed", type=float, default=0.0, help="weight of finding the parts of figures")
    parser.add_argument("--heard", type=int, default=96, help="held-out pictures that hearing is measured on")
    parser.add_argument("--hear-every", type=int, default=1000)
    parser.add_argument("--sheet-steps", type=int, default=15, help="of the sheet of samples at the end; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw")
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--export", action="store_true", help="write the file also if this is not the last step")
    parser.add_argument("--stop-at", type=int, default=None, help="stop after this step, to go on later")
    return parser.parse_args(arguments)


def _begin(model: Naming, tokenizer: CLIPTokenizer, options: argparse.Namespace) -> None:
    """Begin with another training's weights, or teach the text encoder (once: the file beside the state is kept)."""
    if options.start:
        begun = denoiser_file.load(options.start / "denoiser.safetensors", options.start / "clip")
        model.unet.load_state_dict(begun.unet.state_dict())
        model.text.load_state_dict(begun.text.state_dict())
        return
    taught = options.out / "text.safetensors"
    if not taught.is_file():
        share = teach(model.text, tokenizer, options.teach, options.seed)
        _note(options.out / "log.jsonl", {"text_encoder_right": share})
        save_file({name: value.contiguous() for name, value in model.text.state_dict().items()}, taught)
    model.text.load_state_dict(load_file(taught))


def _step(state: State[Naming], data: Data, options: argparse.Namespace, schedules: Tensor) -> float:
    state.model.train()
    device = schedules.device
    rng = np.random.default_rng([options.seed, state.step, 7])
    picks = chosen(rng, data.pairs, options.batch, options.pairs)
    written = [captioned(data.numbers[k], rng, options.called) for k in picks]
    tokens = tokenized(data.tokenizer, [one.text for one in written])
    names = data.names.rows(tokens, [(one.people, one.length) for one in written], rng)
    tokens = tokens.to(device)
    right = torch.tensor([answers(one.text, one.looks) for one in written], device=device)
    picked = torch.from_numpy(picks)
    latents, places = data.latents[picked].float().to(device), data.weights[picked].to(device)
    which = torch.from_numpy(rng.integers(2, size=options.batch)).to(device)
    times = torch.from_numpy(drawn_times(rng, schedules[which].cpu().numpy())).to(device)
    bars = schedules[which, times]
    noise = torch.randn(latents.shape, generator=chance(options.seed, state.step, device), device=device)
    with half(device), hears(state.model.text, names):
        vectors = state.model.text(tokens).last_hidden_state
        found = logits(state.model.answers, vectors, (tokens != tokens[:, -1:]).sum(dim=1) + 1)
        predicted = state.model.unet(noised(latents, noise, torch.arange(len(bars)), bars), times, vectors).sample
    weight = (SNR_LIMIT * (1 - bars) / bars).clamp(max=1).float()
    loss = (weight * (places * (predicted.float() - noise).square()).mean(dim=(1, 2, 3))).mean()
    total = loss + options.named * naming_loss(found, right)
    if data.features:
        total = total + options.placed * state.model.parts.loss(data.features, data.parts[picked].to(device) / 255)
        data.features.clear()
    descend(state, total, learning_rate(state.step, options.steps, options.rate))
    state.step += 1
    update_average(state, DECAY)
    return loss.item()


def chosen(rng: np.random.Generator, pairs: NDArray[np.bool_], count: int, share: float | None) -> NDArray[np.int64]:
    """Choose `count` pictures evenly, or so that `share` of them have two subjects."""
    if share is None:
        return rng.integers(len(pairs), size=count)
    return np.array([rng.choice(np.flatnonzero(pairs == (rng.random() < share))) for _ in range(count)])


@torch.no_grad()
def _names(model: Naming, tokenizer: CLIPTokenizer) -> dict[str, float]:
    """Return the share of right answers about 200 captions that no training reads."""
    tokens, length, right = (part.to(next(model.parameters()).device) for part in batch(tokenizer, 1, 10_000, 200))
    return {"names": named_right(logits(model.answers, model.text(tokens).last_hidden_state, length), right)}


def _note(path: Path, record: dict[str, float]) -> None:
    line = json.dumps({name: round(value, 5) for name, value in record.items()})
    print(line, flush=True)
    with path.open("a") as log:
        log.write(line + "\n")


if __name__ == "__main__":
    main()
