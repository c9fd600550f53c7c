"""Options of several subcommands: the files that they load, and how."""

from argparse import ArgumentParser
from pathlib import Path


def add_checkpoint(command: ArgumentParser, required: bool = True) -> None:
    """Add the checkpoint and its precision."""
    command.add_argument("--checkpoint", type=Path, required=required, help="SD1.5 checkpoint, .safetensors or .ckpt.")
    command.add_argument("--no-half", action="store_true", help="Compute in float32 on a GPU too.")


def add_models(command: ArgumentParser, needs_checkpoint: bool = True) -> None:
    """Add all that videos are made with: checkpoint, motion module, embeddings, and weights of what finds faces."""
    add_checkpoint(command, needs_checkpoint)
    command.add_argument("--motion-module", type=Path, help="AnimateDiff motion module: v2, v3 or AnimateLCM.")
    command.add_argument(
        "--embedding",
        type=Path,
        action="append",
        default=[],
        help="Embedding of an identity; its file's name stands for it in the prompt. Can be given several times.",
    )
    command.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        default=[],
        help="Folders with weights of YuNet or Grounding DINO, with which Face VCD and Tiled VCD find faces or words.",
    )
