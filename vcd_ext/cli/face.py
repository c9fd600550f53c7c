"""The subcommand `face`: the faces of a video painted anew with an identity."""

import argparse
from pathlib import Path
from typing import Any

from vcd_ext.cli import video_to_video
from vcd_ext.cli.model_options import detectors
from vcd_ext.cli.subcommand import subcommand
from vcd_ext.cli.terminal import INTERRUPTED, interruption, notify, stage_bars
from vcd_ext.settings import FaceSettings


def add(commands: Any) -> None:
    """Add it to the subcommands of a parser."""
    command = subcommand(commands, "face", run)
    video_to_video.add_video_options(command, FaceSettings, needs_checkpoint=False)
    command.add_argument(
        "--sheet",
        type=Path,
        metavar="PNG",
        help="Only find the faces, and write a picture of them with their numbers, for --people.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Repair the video that the arguments name, or show who is in it."""
    if arguments.sheet is not None:
        return _show(arguments)
    if arguments.checkpoint is None:
        raise ValueError("--checkpoint is missing; name an SD1.5 checkpoint, or give --sheet to find faces only.")
    return video_to_video.run_video(arguments, FaceSettings, "face")


def _show(arguments: argparse.Namespace) -> int:
    """Write the numbered sheet of the faces."""
    if arguments.sheet.suffix.lower() != ".png":
        raise ValueError(f"--sheet is {arguments.sheet}; name a PNG file, for example people.png.")

    from PIL import Image

    from vcd_ext import media
    from vcd_ext.hosts.protocols import Interrupted
    from vcd_ext.progress import Callbacks
    from vcd_ext.stages.video_to_video import find_faces, part_of
    from vcd_ext.storage.atomic import atomically

    settings = video_to_video.settings_of(arguments, FaceSettings)
    assert isinstance(settings, FaceSettings)
    clip = media.read(arguments.input, notify, part_of(settings))
    with interruption() as interrupted, stage_bars() as progress:
        try:
            sheet = find_faces(clip, settings, detectors(arguments), Callbacks(progress, notify, interrupted))
        except Interrupted:
            notify("Stopped before all faces were found; no file was written.")
            return INTERRUPTED
    with atomically(arguments.sheet) as part:
        Image.fromarray(sheet).save(part, "PNG")
    print(arguments.sheet)
    return 0
