"""The command: see the package's docstring."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import benchmarks.reliability
from benchmarks.reliability import data
from benchmarks.reliability.in_the_webui import InTheWebUI, small_disks
from benchmarks.reliability.killed import Killed
from benchmarks.reliability.scenarios import ready, scenarios
from benchmarks.reliability.tally import Tried, table
from tests.webui.server import Server

GROUPS = {
    "exceptions": "Exceptions, and a disk that refuses",
    "memory": "Too little memory",
    "buttons": "Interrupt, Skip and Interrupt after current",
    "checkpoint": "Another checkpoint is chosen meanwhile",
    "together": "Two clients at once",
    "full disk": "Full disk",
    "kill": "kill -9",
}


def main() -> int:
    """Run the groups that were asked for; 1 if anything was not as before."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reliability",
        description=benchmarks.reliability.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), metavar="GROUP")
    parser.add_argument("--scenario", nargs="+", default=[], help="parts of the names of what is made; default: all")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of kill -9")
    parser.add_argument("--most", type=int, default=2, help="passings of one place that are broken in one scenario")
    parser.add_argument("--out", type=Path, help="file to write the report to")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # servers end and disks are taken off
    tried: list[Tried] = []

    def tell(one: Tried) -> None:
        tried.append(one)
        print(f"{len(tried):4} {one.making}, {one.fault}: {'; '.join(one.bad) or 'as before'}", flush=True)
        if arguments.out:
            arguments.out.write_text(described(tried, arguments))

    run(arguments, tell)
    print(described(tried, arguments))
    return int(any(one.bad for one in tried))


def run(arguments: argparse.Namespace, tell: Callable[[Tried], None]) -> None:
    """Try all faults of the groups that were asked for."""
    with tempfile.TemporaryDirectory(prefix="vcd") as folder:
        if "kill" in arguments.only:
            (Path(folder) / "killed").mkdir()
            Killed(Path(folder) / "killed", arguments.seed, tell).all()
        if left := [group for group in arguments.only if group != "kill"]:
            inside(data.folder(Path(folder) / "webui"), left, arguments, tell)


def inside(where: Path, groups: list[str], arguments: argparse.Namespace, tell: Callable[[Tried], None]) -> None:
    """Try the groups that need a WebUI."""
    with ExitStack() as stack:
        small = stack.enter_context(small_disks(where)) if "full disk" in groups else False
        server = Server(where, "--ckpt", str(where / "models/Stable-diffusion/tiny.safetensors"))
        stack.callback(server.stop)
        stack.enter_context(ready(server))
        named = {
            name: run
            for name, run in scenarios(server).items()
            if not arguments.scenario or any(part in name for part in arguments.scenario)
        }
        campaign = InTheWebUI(server, named, arguments.most, tell)
        tries = {
            "exceptions": campaign.exceptions,
            "memory": campaign.memory,
            "buttons": campaign.buttons,
            "checkpoint": campaign.checkpoint,
            "together": campaign.together,
            "full disk": campaign.full_disk,
        }
        for group in groups:
            if group == "full disk" and not small:
                print("Full disks are left out: mounting a tmpfs is not permitted.", file=sys.stderr)
                continue
            tries[group]()


def described(tried: list[Tried], arguments: argparse.Namespace) -> str:
    """Return the report in Markdown."""
    words = "" if arguments.only == list(GROUPS) else f" --only {' '.join(arguments.only)}"
    command = f"python -m benchmarks.reliability{words}"
    lines = [
        data.INTRODUCTION.format(command=command, processor=data.processor(), seed=arguments.seed, most=arguments.most)
    ]
    for group, rows in groupby(tried, lambda one: one.group):
        lines += [f"## {GROUPS[group]}", "", table(list(rows)), ""]
    bad = [one for one in tried if one.bad]
    lines += ["## All", "", f"{len(tried)} faults were tried, {sum(one.reached for one in tried)} happened; "
              f"{len(bad)} left something that was not as before.", ""]  # fmt: skip
    lines += [f"- {one.making}, {one.fault}: {'; '.join(one.bad)}" for one in bad]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
