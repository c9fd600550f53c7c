"""The subcommand `batch`: everything that a plan lists is made, and what is there already is kept."""

import argparse
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.subcommand import subcommand
from vcd_ext.cli.terminal import INTERRUPTED, interruption, notify

if TYPE_CHECKING:
    from vcd_ext.batch.lender import Lender
    from vcd_ext.batch.run import Execute, Summary
    from vcd_ext.batch.unit import Unit
    from vcd_ext.progress import Progress, Report

FAILED = 1  # exit status where some units could not be made
KINDS = {"training": "identities", "video": "videos"}


def add(commands: Any) -> None:
    """Add the subcommand."""
    command = subcommand(commands, "batch", run)
    command.add_argument("plan", type=Path, metavar="PLAN.toml", help="The plan; names of files begin at its folder.")
    add_run_options(command)


def add_run_options(command: argparse.ArgumentParser) -> None:
    """Add the options of whatever carries out units of work."""
    command.add_argument("--out", type=Path, help="Folder to write (default: what the file says, else its name)")
    command.add_argument(
        "--dry-run", action="store_true", help="Check everything, and say what would be made, how long and how large."
    )
    command.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="Do the work on a Ray cluster, whose machines see models, photos and results in the same folders: the "
        "head's HOST:PORT; 'auto' is the one that runs on this machine, else all GPUs of this machine.",
    )
    command.add_argument(
        "--gpus", type=_positive, metavar="N", help="With --ray: at most N GPUs, or CPU cores where there are no GPUs."
    )
    command.add_argument(
        "--workers-per-gpu",
        type=_positive,
        default=1,
        metavar="N",
        help="With --ray: workers that share a GPU, each with its own copy of the models (default: %(default)s).",
    )


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Make what the plan lists; 1 if something failed, 130 if it was interrupted."""
    from vcd_ext.batch.plan import read_plan

    plan = read_plan(arguments.plan, arguments.out)
    if arguments.dry_run:
        dry_run(plan.units, plan.out)
        return 0
    return status(carry_out(plan.units, plan.out, arguments))


def dry_run(units: "Sequence[Unit]", out: Path) -> None:
    """Check units by their settings and files; print what would be made, its time and its room on the disk."""
    from vcd_ext.batch.estimate import forecast
    from vcd_ext.batch.preflight import check_units
    from vcd_ext.batch.run import pending_units
    from vcd_ext.identity.training.estimate import duration

    check_units(units)
    pending = pending_units(units)
    for unit in pending:
        print(unit.name)
    seconds, room, measured = forecast(pending, out)
    basis = "as fast as before in this folder" if measured else "a rough guess until some are made"
    print(
        f"{len(pending)} of {len(units)} are to be made: about {duration(seconds)} ({basis}) and {_size(room)}; "
        f"{_size(_free(out))} are free."
    )


def carry_out(units: "Sequence[Unit]", out: Path, options: argparse.Namespace) -> "Summary":
    """Check everything, make what is missing, and print a table of what became of it."""
    from vcd_ext.batch.estimate import forecast
    from vcd_ext.batch.preflight import check_units
    from vcd_ext.batch.run import pending_units, run_units
    from vcd_ext.progress import Callbacks

    check_units(units)
    pending = pending_units(units)
    room = forecast(pending, out)[1]
    if room > _free(out):
        notify(f"The files need about {_size(room)}, and {_size(_free(out))} are free.")
    execute = _in_cluster(out, options) if options.ray else _here(pending)
    with interruption() as interrupted, unit_bar() as progress:
        summary = run_units(units, out, execute, Callbacks(progress, notify, interrupted))
    print(summary_table(summary))
    return summary


def make_lender() -> "Lender":
    """Make what lends models, in this process or in a worker's."""
    import vcd_ext.toyworld.detector  # noqa: F401 - registers it
    from vcd_ext.hosts.diffusers.lender import StandaloneLender

    return StandaloneLender()


def _here(pending: "Sequence[Unit]") -> "Execute":
    from vcd_ext.batch.preflight import check_on_models
    from vcd_ext.batch.run import in_process

    lender = make_lender()
    check_on_models(pending, lender)
    return in_process(lender)


def _in_cluster(out: Path, options: argparse.Namespace) -> "Execute":
    from vcd_ext.batch.cluster import Request, in_cluster

    return in_cluster(Request(options.ray, out, make_lender, options.gpus, options.workers_per_gpu))


def status(summary: "Summary") -> int:
    """Return the exit status."""
    return INTERRUPTED if summary.left else FAILED if summary.failed else 0


def summary_table(summary: "Summary") -> str:
    """Return what became of the units, in lines."""
    from vcd_ext.identity.training.estimate import duration

    lines = [f"{'':12}{'made':>8}{'kept':>8}{'failed':>8}{'left':>8}  time"]
    for kind, name in KINDS.items():
        groups = (summary.made, summary.kept, summary.failures, summary.left)
        counts = [sum(unit.kind == kind for unit in units) for units in groups]
        if any(counts):
            took = duration(summary.seconds[kind]) if kind in summary.seconds else ""
            lines.append(f"{name:12}" + "".join(f"{count:8}" for count in counts) + f"  {took}")
    lines += [f"failed: {name}: {reason}" for name, reason in summary.failed.items()]
    return "\n".join(lines)


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count > 1e9 else f"{max(count / 1e6, 0.1):.1f} MB"


def _free(out: Path) -> int:
    there = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    return shutil.disk_usage(there).free


@contextmanager
def unit_bar() -> Iterator["Report"]:
    """Show one bar on stderr for all units, with the time left; yield the callback that moves it."""
    from tqdm import tqdm

    from vcd_ext.identity.training.estimate import duration

    bars: list[tqdm] = []

    def show(progress: "Progress") -> None:
        if not bars:
            bars.append(
                tqdm(total=progress.total, bar_format="{percentage:3.0f}% |{bar:20}| {elapsed} passed{postfix}")
            )
        left = "" if progress.seconds_left is None else f"about {duration(progress.seconds_left)} left; "
        bars[0].set_postfix_str(f"{left}{progress.stage}", refresh=False)
        bars[0].update(min(progress.step, progress.total) - bars[0].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()
