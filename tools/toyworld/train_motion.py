"""Train the temporal module of the drawn world as AnimateDiff's was: clips, and a denoiser that stays as it is.

    python -m tools.toyworld.train_motion --autoencoder runs/autoencoder/autoencoder.safetensors \
        --denoiser runs/denoiser --out runs/motion

Run the same command again after an interruption: it goes on from the last saved state, bit for bit (on the same kind
of machine, with the same number of threads). Half of the clips follow AnimateDiff's schedule and half SD1.5's, and half
have noise of sigma 1.5 to 14, where motion is decided. The layout is AnimateDiff v3's: no module in the UNet's middle.

Writes OUT/latents/, OUT/state.pt, OUT/log.jsonl and, at the end or with `--export`, OUT/motion.safetensors
(AnimateDiff's names, averaged weights).
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPTokenizer

from vcd_ext.motion import attached
from vcd_ext.motion.attach import points
from vcd_ext.motion.module import BlockSize, MotionModule

from . import denoiser_file, first_stage
from .bank import allowed, bank, loss_weights
from .captioning import tokenized, worded
from .second_stage import Denoiser, drawn_times, linear, noised, scaled_linear
from .spec import FRAMES, sample
from .train_denoiser import SNR_LIMIT
from .training import State, chance, descend, half, learning_rate, plain_attention, run, update_average
from .training_options import add_training_options
from .world import SIZE, Render, render

NAMES = ("batch", "steps", "rate", "clips", "size", "subject", "face", "seed")
DECAY, PART, MAX_FRAMES, FIRST_CLIP = 0.999, 10, 32, 1_000_000  # clips are none of the denoiser's pictures


class Data(NamedTuple):
    """What training reads: latents [N, F, 4, h, w], weights of the loss, and the numbers of the clips."""

    latents: Tensor
    weights: Tensor  # [N, F, 1, h, w]
    numbers: list[int]
    tokenizer: CLIPTokenizer
    denoiser: Denoiser


def main(arguments: list[str] | None = None) -> State[MotionModule]:
    """Train until the last step, or until `--stop-at`; return the state then."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    settings: dict[str, Any] = {name: getattr(options, name) for name in NAMES}
    denoiser = denoiser_file.load(options.denoiser / "denoiser.safetensors", options.denoiser / "clip")
    denoiser.requires_grad_(False).eval().to(device)
    denoiser.unet.set_attn_processor(AttnProcessor() if options.size <= 128 else AttnProcessor2_0())
    torch.manual_seed(options.seed)
    module = motion_module(denoiser).to(device)
    if options.start:
        module.load_state_dict(load_file(options.start))
    state = State.start(module, torch.optim.AdamW(module.parameters(), lr=options.rate, weight_decay=0.01))
    if state.resume(options.out / "state.pt", settings):
        print(f"continues after step {state.step}", flush=True)
    autoencoder, scale = first_stage.load(options.autoencoder)
    numbers, autoencoder = allowed(options.clips, FIRST_CLIP), autoencoder.to(device)
    kept = bank(
        options.out / "latents", autoencoder, scale, partial(clip, size=options.size), numbers, PART, options.workers
    )
    weights = loss_weights(kept.covered, options.subject, options.face)
    tokenizer = CLIPTokenizer.from_pretrained(options.denoiser / "clip")
    data = Data(kept.latents, weights, numbers, tokenizer, denoiser)
    schedules = torch.stack([linear(), scaled_linear()]).to(device)
    last = min(options.steps, options.stop_at or options.steps)
    with plain_attention(device):
        run(state, lambda: _step(state, data, options, schedules), options.out, settings, last, options.save_every)
    if state.step == options.steps or options.export:
        tensors = {name: value.cpu().contiguous() for name, value in state.average.state_dict().items()}
        save_file(tensors, options.out / "motion.safetensors")
        print(f"wrote {options.out / 'motion.safetensors'}", flush=True)
    return state


def clip(number: int, size: int) -> Render:
    """Draw the clip of that number of the training split, 16 frames of `size` pixels."""
    return render(sample(number, "train"), size=size)


def motion_module(denoiser: Denoiser) -> MotionModule:
    """Return a new module that changes nothing yet: its last layers are zero."""
    places = {name: point for name, point in points(denoiser.unet).items() if not name.startswith("mid_block")}
    module = MotionModule("v3", {name: BlockSize(point.channels, 1, 2, MAX_FRAMES) for name, point in places.items()})
    for block in module.blocks.values():
        nn.init.zeros_(block.proj_out.weight)
        nn.init.zeros_(block.proj_out.bias)
    return module


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the temporal module of the drawn world.")
    parser.add_argument("--autoencoder", type=Path, required=True, help="what train_autoencoder wrote")
    parser.add_argument("--denoiser", type=Path, required=True, help="folder that train_denoiser exported into")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training; resumed if it has a state")
    parser.add_argument("--start", type=Path, help="begin with the weights of this motion module")
    parser.add_argument("--clips", type=int, default=2500)
    parser.add_argument("--size", type=int, default=SIZE, help="pixels of a picture's side")
    parser.add_argument("--batch", type=int, default=2, help="clips of 16 frames")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    parser.add_argument("--subject", type=float, default=3.0, help="weight of the subject's places; others have 1")
    parser.add_argument("--face", type=float, default=5.0, help="weight of its face's places")
    add_training_options(parser, save_every=50)
    return parser.parse_args(arguments)


def _step(state: State[MotionModule], data: Data, options: argparse.Namespace, schedules: Tensor) -> float:
    device = schedules.device
    rng = np.random.default_rng([options.seed, state.step, 11])
    picked = torch.from_numpy(rng.integers(len(data.latents), size=options.batch))
    texts = [worded(data.numbers[k], rng)[0] for k in picked.tolist()]
    clips = data.latents[picked].float().to(device)  # [B, F, 4, h, w]
    random = chance(options.seed, state.step, device)
    noise = torch.randn(clips.shape, generator=random, device=device)
    which = torch.from_numpy(rng.integers(2, size=options.batch)).to(device)
    times = torch.from_numpy(drawn_times(rng, schedules[which].cpu().numpy())).to(device)
    bars = schedules[which, times]
    with half(device), attached(data.denoiser.unet, state.model, FRAMES, dtype=torch.float32):
        text = data.denoiser.text(tokenized(data.tokenizer, texts).to(device)).last_hidden_state
        rows = noised(clips, noise, torch.arange(len(bars)), bars).flatten(0, 1)
        predicted = data.denoiser.unet(
            rows, times.repeat_interleave(FRAMES), text.repeat_interleave(FRAMES, dim=0)
        ).sample.float()
    weight = (SNR_LIMIT * (1 - bars) / bars).clamp(max=1).float()
    places = data.weights[picked].to(device)
    error = (places * (predicted.view_as(noise) - noise).square()).mean(dim=(1, 2, 3, 4))
    loss = (weight * error).mean()
    descend(state, loss, learning_rate(state.step, options.steps, options.rate))
    state.step += 1
    update_average(state, DECAY)
    return loss.item()


if __name__ == "__main__":
    main()
