"""The data folder of the WebUI that is broken, and what stands above the report."""

import os
from pathlib import Path

from tests import tiny
from tests.webui.server import REPOSITORY

INTRODUCTION = """# Reliability

Everything that can go wrong goes wrong here, one at a time, in a real WebUI (v1.10.1) with a tiny checkpoint, and in
processes of the command line that are killed. After each fault the model is compared to the bit (weights, buffers,
hooks, flags, functions that are replaced, and a plain picture of the WebUI), every new file is read to its end, and the
same run is made once more, which has to give what it gave before. (Of a process that is killed no model is left; its
files are judged, and what the next process makes.)

`python -m benchmarks.reliability` (moments of kill -9 from seed {seed}; at most {most} passings of one place in one
scenario), on {processor}.

*reached*: the fault happened before the run ended. *made all the same*: the result is the one without the fault, to the
bit. *in part, or told why*: what was finished is kept, or a sentence says why there is nothing. The last four columns
count what must be 0. `docs/reliability.json` remembers each group when it is done: a run that is ended goes on.
"""


def folder(where: Path) -> Path:
    """Make a WebUI's data folder with two tiny checkpoints and what else the scenarios need; its path."""
    models = where / "models"
    tiny.checkpoint(models / "Stable-diffusion")
    tiny.checkpoint(models / "Stable-diffusion", "other", seed=1)
    tiny.motion_module(models / "AnimateDiff")
    tiny.controlnet(models / "ControlNet")
    tiny.embedding(where / "embeddings", "tinyperson")
    (where / "outputs").mkdir()
    (where / "extensions").mkdir()
    (where / "extensions" / "vcd-webui").symlink_to(REPOSITORY)
    (where / "extensions" / "probe").symlink_to(REPOSITORY / "tests/webui/probe")
    return where


def processor() -> str:
    """Return what computes it, in words: the processor's name and how many cores there are."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} cores of {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} cores"
