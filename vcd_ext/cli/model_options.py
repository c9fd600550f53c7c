"""Options of several subcommands: the files that they load, and how."""

import importlib.util
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vcd_ext.stages.video_to_video import Finder

SPANDREL = "pip install --no-deps spandrel==0.3.4 einops==0.4.1"  # torchvision, which it asks for too, is there


def add_checkpoint(command: ArgumentParser, required: bool = True) -> None:
    """Add the checkpoint and its precision."""
    command.add_argument("--checkpoint", type=Path, required=required, help="SD1.5 checkpoint, .safetensors or .ckpt.")
    command.add_argument("--no-half", action="store_true", help="Compute in float32 on a GPU too.")


def add_models(command: ArgumentParser, needs_checkpoint: bool = True) -> None:
    """Add all that videos are made with: checkpoint, motion module, embeddings, and weights of what finds faces."""
    add_checkpoint(command, needs_checkpoint)
    command.add_argument("--motion-module", type=Path, help="AnimateDiff motion module: v1, v2, v3, AnimateLCM or "
                         "Lightning, in its own or in diffusers' key names.")  # fmt: skip
    command.add_argument(
        "--loras",
        type=Path,
        nargs="+",
        default=[],
        help="Files or folders of LoRAs and motion LoRAs, which the prompt may ask for as <lora:name:0.8>.",
    )
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
        help="Folders with weights: of YuNet or Grounding DINO, with which Face VCD and Tiled VCD find faces or words; "
        "of FILM, which interpolates.",
    )


def detectors(arguments: Namespace, device: Any = "cpu") -> "Finder":
    """Return what makes the detectors, with the weights that the arguments name."""
    import vcd_ext.toyworld.detector  # noqa: F401 - registers it
    from vcd_ext.face import detector

    return lambda settings: detector(settings, arguments.weights, device)


def check_upscalers(weights: Sequence[Path]) -> None:
    """Raise ValueError if one of the files is not there, or what reads them is not."""
    missing = [path for path in weights if not path.is_file()]
    if missing:
        raise ValueError(f"There is no upscaler at {missing[0]}; check the folder and the name.")
    if weights and importlib.util.find_spec("spandrel") is None:
        raise ValueError(
            f"{weights[0].name} needs spandrel, which is not installed: {SPANDREL}, or leave --upscaler-weights "
            "away to enlarge by Lanczos."
        )
