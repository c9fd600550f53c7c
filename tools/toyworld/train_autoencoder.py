"""Train the autoencoder of the drawn world: KL, factor 8, 4 latent channels, in LDM's `first_stage_model` layout.

    python -m tools.toyworld.train_autoencoder --out runs/autoencoder --steps 6000             # encoder and decoder
    python -m tools.toyworld.train_autoencoder --out runs/decoder --start runs/autoencoder/autoencoder.safetensors \
        --decoder --critic 0.1 --steps 2000                                                 # decoder, sharper edges

Run the same command again after an interruption: it goes on from the last saved state, bit for bit (on the same
kind of machine, with the same number of threads). Every window is drawn fresh and seen once.

`--grow FILE` begins with a smaller autoencoder: blocks that it does not have begin as the identity.
`--decoder` leaves the encoder, and so the latents that a denoiser was trained on, as they are; `--critic` adds a small
network that tells windows from reconstructions by patches (Isola et al., arXiv 1611.07004) to the decoder's loss.
Every fourth step asks that latents of half the size are those of a picture of half the size (arXiv 2502.09509).

Writes OUT/state.pt, OUT/log.jsonl, OUT/held_out.png (pictures above their reconstructions) and, at the end or with
`--export`, OUT/autoencoder.safetensors (LDM's names, averaged weights, the scale factor in its metadata).
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
from torch import Tensor, nn

from .critic import Critic, critic_loss, deceived
from .first_stage import autoencoder, load, to_ldm
from .pictures import batches, colours, covers, whole
from .training import State, chance, descend, half, learning_rate, update_average
from .training_options import add_training_options

DECAY = 0.999
SUBJECT, FACE, KL = 3.0, 6.0, 1e-4  # weights of their pixels (others have 1), and of the KL term


class Autoencoding(nn.Module):
    """The autoencoder and, when it is trained against one, the critic: what a state holds."""

    def __init__(self, model: AutoencoderKL, critic: Critic) -> None:
        """Hold both."""
        super().__init__()
        self.model, self.critic = model, critic


def main(arguments: list[str] | None = None) -> State[Autoencoding]:
    """Train until the last step, or until `--stop-at`; return the state then."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    names = ("channels", "layers", "batch", "steps", "rate", "decoder", "critic", "size", "seed")
    settings: dict[str, Any] = {name: getattr(options, name) for name in names}
    torch.manual_seed(options.seed)
    model = autoencoder(options.channels, options.layers)
    if options.start:
        model.load_state_dict(load(options.start)[0].state_dict())
    elif options.grow:
        grow(model, load(options.grow)[0])
    if options.decoder:
        for part in (model.encoder, model.quant_conv):
            part.requires_grad_(False)
    both = Autoencoding(model, Critic()).to(device)
    trained = [value for value in both.parameters() if value.requires_grad]
    state = State.start(both, torch.optim.Adam(trained, lr=options.rate, betas=(0.9, 0.99)))
    if state.resume(options.out / "state.pt", settings):
        print(f"continues after step {state.step}", flush=True)
    _train(state, options, settings, device)
    if state.step == options.steps or options.export:
        kept = load(options.start)[1] if options.start and options.decoder else None
        _export(state.average.model, options.out, 4 * options.held_out, device, kept)
    return state


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the autoencoder of the drawn world.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training; resumed if it has a state")
    parser.add_argument("--start", type=Path, help="begin with the weights of this autoencoder.safetensors")
    parser.add_argument("--grow", type=Path, help="begin with a smaller autoencoder.safetensors")
    parser.add_argument("--channels", type=int, nargs=4, default=[64, 64, 64, 64], help="widths of the four levels")
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=6e-4, help="peak learning rate")
    parser.add_argument("--decoder", action="store_true", help="train the decoder alone")
    parser.add_argument("--critic", type=float, default=0.0, help="weight of the critic's opinion; 0 for none")
    parser.add_argument("--size", type=int, default=0, help="pixels of all pictures' sides (0: several, as tiles need)")
    parser.add_argument("--measure-every", type=int, default=1000)
    parser.add_argument("--held-out", type=int, default=16, help="pictures of the test split to measure on")
    add_training_options(parser, save_every=100)
    return parser.parse_args(arguments)


def grow(model: AutoencoderKL, smaller: AutoencoderKL) -> None:
    """Copy what the smaller autoencoder has; residual blocks that it does not have become the identity."""
    known = smaller.state_dict()
    unknown = model.load_state_dict(known, strict=False).missing_keys
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name in unknown and ".conv2." in name:
                value.zero_()


def _train(
    state: State[Autoencoding], options: argparse.Namespace, settings: dict[str, Any], device: torch.device
) -> None:
    last = min(options.steps, options.stop_at or options.steps)
    started, first = time.time(), state.step
    for drawn in batches("train", state.step, last, options.batch, options.workers, options.size):
        record = _step(state, drawn.to(device), options)
        if state.step % options.save_every == 0 or state.step == last:
            state.save(options.out / "state.pt", settings)
        if state.step % options.measure_every == 0 or state.step == last:
            record |= measure(state.average.model, options.held_out, options.out / "held_out.png", device)
        if state.step % 50 == 0 or "psnr" in record:
            record |= {"step": state.step, "seconds_a_step": (time.time() - started) / (state.step - first)}
            line = json.dumps({name: round(value, 5) for name, value in record.items()})
            print(line, flush=True)
            with (options.out / "log.jsonl").open("a") as log:
                log.write(line + "\n")


def _step(state: State[Autoencoding], drawn: Tensor, options: argparse.Namespace) -> dict[str, float]:
    state.model.train()
    model, critic = state.model.model, state.model.critic
    pictures, places = drawn[:, :3], drawn[:, 3:]
    random = chance(options.seed, state.step, pictures.device)
    with half(pictures.device):
        with torch.set_grad_enabled(not options.decoder):
            latents = model.encode(pictures).latent_dist
        mean = latents.mean.float()
        noise = torch.randn(mean.shape, generator=random, device=pictures.device)
        again = model.decode(mean + latents.std * noise).sample.float()
        loss = _distance(again, pictures, places)
        if state.step % 4 == 3 and not options.decoder:
            smaller = model.decode(F.avg_pool2d(mean, 2)).sample.float()
            loss = loss + 0.25 * _distance(smaller, F.avg_pool2d(pictures, 2), F.avg_pool2d(places, 2))
    kl = 0.5 * (latents.mean**2 + latents.var - 1 - latents.logvar).float().mean()
    loss = loss + KL * kl
    record = {"loss": loss.item(), "kl": kl.item()}
    if options.critic:
        with half(pictures.device):
            loss = loss + options.critic * deceived(critic, again) + critic_loss(critic, pictures, again)
    record["gradient"] = descend(state, loss, learning_rate(state.step, options.steps, options.rate, 300))
    state.step += 1
    update_average(state, DECAY)
    return record


def _distance(again: Tensor, pictures: Tensor, places: Tensor) -> Tensor:
    """Absolute, squared and edge error, weighted by what each pixel shows."""
    weight = 1 + (SUBJECT - 1) * places[:, :1] + (FACE - SUBJECT) * places[:, 1:]
    error = weight / weight.mean() * (again - pictures)
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + (error**2).mean() + 0.5 * edges


@torch.no_grad()
def measure(model: AutoencoderKL, count: int, sheet: Path, device: torch.device) -> dict[str, float]:
    """Return the PSNR in dB of held-out pictures as a whole, in the subject's mask and in the face, at two distances.

    Also the latents' spread. Writes a sheet of the first eight above their reconstructions.
    """
    rows, codes, first = [], [], []
    for k in range(count):
        drawn = whole("test", k, distance="far" if k % 4 == 3 else "plain")
        picture, places = torch.from_numpy(colours(drawn))[None], torch.from_numpy(covers(drawn))
        code = model.encode(picture.to(device)).latent_dist.mode()
        again = model.decode(code).sample.clamp(-1, 1).cpu()
        squares = (again - picture).square().mean(dim=1)[0] / 4
        parts = [torch.ones_like(squares), *places]
        rows.append([float((squares * part).sum() / part.sum().clamp(min=1)) for part in parts])
        codes.append(code.cpu())
        first += [torch.cat([picture, again], dim=2)[0]] if k < 8 else []
    strip = ((torch.cat(first, dim=2) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(np.ascontiguousarray(strip)).save(sheet)
    psnr = -10 * np.log10(np.array(rows) + 1e-6)
    far = np.arange(count) % 4 == 3
    found = {"psnr": psnr[:, 0], "mask": psnr[~far, 1], "face": psnr[~far, 2], "mask_far": psnr[far, 1]}
    means = {name: float(values.mean()) for name, values in found.items() if len(values)}
    return means | {"latent_std": float(torch.cat(codes).std())}


def _export(model: AutoencoderKL, out: Path, count: int, device: torch.device, scale: float | None) -> None:
    """Write the file; `scale` is that of the latents which a denoiser knows already, None where none does."""
    result = measure(model, count, out / "held_out.png", device)
    tensors = {name: value.cpu().contiguous() for name, value in to_ldm(model.state_dict()).items()}
    facts = {"psnr": f"{result['psnr']:.2f}", "scale_factor": f"{scale or 1 / result['latent_std']:.5f}"}
    save_file(tensors, out / "autoencoder.safetensors", metadata=facts)
    print(f"wrote {out / 'autoencoder.safetensors'}: {result}", flush=True)


if __name__ == "__main__":
    main()
