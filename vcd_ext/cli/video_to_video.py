"""Shared by the subcommands `face` and `tiled`: a video in, the same video repaired or enlarged out."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from vcd_ext.cli.model_options import add_models, detectors
from vcd_ext.cli.output import chosen_formats, make_folders, output_paths
from vcd_ext.cli.terminal import INTERRUPTED, interruption, notify, stage_bars
from vcd_ext.prompt.networks import check_no_networks
from vcd_ext.settings import (
    AUTO,
    NO_MODULE,
    FaceSettings,
    FileSettings,
    TiledSettings,
    VideoSettings,
    add_arguments,
    parse,
)

if TYPE_CHECKING:
    from vcd_ext.stages.video_to_video import Settings

FILES = ("motion_module", "identity", "controlnet")  # settings that are files here


def add_video_options(command: argparse.ArgumentParser, cls: type, needs_checkpoint: bool = True) -> None:
    """Add the options that both subcommands have, and one for each setting of `cls`."""
    command.add_argument(
        "--input", type=Path, required=True, help="The video: mp4, webm, gif, webp, or a folder of pictures."
    )
    command.add_argument("--out", type=Path, help="File to write; its suffix is the format, unless --formats names "
                         "several (default: the input's name with what was done to it, here)")  # fmt: skip
    add_models(command, needs_checkpoint)
    add_arguments(
        command, cls, skip=("motion_module", "controlnet"), unset={"identity": "that of the first --embedding"}
    )
    others = tuple(field.name for field in fields(VideoSettings) if field.name != "formats")
    add_arguments(command, VideoSettings, skip=others)
    add_arguments(command, FileSettings)


def settings_of(arguments: argparse.Namespace, cls: "type[FaceSettings] | type[TiledSettings]") -> "Settings":
    """Read the settings from the arguments; SettingError."""
    from vcd_ext.hosts.diffusers.loras import lora_files
    from vcd_ext.stages.video_to_video import check

    given = {field.name: getattr(arguments, field.name) for field in fields(cls) if field.name not in FILES}
    known = lora_files(arguments.loras)
    check_no_networks(arguments.prompt, arguments.negative_prompt, known=known)
    given["identity"] = arguments.identity or _first_identity(arguments)
    given["motion_module"] = str(arguments.motion_module or NO_MODULE)
    if cls is FaceSettings:
        return check(parse(FaceSettings, given))
    return check(parse(TiledSettings, given | {"controlnet": str(arguments.controlnet or AUTO)}))


def _first_identity(arguments: argparse.Namespace) -> str:
    from vcd_ext.identity.embedding import names_meant

    said = f"{arguments.prompt}\n{arguments.negative_prompt}"
    return names_meant(arguments.embedding[0], said)[0] if arguments.embedding else NO_MODULE


def run_video(
    arguments: argparse.Namespace,
    cls: "type[FaceSettings] | type[TiledSettings]",
    ending: str,
    upscalers: Sequence[Path] = (),
) -> int:
    """Make the video again and write its files, also what is finished of one that was stopped.

    ending: what is put behind the input's name where no other is given.
    """
    out = arguments.out or beside(arguments.input, ending, next(iter(arguments.formats), "mp4"))
    written = parse(FileSettings, {field.name: getattr(arguments, field.name) for field in fields(FileSettings)})
    files = output_paths(out, chosen_formats(out, arguments.formats), written.subfolder)
    _check_not_input(arguments.input, files)
    make_folders(files)

    import torch

    from vcd_ext import media
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.hosts.diffusers.loras import lora_files
    from vcd_ext.hosts.diffusers.video import StandaloneVideo
    from vcd_ext.media.output_files import kept
    from vcd_ext.progress import Callbacks
    from vcd_ext.stages.video_to_video import part_of, run_stage

    settings = settings_of(arguments, cls)
    clip = media.read(arguments.input, notify, part_of(settings))
    standalone = Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None)
    standalone.loras = lora_files(arguments.loras)
    host = StandaloneVideo(standalone, arguments.embedding, upscalers)
    with interruption() as interrupted, stage_bars() as progress:
        finder = detectors(arguments, standalone.device)
        made = run_stage(host, clip, settings, finder, Callbacks(progress, notify, interrupted))
    if made.clip is None:
        notify("No file was written, as nothing is finished.")
        return INTERRUPTED
    for file in kept(made.clip, files, arguments.input, notify, written):
        print(file)
    return 0 if made.complete else INTERRUPTED


def _check_not_input(source: Path, files: Sequence[Path]) -> None:
    if any(file.resolve() == source.resolve() for file in files):
        raise ValueError(f"{source} is the input, which would be lost; choose another --out.")


def beside(source: Path, ending: str, suffix: str) -> Path:
    """Return the file in the working folder that is made of a video if no other is named."""
    from vcd_ext.media.names import SPARE, cut

    return Path(f"{cut(source.stem, Path(), len(ending) + 1 + SPARE)}-{ending}.{suffix}")
