"""What the subcommands `face` and `tiled` share: a video in, the same video repaired or enlarged out."""

import argparse
import importlib.util
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.generate import chosen_formats, make_room, targets
from vcd_ext.cli.model_options import add_models
from vcd_ext.cli.terminal import INTERRUPTED, bars, interruption, tell
from vcd_ext.prompt.networks import check_no_networks
from vcd_ext.settings import AUTO, NO_MODULE, FaceSettings, TiledSettings, VideoSettings, add_arguments, parse

if TYPE_CHECKING:
    from vcd_ext.stages.video_to_video import Finder, Settings

SPANDREL = "pip install --no-deps spandrel==0.3.4 einops==0.4.1"  # torchvision, which it asks for too, is there
FILES = ("motion_module", "identity", "controlnet")  # settings that are files here


def add_options(command: argparse.ArgumentParser, cls: type, needs_checkpoint: bool = True) -> None:
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


def settings_of(arguments: argparse.Namespace, cls: "type[FaceSettings] | type[TiledSettings]") -> "Settings":
    """The settings in the arguments; SettingError."""
    from vcd_ext.stages.video_to_video import check

    given = {field.name: getattr(arguments, field.name) for field in fields(cls) if field.name not in FILES}
    check_no_networks(arguments.prompt, arguments.negative_prompt)
    given["identity"] = arguments.identity or _first_identity(arguments)
    given["motion_module"] = str(arguments.motion_module or NO_MODULE)
    if cls is FaceSettings:
        return check(parse(FaceSettings, given))
    return check(parse(TiledSettings, given | {"controlnet": str(arguments.controlnet or AUTO)}))


def _first_identity(arguments: argparse.Namespace) -> str:
    from vcd_ext.identity.embedding import names_meant

    said = f"{arguments.prompt}\n{arguments.negative_prompt}"
    return names_meant(arguments.embedding[0], said)[0] if arguments.embedding else NO_MODULE


def run(
    arguments: argparse.Namespace,
    cls: "type[FaceSettings] | type[TiledSettings]",
    ending: str,
    upscalers: Sequence[Path] = (),
) -> int:
    """Make the video again and write its files, also what is finished of one that was stopped.

    ending: what is put behind the input's name where no other is given.
    """
    out = arguments.out or beside(arguments.input, ending, next(iter(arguments.formats), "mp4"))
    files = targets(out, chosen_formats(out, arguments.formats))
    if any(file.resolve() == arguments.input.resolve() for file in files):
        raise ValueError(f"{arguments.input} is the input, which would be lost; choose another --out.")
    make_room(files)

    import torch

    from vcd_ext import media
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.hosts.diffusers.video import StandaloneVideo
    from vcd_ext.media.output_files import kept
    from vcd_ext.stages.video_to_video import Telling, part_of, remake

    settings = settings_of(arguments, cls)
    clip = media.read(arguments.input, tell, part_of(settings))
    standalone = Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None)
    host = StandaloneVideo(standalone, arguments.embedding, upscalers)
    with interruption() as interrupted, bars() as progress:
        finder = finder_of(arguments, standalone.device)
        made = remake(host, clip, settings, finder, Telling(progress, tell, interrupted))
    if made.clip is None:
        tell("No file was written, as nothing is finished.")
        return INTERRUPTED
    for file in kept(made.clip, files, arguments.input, tell):
        print(file)
    return 0 if made.complete else INTERRUPTED


def beside(source: Path, ending: str, suffix: str) -> Path:
    """Return the file in the working folder that is made of a video if no other is named."""
    from vcd_ext.media.names import SPARE, cut

    return Path(f"{cut(source.stem, Path(), len(ending) + 1 + SPARE)}-{ending}.{suffix}")


def finder_of(arguments: argparse.Namespace, device: Any = "cpu") -> "Finder":
    """Return what makes the detectors, with the weights that the arguments name."""
    import vcd_ext.toyworld.detector  # noqa: F401 - registers it
    from vcd_ext.face import detector

    return lambda settings: detector(settings, arguments.weights, device)


def check_upscalers(weights: Sequence[Path]) -> None:
    """ValueError if one of the files is not there, or what reads them is not."""
    missing = [path for path in weights if not path.is_file()]
    if missing:
        raise ValueError(f"There is no upscaler at {missing[0]}; check the folder and the name.")
    if weights and importlib.util.find_spec("spandrel") is None:
        raise ValueError(
            f"{weights[0].name} needs spandrel, which is not installed: {SPANDREL}, or leave --upscaler-weights "
            "away to enlarge by Lanczos."
        )
