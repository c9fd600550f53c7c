"""Begin the second edition's trainings with the first edition's files, whose layouts are the same.

    python -m tools.toyworld.grow FIRST --out runs/grown       # FIRST: the folder vcd_ext/toyworld of version 0.1.0

The UNet and the motion module are taken as they are. The text encoder keeps its layers and the vectors of the words
that both editions know; each new word begins at the mean of all. Writes OUT/denoiser.safetensors and OUT/clip, as
train_denoiser's `--start` reads them, and OUT/motion.safetensors for train_motion's.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from . import denoiser_file, vocabulary
from .second_stage import Denoiser


def main(arguments: list[str] | None = None) -> None:
    """Write what the trainings begin with."""
    parser = argparse.ArgumentParser(description="Begin with the first edition of the drawn world.")
    parser.add_argument("first", type=Path, help="folder with toyworld.safetensors, toyworld_motion.safetensors, clip")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    old = denoiser_file.load(options.first / "toyworld.safetensors", options.first / "clip")
    clip = vocabulary.write(options.out / "clip", old.text.config.hidden_size, old.text.config.num_hidden_layers)
    new = Denoiser.make(list(old.unet.config["block_out_channels"]), clip)
    new.unet.load_state_dict(old.unet.state_dict())
    words = (
        json.loads((folder / "vocab.json").read_text(encoding="utf-8")) for folder in (options.first / "clip", clip)
    )
    new.text.load_state_dict(remapped(old.text.state_dict(), new.text.state_dict(), *words))
    denoiser_file.save(new, options.out / "denoiser.safetensors")
    motion = load_file(options.first / "toyworld_motion.safetensors")
    save_file({name: value.float() for name, value in motion.items()}, options.out / "motion.safetensors")


def remapped(
    old: dict[str, Tensor], new: dict[str, Tensor], old_words: dict[str, int], new_words: dict[str, int]
) -> dict[str, Tensor]:
    """Return the text encoder's tensors `old` for another vocabulary; `new` are random ones of the wanted shapes.

    Each vocabulary maps a word to its row of the token embedding [words, width].
    """
    found = dict(old)
    (table,) = (name for name in new if name.endswith("token_embedding.weight"))
    mean = old[table].mean(dim=0)
    rows = [old[table][old_words[word]] if word in old_words else mean + new[table][row]
            for word, row in sorted(new_words.items(), key=lambda item: item[1])]  # fmt: skip
    return found | {table: torch.stack(rows)}


if __name__ == "__main__":
    main()
