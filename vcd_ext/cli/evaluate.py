"""The subcommand `evaluate`: a protocol's videos are made and measured, and a report compares its methods."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.batch import add_run_options, carry_out, dry_run, status
from vcd_ext.cli.subcommand import subcommand
from vcd_ext.cli.terminal import INTERRUPTED, interruption, notify, stage_bars

if TYPE_CHECKING:
    from vcd_ext.batch.protocol import Protocol

SHIPPED = Path(__file__).parents[1] / "batch" / "protocols"
COUNTS = {"subjects": "subjects", "prompts": "prompts of each subject", "seeds": "seeds"}


def add(commands: Any) -> None:
    """Add the subcommand."""
    command = subcommand(commands, "evaluate", run)
    command.add_argument(
        "protocol",
        type=Path,
        metavar="PROTOCOL.toml",
        help="The protocol; names of files begin at its folder. drawn.toml and paper.toml are shipped: they are found "
        "by their names alone where there is no such file, and names in them begin at the current folder.",
    )
    add_run_options(command)
    for name, meaning in COUNTS.items():
        command.add_argument(f"--{name}", type=int, metavar="N", help=f"Only the first N {meaning}.")
    command.add_argument(
        "--report-only", action="store_true", help="Make no videos; measure and compare what is there."
    )
    command.add_argument(
        "--without-missing-measures",
        action="store_true",
        help="Leave out measures whose weights are not there, instead of refusing them.",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make, measure and compare; 1 if some videos could not be made, 130 if it was interrupted."""
    import vcd_ext.toyworld.measures  # noqa: F401 - registers the drawn world's
    from vcd_ext.batch.protocol import read_protocol, reduced
    from vcd_ext.batch.results import check_measures

    path = arguments.protocol
    shipped = SHIPPED / path.name
    if not path.exists() and path.parent == Path() and shipped.is_file():
        path, folder = shipped, Path()  # what it names is brought by the person, and written here
    else:
        folder = path.parent
    counts = [getattr(arguments, name) for name in COUNTS]
    for name, count in zip(COUNTS, counts, strict=True):
        if count is not None and count < 1:
            raise ValueError(f"--{name} is {count}; it must be at least 1.")
    protocol = reduced(read_protocol(path, arguments.out, folder), *counts)
    check_measures(protocol, arguments.without_missing_measures)
    if arguments.dry_run:
        dry_run(protocol.units, protocol.out)
        return 0
    ended = 0
    if not arguments.report_only:
        ended = status(carry_out(protocol.units, protocol.out, arguments))
        if ended == INTERRUPTED:
            notify("The same command goes on; --report-only compares what is there.")
            return ended
    return _report(protocol) or ended


def _report(protocol: "Protocol") -> int:
    from vcd_ext.batch.report import markdown, write_evaluation
    from vcd_ext.batch.results import measure_all, write_rows
    from vcd_ext.progress import Callbacks

    protocol.out.mkdir(parents=True, exist_ok=True)
    with interruption() as interrupted, stage_bars() as progress:
        rows = measure_all(protocol, Callbacks(progress, notify, interrupted))
        stopped = interrupted()
    if stopped:
        return INTERRUPTED
    print(markdown(protocol, rows))
    for path in [*write_rows(protocol, rows), write_evaluation(protocol, rows)]:
        print(path)
    return 0
