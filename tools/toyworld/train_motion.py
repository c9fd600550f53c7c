"""Train the temporal module of the drawn world as AnimateDiff's was: clips, a frozen denoiser, a linear schedule.

    python -m tools.toyworld.train_motion --autoencoder runs/autoencoder/autoencoder.safetensors \
        --denoiser runs/denoiser/denoiser.safetensors --clip runs/denoiser/clip --out runs/motion
    # a GPU: --device cuda --batch 16 --steps 20000 --clips 20000

Run the same command again after an interruption: it goes on from the last saved state, bit for bit (on the same kind
of machine, with the same number of threads). The loss counts most on subjects and faces (`emphasis`). The layout is
AnimateDiff v3's: no module in the UNet's middle.

Time and result: see vcd_ext/toyworld/MODEL_CARD.md.

Writes OUT/latents/, OUT/state.pt, OUT/log.jsonl and, at the end, OUT/motion.safetensors (AnimateDiff's names, the
averaged weights, float32).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPTokenizer

from vcd_ext.motion import attached
from vcd_ext.motion.attach import points
from vcd_ext.motion.module import BlockSize, MotionModule

from . import first_stage, second_stage
from .emphasis import covers, loss_weights
from .latents import bank
from .second_stage import STEPS, Denoiser, linear, noised
from .spec import FRAMES, sample
from .train_denoiser import SNR_LIMIT, allowed, tokenized, words
from .training import State, chance, descend, half, learning_rate, run, update_average
from .world import Render, render

NAMES = ("batch", "steps", "rate", "clips", "subject", "face", "seed")
DECAY, MAX_FRAMES, A_PART, FIRST_CLIP = 0.998, 32, 20, 1_000_000  # clips are none of the denoiser's pictures


class Data(NamedTuple):
    """What training reads: latents [N, F, 4, 16, 16], the numbers of their renders, tokenizer and frozen denoiser."""

    latents: Tensor
    weights: Tensor  # [N, F, 1, 16, 16], of the loss
    numbers: list[int]
    tokenizer: CLIPTokenizer
    denoiser: Denoiser


def main(arguments: list[str] | None = None) -> State[MotionModule]:
    """Train until the last step, or until `--stop-at`; the state then."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    settings: dict[str, Any] = {name: getattr(options, name) for name in NAMES}
    denoiser = second_stage.load(options.denoiser, options.clip).to(device)
    torch.manual_seed(options.seed)
    module = motion_module(denoiser).to(device)
    if options.start:
        module.load_state_dict(load_file(options.start))
    state = State.start(module, torch.optim.AdamW(module.parameters(), lr=options.rate, weight_decay=0.01))
    if state.resume(options.out / "state.pt", settings):
        print(f"continues after step {state.step}")
    autoencoder, scale = first_stage.load(options.autoencoder)
    numbers, autoencoder = allowed(options.clips, FIRST_CLIP), autoencoder.to(device)
    latents = bank(
        options.out / "latents", autoencoder, scale, lambda k: clip(numbers[k]), options.clips, options.a_part
    )
    covered = covers(options.out / "latents/covers.npy", numbers, drawn)
    weights = loss_weights(covered, options.subject, options.face)
    data = Data(latents, weights, numbers, CLIPTokenizer.from_pretrained(options.clip), denoiser)
    alphas, last = linear().to(device), min(options.steps, options.stop_at or options.steps)
    run(state, lambda: _step(state, data, options, alphas), options.out, settings, last, options.save_every)
    if state.step == options.steps or options.export:
        tensors = {name: value.cpu().contiguous() for name, value in state.average.state_dict().items()}
        save_file(tensors, options.out / "motion.safetensors")
        print(f"wrote {options.out / 'motion.safetensors'}")
    return state


def clip(number: int) -> NDArray[np.uint8]:
    """Return the clip of that number, [16, 128, 128, 3]."""
    return drawn(number).frames


def drawn(number: int) -> Render:
    """Return the clip of that number and its truth."""
    return render(sample(number, "train"))


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
    parser.add_argument("--denoiser", type=Path, required=True, help="what train_denoiser wrote")
    parser.add_argument("--clip", type=Path, required=True, help="the folder `clip` beside it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training; resumed if it has a state")
    parser.add_argument("--start", type=Path, help="begin with the weights of this motion module")
    parser.add_argument("--clips", type=int, default=1500)
    parser.add_argument("--a-part", type=int, default=A_PART, help="clips in a file of latents")
    parser.add_argument("--batch", type=int, default=2, help="clips of 16 frames")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    parser.add_argument("--subject", type=float, default=8.0, help="weight of the subject's places; others have 1")
    parser.add_argument("--face", type=float, default=20.0, help="weight of its face's places")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--export", action="store_true", help="write the file also if this is not the last step")
    parser.add_argument("--stop-at", type=int, default=None, help="stop after this step, to go on later")
    return parser.parse_args(arguments)


def _step(state: State[MotionModule], data: Data, options: argparse.Namespace, alphas: Tensor) -> float:
    device = alphas.device
    rng = np.random.default_rng([options.seed, state.step, 11])
    chosen = rng.integers(len(data.latents), size=options.batch)
    texts = [words(data.numbers[k], rng) for k in chosen]
    clips = data.latents[torch.from_numpy(chosen)].float().to(device)  # [B, F, 4, h, w]
    random = chance(options.seed, state.step, device)
    noise = torch.randn(clips.shape, generator=random, device=device)
    times = torch.randint(STEPS, (len(clips),), generator=random, device=device)
    with half(device), attached(data.denoiser.unet, state.model, FRAMES, dtype=torch.float32):
        text = data.denoiser.text(tokenized(data.tokenizer, texts).to(device)).last_hidden_state
        rows = noised(clips, noise, times, alphas).flatten(0, 1)
        predicted = data.denoiser.unet(
            rows, times.repeat_interleave(FRAMES), text.repeat_interleave(FRAMES, dim=0)
        ).sample.float()
    snr = alphas[times] / (1 - alphas[times])
    weight = (SNR_LIMIT / snr).clamp(max=1).float()
    places = data.weights[torch.from_numpy(chosen)].to(device)
    error = (places * (predicted.view_as(noise) - noise).square()).mean(dim=(1, 2, 3, 4))
    loss = (weight * error).mean()
    descend(state, loss, learning_rate(state.step, options.steps, options.rate))
    state.step += 1
    update_average(state, DECAY)
    return loss.item()


if __name__ == "__main__":
    main()
