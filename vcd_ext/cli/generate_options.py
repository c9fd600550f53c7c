"""The options of `generate`, and what they mean together: settings, those of an input video, guides."""

import argparse
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.model_options import add_models
from vcd_ext.settings import (
    MAX_VIDEO_SIDE,
    MIN_VIDEO_SIDE,
    GenerateSettings,
    VideoSettings,
    add_arguments,
    parse,
)

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.guides import Guide
    from vcd_ext.media import Clip

# Settings of the WebUI's page; here these are files.
NOT_HERE = ("enabled", "motion_module", "identity", "video", "control_video")
# What a video that is made again brings along, for who does not choose it.
OF_INPUT = {
    "width": "512, or the input's",
    "height": "512, or the input's",
    "frames": "16, or all of the input's",
    "fps": "8, or the input's",
}


def add_generate_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `generate`."""
    add_models(command)
    command.add_argument(
        "--out",
        type=Path,
        default=Path("video.mp4"),
        help="File to write. Its suffix is the format, unless --formats names several (default: %(default)s)",
    )
    _add_guides(command)
    command.add_argument(
        "--upscaler-weights",
        type=Path,
        nargs="+",
        default=[],
        help="Networks of the ESRGAN family, for --tiled; the first is used unless --tiled-upscaler names another.",
    )
    command.add_argument(
        "--tiled-controlnet",
        metavar="FILE",
        help="A ControlNet Tile for SD1.5, which holds each tile of --tiled to what the enlarged picture shows there, "
        "so that --tiled-denoise can be higher (default: none)",
    )
    add_arguments(command, GenerateSettings, unset=OF_INPUT)
    add_arguments(command, VideoSettings, skip=(*NOT_HERE, "tiled_controlnet"), unset=OF_INPUT)


def _add_guides(command: argparse.ArgumentParser) -> None:
    """Add the options that name the videos by which a new one goes."""
    command.add_argument("--input", type=Path, help="A video, or a folder of pictures, that is made again.")
    command.add_argument(
        "--control",
        nargs=3,
        metavar=("KIND", "FILE", "VIDEO"),
        action="append",
        default=[],
        help="A ControlNet for SD1.5 that guides each frame by the one of a video, or of a folder, of the same size: "
        "KIND canny draws the edges, tile shows the frames themselves, and hints, depth, lineart, mlsd, normal, "
        "openpose, scribble, seg or softedge take VIDEO as hints that are ready. VIDEO may be 'source', the --input, "
        "for canny and tile. Can be given several times.",
    )
    command.add_argument(
        "--control-weights",
        type=float,
        nargs="+",
        metavar="WEIGHT",
        default=[],
        help="How firmly each --control holds, in their order, from 0 to 2 (default: 1)",
    )


def generate_settings(given: Mapping[str, Any]) -> tuple[GenerateSettings, VideoSettings]:
    """Read the settings of picture and video from values by name; SettingError."""
    picture = {f.name: given[f.name] for f in fields(GenerateSettings) if f.name in given}
    video = {f.name: given[f.name] for f in fields(VideoSettings) if f.name in given and f.name not in NOT_HERE}
    return parse(GenerateSettings, picture), parse(VideoSettings, video)


def settings_of_input(source: "Clip", name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that an input video brings along; ValueError if it is too large or too small."""
    from vcd_ext.hosts.diffusers.restyle import fitting

    height, width = fitting(given.get("height", 0), given.get("width", 0), source)
    if not all(MIN_VIDEO_SIDE <= side <= MAX_VIDEO_SIDE for side in (height, width)):
        tall, wide = source.frames.shape[1:3]
        raise ValueError(
            f"{name} is {wide}x{tall} and would be made at {width}x{height}; sides go from {MIN_VIDEO_SIDE} to "
            f"{MAX_VIDEO_SIDE} pixels: choose --width and --height."
        )
    return {"height": height, "width": width, "frames": len(source.frames), "fps": float(source.fps)}


def control_guides(arguments: argparse.Namespace) -> "list[Guide]":
    """Return what guides the frames through ControlNets; ValueError, in a sentence, for what cannot."""
    from vcd_ext.hosts.diffusers.guides import Guide, check_guides

    weights, given = arguments.control_weights, len(arguments.control)
    if weights and len(weights) != given:
        raise ValueError(f"{len(weights)} --control-weights were given for {given} --control; give one for each.")
    guides = [
        Guide(kind, Path(file), video, weight)
        for (kind, file, video), weight in zip(arguments.control, weights or [1.0] * given, strict=True)
    ]
    check_guides(guides, arguments.input is not None)
    return guides
