"""Calls of the command line as a person sees them: exit status and what was said."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Files
from vcd_ext.__main__ import main

MISSING_MODELS = {
    "missing checkpoint": (["--checkpoint", "missing.safetensors"], "There is no checkpoint at missing"),
    "missing module": (["--motion-module", "missing.safetensors"], "There is no motion module at missing"),
    "missing embedding": (["--embedding", "missing.safetensors"], "There is no embedding at missing"),
}


@pytest.fixture
def call(files: Files, tmp_path: Path) -> list[str]:
    """Return a small job; options that come later count."""
    small = {"--width": 64, "--height": 64, "--steps": 1, "--frames": 2, "--seed": 1, "--prompt": "a photo"}
    options = {"--checkpoint": files.checkpoint, "--out": tmp_path / "clip.mp4", **small}
    return ["generate", *(str(word) for option in options.items() for word in option)]


@pytest.fixture
def _ctrl_c_as_in_a_terminal() -> Iterator[None]:
    """Give Ctrl-C Python's own handler: where the tests run in the background, the shell has turned Ctrl-C off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def last_line(text: str) -> str:
    """Return the last line of what was said, which holds no traceback."""
    assert "Traceback" not in text
    return text.strip().splitlines()[-1]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line with which a call ends that cannot work."""
    try:
        status = main(arguments)
    except SystemExit as left:  # argparse leaves this way
        status = int(left.code or 0)
    assert status == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1, said
    return said
