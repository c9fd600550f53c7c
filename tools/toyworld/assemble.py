"""Put the trained parts together into the files that the project ships.

    python -m tools.toyworld.assemble --runs runs --out vcd_ext/toyworld               # seconds
    python -m tools.toyworld.assemble --runs runs --out vcd_ext/toyworld --take-apart  # and back, to train on

Writes OUT/toyworld.safetensors (LDM's SD1.x layout, float16) with toyworld.yaml and the folder `clip` (text encoder's
config and tokenizer), OUT/toyworld_motion.safetensors, OUT/judges.safetensors, OUT/subjects/NAME/ (see subjects.py),
and OUT/manifest.json with the edition and the SHA-256 of each file. Parts lie in RUNS as train_all leaves them, or
where they are said to; what is not trained yet stays as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from omegaconf import OmegaConf
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from vcd_ext.storage import tensor_file
from vcd_ext.toyworld import EDITION

from . import denoiser_file, subjects
from .second_stage import BETAS, HEADS, STEPS, scaled_linear

MARK = {"format": "pt", "drawn_world": str(EDITION)}  # metadata of the files that only fit each other


def main(arguments: list[str] | None = None) -> None:
    """Write what is ready."""
    options = _options(arguments)
    runs = options.runs
    if options.take_apart:
        take_apart(options.out, runs)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    first = options.autoencoder or runs / "autoencoder/autoencoder.safetensors"
    second = options.denoiser or runs / "denoiser"
    if first.is_file() and (second / "denoiser.safetensors").is_file():
        checkpoint(first, second, options.out)
    third, judges = options.motion or runs / "motion/motion.safetensors", options.judges or runs / "judges"
    if third.is_file():
        tensor_file.write(options.out / "toyworld_motion.safetensors", halved(load_file(third)), MARK)
    if (judges / "judges.safetensors").is_file():
        shutil.copy(judges / "judges.safetensors", options.out / "judges.safetensors")
    subjects.write(options.out / "subjects")
    manifest(options.out)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Put the trained parts of the drawn world together.")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="has the parts that are not named otherwise")
    parser.add_argument("--autoencoder", type=Path, metavar="FILE", help="what train_autoencoder wrote")
    parser.add_argument("--denoiser", type=Path, metavar="FOLDER", help="what train_denoiser exported into")
    parser.add_argument("--motion", type=Path, metavar="FILE", help="what train_motion wrote")
    parser.add_argument("--judges", type=Path, metavar="FOLDER", help="what train_judges wrote into")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--take-apart", action="store_true", help="write the parts in RUNS from the files in OUT")
    return parser.parse_args(arguments)


def checkpoint(first: Path, second: Path, out: Path) -> None:
    """Write autoencoder and denoiser (a file and a folder) as one file, its yaml, and the text encoder's folder."""
    with safe_open(str(first), "pt") as file:  # type: ignore[attr-defined]
        scale = float(file.metadata()["scale_factor"])
    stage = load_file(first)
    tensors = {f"first_stage_model.{name}": value for name, value in stage.items()}
    tensors |= denoiser_file.whole_tensors(second / "denoiser.safetensors")
    bars = scaled_linear()
    schedule = {"alphas_cumprod": bars.float(), "betas": (1 - bars / torch.cat([bars.new_ones(1), bars[:-1]])).float()}
    tensor_file.write(out / "toyworld.safetensors", halved(tensors) | schedule, MARK)
    shutil.copytree(second / "clip", out / "clip", dirs_exist_ok=True)
    OmegaConf.save(OmegaConf.create(config(tensors, scale)), out / "toyworld.yaml")


def take_apart(out: Path, runs: Path) -> None:
    """Write what the trainings' `--start` reads, from the shipped files."""
    tensors = load_file(out / "toyworld.safetensors")
    stage = {name.removeprefix("first_stage_model."): v for name, v in tensors.items() if "first_stage" in name}
    rest = {name: v for name, v in tensors.items() if name.startswith(("model.diffusion_model.", "cond_stage_model."))}
    scale = OmegaConf.load(out / "toyworld.yaml").model.params.scale_factor
    for name in ("autoencoder", "denoiser", "motion", "judges"):
        (runs / name).mkdir(parents=True, exist_ok=True)
    save_file(stage, runs / "autoencoder/autoencoder.safetensors", metadata={"scale_factor": str(scale)})
    save_file(rest, runs / "denoiser/denoiser.safetensors")
    shutil.copytree(out / "clip", runs / "denoiser/clip", dirs_exist_ok=True)
    shutil.copy(out / "toyworld_motion.safetensors", runs / "motion/motion.safetensors")
    shutil.copy(out / "judges.safetensors", runs / "judges/judges.safetensors")


def halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating point numbers as float16."""
    return {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}


def config(tensors: dict[str, Tensor], scale: float) -> dict[str, object]:
    """Return the WebUI's config of these sizes. VCD alone reads the text encoder's folder, relative to the yaml."""
    unet, stage = "model.diffusion_model.", "first_stage_model."
    widths = [len(tensors[f"{unet}input_blocks.{block}.0.out_layers.3.bias"]) for block in (1, 4, 7, 10)]
    inner = [len(tensors[f"{stage}decoder.up.{level}.block.0.conv1.bias"]) for level in range(4)]
    layers = sum(f"{stage}decoder.up.0.block.{i}.conv1.bias" in tensors for i in range(9)) - 1
    context = tensors[f"{unet}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"].shape[1]
    sizes = {
        "image_size": 16, "in_channels": 4, "out_channels": 4, "model_channels": widths[0],
        "attention_resolutions": [4, 2, 1], "num_res_blocks": 2, "channel_mult": [w // widths[0] for w in widths],
        "num_heads": HEADS, "use_spatial_transformer": True, "transformer_depth": 1, "context_dim": context,
        "use_checkpoint": False, "legacy": False,
    }  # fmt: skip
    code = {
        "double_z": True, "z_channels": 4, "resolution": 128, "in_channels": 3, "out_ch": 3, "ch": inner[0],
        "ch_mult": [w // inner[0] for w in inner], "num_res_blocks": layers, "attn_resolutions": [], "dropout": 0.0,
    }  # fmt: skip
    autoencoder = {"embed_dim": 4, "ddconfig": code, "lossconfig": {"target": "torch.nn.Identity"}}
    parts = {
        "unet_config": ("ldm.modules.diffusionmodules.openaimodel.UNetModel", sizes),
        "first_stage_config": ("ldm.models.autoencoder.AutoencoderKL", autoencoder),
        "cond_stage_config": ("ldm.modules.encoders.modules.FrozenCLIPEmbedder", {"version": "clip"}),
    }
    low, high = BETAS
    parameters: dict[str, object] = {
        "linear_start": low, "linear_end": high, "timesteps": STEPS, "first_stage_key": "jpg",
        "cond_stage_key": "txt", "image_size": 16, "channels": 4, "cond_stage_trainable": False,
        "conditioning_key": "crossattn", "scale_factor": scale, "use_ema": False,
    }  # fmt: skip
    parameters |= {name: {"target": target, "params": params} for name, (target, params) in parts.items()}
    return {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": parameters}}


def manifest(out: Path) -> None:
    """Write the edition, and the SHA-256 of every shipped file by its path."""
    paths = sorted(path for path in out.rglob("*") if path.is_file() and path.suffix in (".safetensors", ".yaml"))
    paths += sorted((out / "clip").glob("*")) + sorted(
        path for path in (out / "subjects").rglob("*.*") if path.is_file()
    )
    sums = {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    (out / "manifest.json").write_text(
        json.dumps({"edition": EDITION, "files": sums}, indent=1) + "\n", encoding="utf-8"
    )
    print(f"{len(sums)} files, {sum(path.stat().st_size for path in paths) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
