"""The command: see the package's docstring."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import benchmarks.reliability
from benchmarks.reliability import data, tally
from benchmarks.reliability.in_the_webui import InTheWebUI, small_disks
from benchmarks.reliability.killed import Killed
from benchmarks.reliability.scenarios import ready, scenarios
from benchmarks.reliability.tally import Group, Tried
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
    parser.add_argument("--anew", action="store_true", help="try also the groups that are remembered")
    parser.add_argument("--scenario", nargs="+", default=[], help="parts of the names of what is made; default: all")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of kill -9")
    parser.add_argument("--most", type=int, default=2, help="passings of one place that are broken in one scenario")
    parser.add_argument("--out", type=Path, default=Path("docs/reliability.md"), help="file to write the report to")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # servers end and disks are taken off
    campaign = Campaign(arguments)
    campaign.run()
    return int(any(group.bad for group in campaign.groups.values()))


class Campaign:
    """One call of the command."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.memory = arguments.out.with_suffix(".json")
        self.groups = tally.remembered(self.memory)
        known = () if arguments.anew else self.groups
        self.left = [group for group in arguments.only if group not in known]
        self.tried: list[Tried] = []

    def run(self) -> None:
        """Try all groups that are left, and write the report after each."""
        with tempfile.TemporaryDirectory(prefix="vcd") as name:
            folder = Path(name)
            if inside := [group for group in self.left if group != "kill"]:
                self._inside(data.folder(folder / "webui"), inside)
            if "kill" in self.left:
                (folder / "killed").mkdir()
                killed = Killed(folder / "killed", self.arguments.seed, self._tell)
                self._group("kill", killed.all)
        self._write()

    def _inside(self, where: Path, groups: Sequence[str]) -> None:
        """Try the groups that need a WebUI."""
        with ExitStack() as stack:
            small = stack.enter_context(small_disks(where)) if "full disk" in groups else False
            server = Server(where, "--ckpt", str(where / "models/Stable-diffusion/tiny.safetensors"))
            stack.callback(server.stop)
            stack.enter_context(ready(server))
            parts = self.arguments.scenario
            runs = {
                name: run for name, run in scenarios(server).items() if not parts or any(part in name for part in parts)
            }
            campaign = InTheWebUI(server, runs, self.arguments.most, self._tell)
            for group in groups:
                if group == "full disk" and not small:
                    print("Full disks are left out: mounting a tmpfs is not permitted.", file=sys.stderr)
                    continue
                self._group(group, getattr(campaign, group.replace(" ", "_")))

    def _group(self, name: str, tries: Callable[[], None]) -> None:
        self.tried.clear()
        tries()
        self.groups[name] = Group.of(self.tried)
        self._write()

    def _tell(self, one: Tried) -> None:
        self.tried.append(one)
        print(f"{len(self.tried):4} {one.making}, {one.fault}: {'; '.join(one.bad) or 'as before'}", flush=True)

    def _write(self) -> None:
        tally.remember(self.groups, self.memory)
        self.arguments.out.write_text(described(self.groups, self.arguments))


def described(groups: dict[str, Group], arguments: argparse.Namespace) -> str:
    """Return the report in Markdown."""
    lines = [data.INTRODUCTION.format(processor=data.processor(), seed=arguments.seed, most=arguments.most)]
    there = {name: groups[name] for name in GROUPS if name in groups}
    whole = tally.total(group.total for group in there.values())
    bad = [sentence for group in there.values() for sentence in group.bad]
    lines += [f"{whole.tried} faults were tried, {whole.reached} happened; {len(bad)} left something that was not as "
              "before.", "", *(f"- {sentence}" for sentence in bad), *([""] if bad else [])]  # fmt: skip
    for name, group in there.items():
        lines += [f"## {GROUPS[name]}", "", group.table(), ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
