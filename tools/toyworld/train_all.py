"""Make the whole drawn world in a given time: autoencoder, denoiser, temporal module and judges, one after the other.

    python -m tools.toyworld.train_all --out runs --minutes 9 --device cuda      # a GPU with 16 cores beside it
    python -m tools.toyworld.train_all --out runs --minutes 1800 --device cpu    # two cores, in pieces as you like

All cores draw. Each part measures its own pace first and then takes as many steps as its share of the time allows; the
plan is kept in OUT/plan.json, so the same command goes on where it was stopped. A part that is finished is exported
(OUT/autoencoder, OUT/denoiser, OUT/motion, OUT/judges) before the next begins, and OUT/reached.json says what each
reached. Needs torch, diffusers, transformers, safetensors, OpenCV and Pillow.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import train_autoencoder, train_denoiser, train_judges, train_motion
from .world import SIZE

Train = Callable[[list[str]], Any]
SHARES = {"autoencoder": 0.3, "denoiser": 0.45, "motion": 0.17, "judges": 0.08}  # of the time
TRIED = 6  # steps that measure a part's pace


def main(arguments: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """Train what is not finished yet; return what each part reached."""
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "plan.json"
    plan: dict[str, int] = json.loads(file.read_text()) if file.is_file() else {}
    reached: dict[str, dict[str, Any]] = {}
    for name, share in SHARES.items():
        began = time.monotonic()
        train, flags = _part(name, options)
        if name not in plan:
            plan[name] = _steps(name, train, flags, options, 60 * options.minutes * share)
            file.write_text(json.dumps(plan, indent=1) + "\n")
        train([*flags, "--out", str(options.out / name), *_counted(name, plan[name])])
        reached[name] = {"steps": plan[name], "seconds": round(time.monotonic() - began, 1)} | _last(options.out / name)
        (options.out / "reached.json").write_text(json.dumps(reached, indent=1) + "\n")
        print(f"{name}: {reached[name]}", flush=True)
    return reached


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the drawn world in a given time.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True, help="for all parts together")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=None, help="processes that draw; by default a core each")
    parser.add_argument("--pictures", type=int, default=12_000, help="that the denoiser learns from")
    parser.add_argument("--clips", type=int, default=2500, help="that the temporal module learns from")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--batch", type=int, default=None, help="of pictures; by default 16, on a GPU 256")
    parser.add_argument("--channels", type=int, nargs=4, default=[64, 128, 128, 128], help="of the denoiser")
    parser.add_argument("--code-channels", type=int, nargs=4, default=[64, 64, 64, 64], help="of the autoencoder")
    return parser.parse_args(arguments)


def _part(name: str, options: argparse.Namespace) -> tuple[Train, list[str]]:
    """Return a part's training and its options, all but the folder and the number of steps."""
    cpu = options.device == "cpu"
    batch = options.batch or (16 if cpu else 256)
    cores = os.cpu_count() or 1
    workers = str((0 if cpu else cores) if options.workers is None else options.workers)
    shared = ["--device", options.device, "--threads", str(min(cores, 4)), "--workers", workers]
    drawn = ["--size", str(options.size), "--autoencoder", str(options.out / "autoencoder/autoencoder.safetensors")]
    if name == "autoencoder":
        widths = ["--channels", *map(str, options.code_channels), "--held-out", str(min(16, options.pictures))]
        return train_autoencoder.main, [*shared, *widths, "--batch", str(max(batch // 4, 2))]
    if name == "denoiser":
        channels = ["--channels", *map(str, options.channels), "--heard", str(min(96, options.pictures))]
        many = ["--pictures", str(options.pictures), "--batch", str(batch)]
        return train_denoiser.main, [*shared, *drawn, *channels, *many]
    if name == "motion":
        many = ["--clips", str(options.clips), "--batch", str(max(batch // 16, 1))]
        return train_motion.main, [*shared, *drawn, "--denoiser", str(options.out / "denoiser"), *many]
    return train_judges.main, ["--threads", str(min(cores, 8)), "--sceneries", str(min(256, options.pictures))]


def _counted(name: str, steps: int) -> list[str]:
    if name != "judges":
        return ["--steps", str(steps)]
    pictures = max(steps * 2 // 5, 1)  # its networks learn one after the other
    return ["--picture-steps", str(pictures), "--subject-steps", str(max(steps - pictures, 1))]


def _steps(name: str, train: Train, flags: list[str], options: argparse.Namespace, seconds: float) -> int:
    """Return how many steps there is time for, after a few that measure the pace and what comes before the first.

    The pictures that were drawn for it are kept.
    """
    trial = options.out / "trial" / name

    def timed(last: int) -> float:
        began = time.monotonic()
        train([*flags, "--out", str(trial), *_counted(name, 1000), "--stop-at", str(last)])
        return time.monotonic() - began

    first, some, none = timed(2), timed(2 + TRIED), timed(2 + TRIED)
    for kept in ("latents", "text.safetensors"):
        if (trial / kept).exists():
            (options.out / name).mkdir(parents=True, exist_ok=True)
            shutil.move(trial / kept, options.out / name / kept)
    shutil.rmtree(trial)
    return max(int((seconds - first - some) / max((some - none) / TRIED, 1e-3)), TRIED)


def _last(folder: Path) -> dict[str, Any]:
    """Return the last line of each log of a training."""
    found: dict[str, Any] = {}
    for log in sorted(folder.glob("*.jsonl")):
        found |= json.loads(log.read_text().splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
