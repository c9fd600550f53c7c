"""The command line: python -m vcd_ext SUBCOMMAND, each with --help.

Heavy imports wait until a subcommand runs, so that --help and mistakes in options answer at once.
"""

import argparse
import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from vcd_ext.cli import batch, evaluate, face, generate, tiled, train, ui
from vcd_ext.cli.model_options import add_checkpoint
from vcd_ext.cli.terminal import INTERRUPTED
from vcd_ext.settings import TrainSettings, add_arguments

USAGE_ERROR = 2


class _Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one line instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"{self.prog}: {message} (see --help)\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands; `run` holds the function of the one that was chosen."""
    main_parser = _Parser(prog="python -m vcd_ext", description="Videos of one identity from text (Magic-Me).")
    commands = main_parser.add_subparsers(title="subcommands", required=True, metavar="SUBCOMMAND")
    _add_generate(commands)
    face.add(commands)
    tiled.add(commands)
    _add_train(commands)
    batch.add(commands)
    evaluate.add(commands)
    _add_ui(commands)
    _add_demo(commands)
    _add_toyworld(commands)
    _add_doctor(commands)
    return main_parser


def _add_generate(commands: Any) -> None:
    command = commands.add_parser(
        "generate",
        help="make a video from text, or from another video",
        description="Make a video with a Stable Diffusion 1.5 checkpoint, without the WebUI: from text, or with "
        "--input a video again, at the strength of --denoise. With --face and --tiled its faces are painted anew and "
        "it is enlarged, right after that.",
    )
    generate.add_generate_options(command)
    command.set_defaults(run=generate.run)


def _add_train(commands: Any) -> None:
    command = commands.add_parser(
        "train",
        help="learn an identity from photos",
        description="Learn someone or something from 5 to 10 photos, as an embedding of a few kilobytes whose name "
        "stands for it in prompts. Ctrl-C saves where the training is; the same command goes on from there.",
    )
    add_checkpoint(command)
    command.add_argument("--photos", type=Path, nargs="+", required=True, help="A folder of photos, or photos.")
    command.add_argument(
        "--class", dest="class_word", metavar="WORD", required=True, help="What the photos show: man, dog, toy car."
    )
    command.add_argument("--name", required=True, help="The word that will stand for the identity in prompts.")
    command.add_argument("--out", type=Path, help="Folder or file to write (default: NAME.safetensors, here)")
    command.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        default=[],
        help="Folders with weights of Grounding DINO and SAM, to find masks with; else the checkpoint finds them.",
    )
    command.add_argument("--overwrite", action="store_true", help="Replace the file if there is one.")
    add_arguments(command, TrainSettings, skip=train.OWN_OPTIONS)
    command.set_defaults(run=train.run)


def _add_ui(commands: Any) -> None:
    command = commands.add_parser(
        "ui",
        help="the tabs as a page of their own, without the WebUI",
        description="Serve the tabs Train ID, Face VCD, Tiled VCD and Compare to this machine's browsers, without the "
        "WebUI. It needs gradio: "
        f"pip install {ui.GRADIO}",
    )
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
    command.set_defaults(run=ui.run)


def _add_demo(commands: Any) -> None:
    command = commands.add_parser(
        "demo",
        help="the whole method on the small drawn world that ships with the project",
        description="Learn a drawn woman from eight pictures, make videos of her without and with the noise prior, and "
        "write them with a report. Nothing is downloaded.",
    )
    command.add_argument("--out", type=Path, default=Path("demo"), help="Folder to write (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="Seed of the videos (default: %(default)s)")
    command.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from vcd_ext.cli import demo

    return demo.run(arguments)


def _add_toyworld(commands: Any) -> None:
    command = commands.add_parser(
        "toyworld",
        help="copy the drawn world's checkpoint and motion module into a WebUI",
        description="Copy the small checkpoint and motion module that ship with the project into a WebUI's folders, to "
        "try everything there before downloading gigabytes. Its size is 128x128; CFG scale 7 and 10 steps suit it.",
    )
    command.add_argument("--webui", type=Path, required=True, help="Folder of the WebUI (or its --data-dir).")
    command.set_defaults(run=_toyworld)


def _toyworld(arguments: argparse.Namespace) -> int:
    from vcd_ext import toyworld

    for path in toyworld.install(arguments.webui):
        print(path)
    return 0


def _add_doctor(commands: Any) -> None:
    command = commands.add_parser(
        "doctor",
        help="say what is installed, found and missing",
        description="Say what is installed, found and missing; exit status 0 if `generate` can work.",
    )
    command.add_argument("--webui", type=Path, help="Folder of a WebUI, to list its models.")
    command.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from vcd_ext.cli import doctor

    return doctor.run(arguments)


def _leave_caches_alone() -> None:
    """Give transformers and diffusers a cache of their own for this process.

    Nothing is fetched into it. In the person's own they would look for files of older versions, move them and say so.
    """
    if {"transformers", "diffusers"} & sys.modules.keys():
        return  # they have looked already
    folder = tempfile.mkdtemp(prefix="vcd-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # One for each: what one library finds of the other it takes for an older version's.
    for name, cache in {"HF_HOME": "", "HF_HUB_CACHE": "hub", "TRANSFORMERS_CACHE": "transformers"}.items():
        os.environ[name] = str(Path(folder, cache))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; its exit status. 2: something in the call cannot work, said in one sentence on stderr."""
    chosen = parser().parse_args(arguments)
    _leave_caches_alone()
    try:
        return int(chosen.run(chosen))
    except KeyboardInterrupt:
        print("\nInterrupted; no file was left half-written.", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError, ImportError) as error:
        print(f"vcd: {error}", file=sys.stderr)
    except Exception as error:
        from vcd_ext.denoising.out_of_memory import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        print("vcd: Out of memory; use a smaller size or fewer pictures at once.", file=sys.stderr)
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
