"""The subcommand `ui`: the tabs as a page of their own, on one checkpoint."""

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.model_options import add_checkpoint
from vcd_ext.cli.subcommand import GRADIO, subcommand

if TYPE_CHECKING:
    from vcd_ext.jobs.studio import Folders


def add(commands: Any) -> None:
    """Add it to the subcommands of a parser."""
    command = subcommand(commands, "ui", run)
    add_checkpoint(command)
    command.add_argument(
        "--embeddings", type=Path, default=Path("embeddings"), help="Folder of the identities (default: %(default)s)"
    )
    command.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        default=[Path("models")],
        help="Folders with weights of Grounding DINO, SAM and YuNet; downloads go into the first (default: models)",
    )
    folders = {
        "--motion-modules": ("models/AnimateDiff", "Folder of AnimateDiff motion modules"),
        "--upscalers": ("models/ESRGAN", "Folder of networks of the ESRGAN family"),
        "--controlnets": ("models/ControlNet", "Folder of ControlNets, of which the Tile ones for SD1.5 are offered"),
        "--videos": ("videos", "Folder that videos are written to"),
    }
    for option, (folder, meaning) in folders.items():
        command.add_argument(option, type=Path, default=Path(folder), help=f"{meaning} (default: %(default)s)")
    command.add_argument("--port", type=int, default=7861, help="Port of the page (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Load the checkpoint and serve the page until Ctrl-C."""
    if importlib.util.find_spec("gradio") is None:
        raise ImportError(f"The page needs gradio, which is not installed: pip install {GRADIO}")

    import torch

    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.hosts.diffusers.library import Library
    from vcd_ext.hosts.diffusers.studio import StandaloneStudio
    from vcd_ext.hosts.diffusers.training import StandaloneTraining
    from vcd_ext.jobs.service import Jobs
    from vcd_ext.ui.app import page

    host = StandaloneTraining(Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None))
    library = Library(arguments.motion_modules, arguments.upscalers, arguments.controlnets, arguments.embeddings)
    jobs = Jobs(StandaloneStudio(host, studio_folders(arguments), library))
    # Only this machine is served: the page reads whatever folder it is told to.
    page(jobs).queue(concurrency_count=8).launch(server_name="127.0.0.1", server_port=arguments.port, show_api=False)
    return 0


def studio_folders(arguments: argparse.Namespace) -> "Folders":
    """Return the page's folders; states of trainings lie beside the embeddings, as those of `train` do."""
    from vcd_ext.jobs.studio import Folders

    embeddings: Path = arguments.embeddings
    videos: Path = arguments.videos
    return Folders(embeddings, embeddings, tuple(arguments.weights), (embeddings,), videos, (videos,))
