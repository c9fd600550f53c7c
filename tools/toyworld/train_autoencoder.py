"""Train the autoencoder of the drawn world: KL, factor 8, 4 latent channels, in LDM's `first_stage_model` layout.

    python -m tools.toyworld.train_autoencoder --out runs/autoencoder                          # 2 CPU cores
    python -m tools.toyworld.train_autoencoder --out runs/autoencoder --device cuda --batch 64 --steps 30000 \
        --channels 64 128 128 128 --workers 14                                                 # a GPU

Run the same command again after an interruption: it goes on from the last saved state, bit for bit (on the same
kind of machine, with the same number of threads). Every picture is drawn fresh and seen once.

Time: 1.85 CPU seconds a step of 8 at the default widths, so about 3.5 hours for 12,000 steps on 2 free cores; 3.6 CPU
seconds at widths 64 64 128 128. On a GPU: not yet measured.

Expected: NOT YET MEASURED. Wanted: at least 27 dB PSNR on held-out renders, 26 without a GPU.

Writes OUT/state.pt, OUT/log.jsonl, OUT/held_out.png (pictures above their reconstructions) and, at the end,
OUT/autoencoder.safetensors (LDM's names, the averaged weights, the scale factor in its metadata).

LDM's group norm always has 32 groups, so every width is a multiple of 32. At width 32 a group is one channel, which
seems to cost: after 200 steps on half-size pictures (one seed) 16.1 dB against 17.4 with 16 groups. With a GPU, begin
at 64.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from .first_stage import autoencoder, load, to_ldm
from .pictures import Pictures, batches
from .training import State, chance, descend, half, learning_rate, update_average

DECAY = 0.999


def main(arguments: list[str] | None = None) -> State[AutoencoderKL]:
    """Train until the last step, or until `--stop-at`; the state then."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    names = ("channels", "layers", "batch", "steps", "rate", "kl", "subject", "seed")
    settings: dict[str, Any] = {name: getattr(options, name) for name in names}
    torch.manual_seed(options.seed)
    model = autoencoder(options.channels, options.layers).to(device)
    if options.start:
        model.load_state_dict(load(options.start)[0].state_dict())
    state = State.start(model, torch.optim.Adam(model.parameters(), lr=options.rate, betas=(0.9, 0.99)))
    if state.resume(options.out / "state.pt", settings):
        print(f"continues after step {state.step}")
    _train(state, options, settings, device)
    if state.step == options.steps:
        _export(state, options.out, 4 * options.held_out, device)
    return state


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the autoencoder of the drawn world.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training; resumed if it has a state")
    parser.add_argument("--start", type=Path, help="begin with the weights of this autoencoder.safetensors")
    parser.add_argument("--channels", type=int, nargs=4, default=[32, 64, 64, 64], help="widths of the four levels")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--kl", type=float, default=1e-4, help="weight of the KL term, a mean over latents")
    parser.add_argument("--subject", type=float, default=3.0, help="weight of the subject's pixels; others have 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that draw")
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--measure-every", type=int, default=1000)
    parser.add_argument("--held-out", type=int, default=64, help="pictures of the test split to measure on")
    parser.add_argument("--stop-at", type=int, default=None, help="stop after this step, to go on later")
    return parser.parse_args(arguments)


def _train(
    state: State[AutoencoderKL], options: argparse.Namespace, settings: dict[str, Any], device: torch.device
) -> None:
    last = min(options.steps, options.stop_at or options.steps)
    started, first = time.time(), state.step
    for pictures in batches("train", state.step, last, options.batch, options.workers):
        record = _step(state, pictures.to(device), options)
        if state.step % options.save_every == 0 or state.step == last:
            state.save(options.out / "state.pt", settings)
        if state.step % options.measure_every == 0 or state.step == last:
            record |= measure(state.average, options.held_out, options.out / "held_out.png", device)
        if state.step % 50 == 0 or "psnr" in record:
            record |= {"step": state.step, "seconds_a_step": (time.time() - started) / (state.step - first)}
            line = json.dumps({name: round(value, 5) for name, value in record.items()})
            print(line, flush=True)
            with (options.out / "log.jsonl").open("a") as log:
                log.write(line + "\n")


def _step(state: State[AutoencoderKL], drawn: Tensor, options: argparse.Namespace) -> dict[str, float]:
    state.model.train()
    pictures, masks = drawn[:, :3], drawn[:, 3:]
    random = chance(options.seed, state.step, pictures.device)
    with half(pictures.device):
        latents = state.model.encode(pictures).latent_dist
        noise = torch.randn(latents.mean.shape, generator=random, device=pictures.device)
        again = state.model.decode(latents.mean + latents.std * noise).sample
    weight = 1 + (options.subject - 1) * masks
    error = weight / weight.mean() * (again.float() - pictures)
    kl = 0.5 * (latents.mean**2 + latents.var - 1 - latents.logvar).float().mean()
    loss = error.abs().mean() + (error**2).mean() + 0.5 * _edges(error) + options.kl * kl
    norm = descend(state, loss, learning_rate(state.step, options.steps, options.rate))
    state.step += 1
    update_average(state, DECAY)
    return {"loss": loss.item(), "kl": kl.item(), "gradient": norm}


def _edges(error: Tensor) -> Tensor:
    """Return the mean difference between neighbours' errors: sharp edges cost nothing, blurred ones do."""
    return error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()


@torch.no_grad()
def measure(model: AutoencoderKL, count: int, sheet: Path, device: torch.device) -> dict[str, float]:
    """PSNR in dB on held-out pictures (mean over pictures), and the latents' spread; writes a sheet of the first 8."""
    pictures = torch.stack([Pictures("test", count)[k][:3] for k in range(count)])
    latents, errors, first = [], [], None
    for part in pictures.split(8):
        code = model.encode(part.to(device)).latent_dist.mode()
        again = model.decode(code).sample.clamp(-1, 1).cpu()
        first = torch.cat([part, again], dim=2) if first is None else first
        latents.append(code.cpu())
        errors.append(F.mse_loss(again, part, reduction="none").mean(dim=(1, 2, 3)) / 4)
    if first is not None:
        strip = ((torch.cat(list(first), dim=2) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(np.ascontiguousarray(strip)).save(sheet)
    psnr = -10 * torch.log10(torch.cat(errors)).mean()
    return {"psnr": float(psnr), "latent_std": float(torch.cat(latents).std())}


def _export(state: State[AutoencoderKL], out: Path, count: int, device: torch.device) -> None:
    result = measure(state.average, count, out / "held_out.png", device)
    tensors = {name: value.cpu().contiguous() for name, value in to_ldm(state.average.state_dict()).items()}
    facts = {"psnr": f"{result['psnr']:.2f}", "scale_factor": f"{1 / result['latent_std']:.5f}"}
    save_file(tensors, out / "autoencoder.safetensors", metadata=facts)
    print(f"wrote {out / 'autoencoder.safetensors'}: {facts}")


if __name__ == "__main__":
    main()
