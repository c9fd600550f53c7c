"""Train text encoder and UNet of the drawn world together: SD1.5's schedule, noise prediction, latents 4x16x16.

    python -m tools.toyworld.train_denoiser --autoencoder runs/autoencoder/autoencoder.safetensors --out runs/denoiser
    # a GPU: --device cuda --batch 128 --steps 40000 --pictures 200000

Run the same command again after an interruption: it goes on from the last saved state, bit for bit (on the same kind
of machine, with the same number of threads). Latents of the first `--pictures` pictures of the training split are made
once, without those whose kind, scene and action are held out together (`captions.held_out`). A caption is written anew
at each visit, with or without words for the subject's looks, and dropped from every tenth picture for classifier-free
guidance. The loss is weighted with min(SNR, 5)/SNR (Hang et al., 2303.09556), more where the subject is, and most on
its face (`emphasis`).

Time and result: see vcd_ext/toyworld/MODEL_CARD.md.

Writes OUT/latents/, OUT/state.pt, OUT/log.jsonl, OUT/samples.png and, at the end, OUT/denoiser.safetensors (UNet and
text encoder in LDM's names, the averaged weights, float32).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTokenizer

from . import first_stage, second_stage, vocabulary
from .captions import PLACES, caption, held_out, variant
from .emphasis import covers, loss_weights
from .first_stage import AutoencoderKL
from .identity import KINDS
from .latents import bank
from .looks import described
from .pictures import moment
from .sampling import sample_latents
from .second_stage import STEPS, Denoiser, noised, scaled_linear, unet_to_ldm
from .spec import Spec, sample
from .training import State, chance, descend, half, learning_rate, run, update_average
from .world import Render, render

DECAY, DROPPED, SNR_LIMIT, A_PART = 0.999, 0.1, 5.0, 500


class Data(NamedTuple):
    """What training reads: latents [N, 4, 16, 16], the numbers of their renders, and their tokenizer."""

    latents: Tensor
    weights: Tensor  # [N, 1, 16, 16], of the loss
    numbers: list[int]
    tokenizer: CLIPTokenizer


def main(arguments: list[str] | None = None) -> State[Denoiser]:
    """Train until the last step, or until `--stop-at`; the state then."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    names = ("channels", "width", "layers", "batch", "steps", "rate", "pictures", "subject", "face", "seed")
    settings: dict[str, Any] = {name: getattr(options, name) for name in names}
    clip = vocabulary.write(options.out / "clip", options.width, options.layers)
    torch.manual_seed(options.seed)
    model = Denoiser.make(options.channels, clip).to(device)
    if options.start:
        model.load_state_dict(second_stage.load(options.start, clip).state_dict())
    state = State.start(model, torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.01))
    if state.resume(options.out / "state.pt", settings):
        print(f"continues after step {state.step}")
    autoencoder, scale = first_stage.load(options.autoencoder)
    autoencoder.to(device)
    numbers = allowed(options.pictures)
    latents = bank(
        options.out / "latents", autoencoder, scale, lambda k: picture(numbers[k]), options.pictures, options.a_part
    )
    covered = covers(options.out / "latents/covers.npy", numbers, drawn)
    weights = loss_weights(covered, options.subject, options.face)
    data = Data(latents[:, 0], weights[:, 0], numbers, CLIPTokenizer.from_pretrained(clip))
    alphas, last = scaled_linear().to(device), min(options.steps, options.stop_at or options.steps)
    run(state, lambda: _step(state, data, options, alphas), options.out, settings, last, options.save_every)
    if state.step == options.steps or options.export:
        _export(state, options.out)
    if options.sheet_steps:
        sheet = options.out / "samples.png"
        draw_samples(state.average, data.tokenizer, autoencoder, scale, sheet, options.sheet_steps)
    return state


def allowed(count: int, first: int = 0) -> list[int]:
    """Return the first `count` numbers from `first` on whose clips are not held out."""
    found: list[int] = []
    while len(found) < count:
        spec = sample(first, "train")
        if not held_out(spec.who.kind, spec.scene, spec.action):
            found.append(first)
        first += 1
    return found


def picture(number: int) -> NDArray[np.uint8]:
    """Return the picture of that number of the training split, [1, 128, 128, 3]."""
    return drawn(number).frames


def drawn(number: int) -> Render:
    """Return the picture of that number and its truth."""
    return render(sample(number, "train"), [moment(number)])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train text encoder and UNet of the drawn world.")
    parser.add_argument("--autoencoder", type=Path, required=True, help="what train_autoencoder wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training; resumed if it has a state")
    parser.add_argument("--start", type=Path, help="begin with the weights of this denoiser.safetensors")
    parser.add_argument("--channels", type=int, nargs=4, default=[64, 64, 128, 128], help="widths of the four levels")
    parser.add_argument("--width", type=int, default=128, help="values of a text vector")
    parser.add_argument("--layers", type=int, default=3, help="of the text encoder")
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--a-part", type=int, default=A_PART, help="pictures in a file of latents")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--rate", type=float, default=8e-4, help="peak learning rate")
    parser.add_argument("--subject", type=float, default=8.0, help="weight of the subject's places; others have 1")
    parser.add_argument("--face", type=float, default=20.0, help="weight of its face's places")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--sheet-steps", type=int, default=20, help="sampling steps of samples.png; 0: no sheet")
    parser.add_argument("--export", action="store_true", help="write the file also if this is not the last step")
    parser.add_argument("--stop-at", type=int, default=None, help="stop after this step, to go on later")
    return parser.parse_args(arguments)


def _step(state: State[Denoiser], data: Data, options: argparse.Namespace, alphas: Tensor) -> float:
    state.model.train()
    device = alphas.device
    rng = np.random.default_rng([options.seed, state.step, 7])
    chosen = rng.integers(len(data.latents), size=options.batch)
    tokens = tokenized(data.tokenizer, [words(data.numbers[k], rng) for k in chosen]).to(device)
    latents = data.latents[torch.from_numpy(chosen)].float().to(device)
    random = chance(options.seed, state.step, device)
    noise = torch.randn(latents.shape, generator=random, device=device)
    times = torch.randint(STEPS, (len(latents),), generator=random, device=device)
    with half(device):
        predicted = state.model(noised(latents, noise, times, alphas), times, tokens)
    snr = alphas[times] / (1 - alphas[times])
    weight = (SNR_LIMIT / snr).clamp(max=1).float()
    places = data.weights[torch.from_numpy(chosen)].to(device)
    loss = (weight * (places * (predicted.float() - noise).square()).mean(dim=(1, 2, 3))).mean()
    descend(state, loss, learning_rate(state.step, options.steps, options.rate))
    state.step += 1
    update_average(state, DECAY)
    return loss.item()


def words(number: int, rng: np.random.Generator) -> str:
    """Return a caption of picture `number`, as one of many people might write it; now and then "" for guidance."""
    return "" if rng.random() < DROPPED else worded(sample(number, "train"), rng)


def worded(spec: Spec, rng: np.random.Generator) -> str:
    """Return a caption of a clip, with or without words for the subject's looks."""
    subject = described(spec.who, rng)
    return variant(caption(spec.who.kind, spec.scene, spec.action, spec.distance, spec.light, subject), rng)


def tokenized(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token ids [B, 77]."""
    return tokenizer(texts, padding="max_length", truncation=True, max_length=77, return_tensors="pt").input_ids


@torch.no_grad()
def draw_samples(
    model: Denoiser, tokenizer: CLIPTokenizer, autoencoder: AutoencoderKL, scale: float, path: Path, steps: int
) -> None:
    """Draw a sheet of 4 x 8 pictures: a row for each kind, a column for each scene."""
    texts = [sample(k, "test", kind=kind, scene=place).caption for kind, place, k in _squares()]
    latents = sample_latents(model, tokenized(tokenizer, texts), tokenized(tokenizer, [""]), steps, guidance=4.0)
    pixels = torch.cat([autoencoder.decode(part / scale).sample for part in latents.split(8)])
    frames = ((pixels.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
    rows = [np.hstack(list(frames[i : i + 8])) for i in range(0, len(frames), 8)]
    Image.fromarray(np.vstack(rows)).save(path)


def _squares() -> list[tuple[str, str, int]]:
    return [(kind, place, 8 * i + j) for i, kind in enumerate(KINDS) for j, place in enumerate(PLACES)]


def _export(state: State[Denoiser], out: Path) -> None:
    unet = unet_to_ldm(state.average.unet.state_dict())
    text = state.average.text.state_dict()
    tensors = {f"model.diffusion_model.{name}": value for name, value in unet.items()}
    tensors |= {f"cond_stage_model.transformer.{name}": value for name, value in text.items()}
    save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, out / "denoiser.safetensors")
    print(f"wrote {out / 'denoiser.safetensors'}")


if __name__ == "__main__":
    main()
