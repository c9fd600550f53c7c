"""What a training has changed in the shipped denoiser, in 4 bits a weight, to go on with on another machine.

    python -m tools.toyworld.difference write runs/named --shipped vcd_ext/toyworld --out tools/toyworld/named
    python -m tools.toyworld.difference read runs/begun --shipped vcd_ext/toyworld --out tools/toyworld/named

`write` takes the averaged weights of runs/named/state.pt, `read` writes a folder for `--start`. A whole denoiser weighs
22 MB, and unfinished ones are no file for a history that everybody clones; their difference, rounded to 15 levels of
each row, weighs a quarter. Its metadata has the sum of the shipped file that it belongs to.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import denoiser_file
from .second_stage import Denoiser

LEVELS = 7  # on each side of zero
FILE, SHIPPED = "denoiser.difference.safetensors", "toyworld.safetensors"


def main(arguments: list[str] | None = None) -> None:
    """Write or read a difference."""
    parser = argparse.ArgumentParser(description="Keep what a training has changed in the shipped denoiser.")
    parser.add_argument("what", choices=("write", "read"))
    parser.add_argument("run", type=Path, help="the training's folder; for read, the folder to write")
    parser.add_argument("--shipped", type=Path, required=True, help="folder of the shipped world")
    parser.add_argument("--out", type=Path, required=True, help="folder of the difference")
    options = parser.parse_args(arguments)
    (write if options.what == "write" else read)(options.run, options.shipped, options.out)


def write(run: Path, shipped: Path, out: Path) -> None:
    """Write OUT/denoiser.difference.safetensors from the state of a training."""
    average = torch.load(run / "state.pt", map_location="cpu", weights_only=True)["average"]
    denoiser = denoiser_file.load(shipped / SHIPPED, shipped / "clip")
    tensors: dict[str, Tensor] = {}
    for name, before in _named(denoiser).items():
        levels, scale = _rounded(average[name] - before)
        tensors |= {name: _packed(levels), f"{name}.scale": scale.half()}
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out / FILE, metadata={"shipped": _sum(shipped / SHIPPED)})
    print(f"{out / FILE}: {(out / FILE).stat().st_size / 1e6:.1f} MB")


def read(run: Path, shipped: Path, out: Path) -> None:
    """Write RUN/denoiser.safetensors and RUN/clip; ValueError if the difference is not to this shipped denoiser."""
    with safe_open(str(out / FILE), "pt") as file:  # type: ignore[attr-defined]
        of = (file.metadata() or {}).get("shipped")
    if of != _sum(shipped / SHIPPED):
        raise ValueError(f"{out / FILE} is the difference to another {SHIPPED} than that in {shipped}.")
    tensors, denoiser = load_file(out / FILE), denoiser_file.load(shipped / SHIPPED, shipped / "clip")
    for name, value in _named(denoiser).items():
        levels = _unpacked(tensors[name], value.numel()).view(len(value), -1).float()
        value.data += (levels * tensors[f"{name}.scale"].float()[:, None]).view_as(value)
    run.mkdir(parents=True, exist_ok=True)
    denoiser_file.save(denoiser, run / "denoiser.safetensors")
    shutil.copytree(shipped / "clip", run / "clip", dirs_exist_ok=True)


def _named(denoiser: Denoiser) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in denoiser.named_parameters()}


def _rounded(difference: Tensor) -> tuple[Tensor, Tensor]:
    """Return levels [rows, columns] from -7 to 7 and what one is worth in each row."""
    rows = difference.float().reshape(len(difference), -1)
    scale = rows.abs().amax(dim=1) / LEVELS
    return (rows / scale.clamp(min=1e-12)[:, None]).round().to(torch.int8), scale


def _packed(levels: Tensor) -> Tensor:
    """Return two levels in each byte."""
    flat = (levels.flatten() + LEVELS).to(torch.uint8)
    flat = torch.cat([flat, flat.new_zeros(len(flat) % 2)])
    return flat[0::2] | (flat[1::2] << 4)


def _unpacked(packed: Tensor, count: int) -> Tensor:
    both = torch.stack([packed & 15, packed >> 4], dim=1).flatten()[:count]
    return both.to(torch.int8) - LEVELS


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
