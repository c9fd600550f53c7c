"""What VCD adds to the start of the WebUI: with it and without it in turn, in processes of their own.

    python -m benchmarks.start [--rounds 3]

Needs the WebUI that tests/webui uses; about a minute for each pair. Seconds are those of the WebUI's own timer
(Settings -> Startup profile), the least of the rounds. Expected: at most 0.4 s in scripts, page and callbacks together;
`install.py` runs in a process of its own before that, and is timed by itself.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import tiny
from tests.webui.server import REPOSITORY as ROOT
from tests.webui.server import WEBUI, Server


def main() -> None:
    """Start both in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else all is compiled at every start, which people's is not
    with tempfile.TemporaryDirectory() as temporary:
        folders = {on: _data(Path(temporary) / ("with" if on else "without"), on) for on in (False, True)}
        found: dict[bool, list[dict[str, float]]] = {False: [], True: []}
        for _ in range(options.rounds):
            for on, folder in folders.items():
                found[on].append(_started(folder))
    without, with_it = (_least(found[on]) for on in (False, True))
    print("| | without | with VCD | more |\n|---|---|---|---|")
    for name in sorted(with_it, key=lambda name: without.get(name, 0) - with_it[name]):
        more = with_it[name] - without.get(name, 0.0)
        if name == "total" or abs(more) >= 0.01:
            print(f"| {name} | {without.get(name, 0.0):.2f} | {with_it[name]:.2f} | {more:+.2f} |")
    print(f"| install.py, seconds | | {_install():.2f} | |")


def _data(folder: Path, on: bool) -> Path:
    tiny.checkpoint(folder / "models/Stable-diffusion")
    extensions = {"probe": ROOT / "tests/webui/probe"} | ({"vcd-webui": ROOT} if on else {})
    (folder / "extensions").mkdir(parents=True)
    for name, target in extensions.items():
        (folder / "extensions" / name).symlink_to(target.resolve())
    return folder


def _started(folder: Path) -> dict[str, float]:
    """Start the WebUI once; seconds by what its timer names, and in total."""
    server = Server(folder)
    try:
        profile: dict[str, Any] = server.get("/internal/profile-startup")
        return {**profile["records"], "total": profile["total"]}
    finally:
        server.stop()


def _least(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: min(run.get(name, 0.0) for run in runs) for name in runs[0]}


def _install() -> float:
    """Return the seconds of `install.py` where nothing is missing, in the WebUI's Python."""
    times = []
    environment = os.environ | {"PYTHONPATH": str(WEBUI)}
    for _ in range(3):
        begun = time.monotonic()
        python = WEBUI / "venv/bin/python"
        subprocess.run([str(python if python.exists() else sys.executable), str(ROOT / "install.py")],
                       cwd=WEBUI, env=environment, check=True, capture_output=True)  # fmt: skip
        times.append(time.monotonic() - begun)
    return min(times)


if __name__ == "__main__":
    main()
