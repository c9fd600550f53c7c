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
from vcd_ext.cli.subcommand import subcommand
from vcd_ext.cli.terminal import INTERRUPTED

USAGE_ERROR = 2


class _Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one line instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"{self.prog}: {message} (see --help)\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands; `run` holds the function of the one that was chosen."""
    main_parser = _Parser(prog="python -m vcd_ext", description="Videos of one identity from text (Magic-Me).")
    commands = main_parser.add_subparsers(title="subcommands", required=True, metavar="SUBCOMMAND")
    generate.add(commands)
    face.add(commands)
    tiled.add(commands)
    train.add(commands)
    batch.add(commands)
    evaluate.add(commands)
    ui.add(commands)
    _add_demo(commands)
    _add_toyworld(commands)
    _add_doctor(commands)
    return main_parser


def _add_demo(commands: Any) -> None:
    command = subcommand(commands, "demo", _demo)
    command.add_argument("--out", type=Path, default=Path("demo"), help="Folder to write (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="Seed of the videos (default: %(default)s)")


def _demo(arguments: argparse.Namespace) -> int:
    from vcd_ext.cli import demo

    return demo.run(arguments)


def _add_toyworld(commands: Any) -> None:
    command = subcommand(commands, "toyworld", _toyworld)
    command.add_argument("--webui", type=Path, required=True, help="Folder of the WebUI (or its --data-dir).")


def _toyworld(arguments: argparse.Namespace) -> int:
    from vcd_ext import toyworld

    for path in toyworld.install(arguments.webui):
        print(path)
    return 0


def _add_doctor(commands: Any) -> None:
    command = subcommand(commands, "doctor", _doctor)
    command.add_argument("--webui", type=Path, help="Folder of a WebUI, to list its models.")


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


def _share_the_processor() -> None:
    """Let torch's threads sleep while they wait for each other, unless somebody chose otherwise.

    OpenMP reads this when torch is imported, which the subcommands do. Where other programs are busy, threads that wait
    in a loop take the time of those that they wait for: two threads beside three busy processes are 2.5 times as slow.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; its exit status. 2: something in the call cannot work, said in one sentence on stderr."""
    chosen = parser().parse_args(arguments)
    _share_the_processor()
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
        from vcd_ext.hosts.protocols import Interrupted

        if isinstance(error, Interrupted):
            print("Interrupted; no file was left half-written.", file=sys.stderr)
            return INTERRUPTED
        if not is_out_of_memory(error):
            raise
        print("vcd: Out of memory; use a smaller size or fewer pictures at once.", file=sys.stderr)
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
