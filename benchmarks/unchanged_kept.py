"""The sums of `benchmarks.unchanged` that are kept, in unchanged.json, each with the kind of processor it is of.

oneDNN and MKL choose their kernels by the processor, and sums of floats depend on their order; so do the packages, the
number of threads, and the shipped drawn world, from which half of the requests are made. All of that is the kind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch

from vcd_ext import toyworld

PATH = Path(__file__).with_name("unchanged.json")
PROCESSOR = ("vendor_id", "cpu family", "model")  # of /proc/cpuinfo; the name of a virtual one tells less


def kind() -> str:
    """Return what bit-identical frames depend on beside the code."""
    lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    files = hashlib.sha256(toyworld.checkpoint().read_bytes() + toyworld.motion_module().read_bytes())
    return ", ".join(
        [
            " ".join(told.get(name, "") for name in PROCESSOR),
            torch.backends.cpu.get_cpu_capability() + " AMX" * ("amx_tile" in told.get("flags", "").split()),
            f"torch {torch.__version__}",
            f"threads {torch.get_num_threads()}",
            f"drawn world {files.hexdigest()[:8]}",
        ]
    )


def read() -> dict[str, dict[str, list[str]]]:
    """Return by place (command line or WebUI) and request the sums of this kind; SystemExit where none are kept."""
    kept = _all()
    if kind() not in kept:
        raise SystemExit(
            f"No sums are kept for this kind of processor, files and packages ({kind()}), and those of other kinds "
            "differ in their last bits: compare two commits, or keep this one's by --keep."
        )
    return kept[kind()]


def write(made: Mapping[str, dict[str, list[str]]]) -> None:
    """Keep the sums of this kind, beside those of others."""
    kept = _all()
    kept[kind()] = kept.get(kind(), {}) | dict(made)
    PATH.write_text(json.dumps(kept, indent=1) + "\n")


def _all() -> dict[str, dict[str, dict[str, list[str]]]]:
    return dict(json.loads(PATH.read_text())) if PATH.is_file() else {}
