"""The subcommand `tiled`: a video at twice its size, with detail that the checkpoint paints."""

import argparse
from pathlib import Path
from typing import Any

from vcd_ext.cli import video_to_video
from vcd_ext.cli.model_options import check_upscalers
from vcd_ext.cli.subcommand import subcommand
from vcd_ext.settings import TiledSettings


def add(commands: Any) -> None:
    """Add it to the subcommands of a parser."""
    command = subcommand(commands, "tiled", run)
    video_to_video.add_video_options(command, TiledSettings)
    command.add_argument(
        "--controlnet",
        type=Path,
        metavar="FILE",
        help="A ControlNet Tile for SD1.5, such as control_v11f1e_sd15_tile.pth, which holds each tile to what the "
        "enlarged picture shows there, so that --denoise can be higher.",
    )
    command.add_argument(
        "--upscaler-weights",
        type=Path,
        nargs="+",
        default=[],
        help="Networks of the ESRGAN family that enlarge before that; the first is used unless --upscaler names "
        "another by its file's name without suffix. They need the package spandrel. Without any: Lanczos.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Enlarge the video that the arguments name."""
    check_upscalers(arguments.upscaler_weights)
    return video_to_video.run_video(arguments, TiledSettings, "tiled", arguments.upscaler_weights)
