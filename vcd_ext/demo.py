"""The subcommand `demo`: everything from text to files on small models with random weights, made on the spot."""

import argparse
import importlib
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import vcd_ext
from vcd_ext import media
from vcd_ext.generate import progress_bar
from vcd_ext.hosts.standalone import Standalone
from vcd_ext.media import Clip
from vcd_ext.settings import GenerateSettings, VideoSettings

IDENTITY = "tinyperson"
GAMMAS = (0.0, 0.15)
PICTURE = GenerateSettings(prompt=f"a photo of {IDENTITY} at the beach", width=192, height=192, steps=8)
SHOWN, LABEL_HEIGHT = 8, 16  # frames of a row of the contact sheet; pixels


def run(arguments: argparse.Namespace) -> int:
    """Write models, a video for each gamma, and a contact sheet into the folder `out`; say what was done."""
    started = time.monotonic()
    out: Path = arguments.out
    checkpoint, module, identity = _models(out / "models")
    print(f"Small models with random weights: {checkpoint}, {module}, {identity}")
    host = Standalone.load(checkpoint)
    picture = replace(PICTURE, seed=arguments.seed)
    clips = {}
    for gamma in GAMMAS:
        with progress_bar() as progress:
            clips[gamma] = host.generate(picture, VideoSettings(gamma=gamma), module, [identity], progress)
        path = media.write(out / f"gamma_{gamma:g}.mp4", clips[gamma])
        print(f"{path}: gamma {gamma:g}; neighbouring frames correlate by {likeness(clips[gamma]):.3f}")
    sheet = out / "contact_sheet.png"
    contact_sheet(clips).save(sheet)
    print(f"{sheet}: frames side by side, one row for each gamma")
    print(
        f"Done in {time.monotonic() - started:.0f} s. The weights are random, so the pictures are abstract: this shows "
        "that everything runs and that gamma makes frames more alike, not how real models look."
    )
    return 0


def _models(folder: Path) -> tuple[Path, Path, Path]:
    """Checkpoint, motion module and embedding, written by the clone's tests/tiny.py."""
    root = Path(vcd_ext.__file__).parents[1]
    if not (root / "tests" / "tiny.py").is_file():
        raise ValueError(f"The demo makes its models with tests/tiny.py, which {root} lacks; run it in a full clone.")
    sys.path.insert(0, str(root))
    tiny: Any = importlib.import_module("tests.tiny")
    return tiny.checkpoint(folder), tiny.motion_module(folder), tiny.embedding(folder, IDENTITY)


def likeness(clip: Clip) -> float:
    """Mean correlation, -1 to 1, between the pixels of neighbouring frames."""
    frames = clip.frames.reshape(len(clip.frames), -1).astype(np.float32)
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairwise(frames)]))


def contact_sheet(clips: dict[float, Clip]) -> Image.Image:
    """The first frames of each clip in a row of its own, its gamma above them."""
    _, height, width, _ = next(iter(clips.values())).frames.shape
    row = height + LABEL_HEIGHT
    sheet = Image.new("RGB", (SHOWN * width, len(clips) * row), "white")
    for i, (gamma, clip) in enumerate(clips.items()):
        ImageDraw.Draw(sheet).text((4, i * row + 2), f"gamma {gamma:g}", fill="black")
        sheet.paste(Image.fromarray(np.hstack(list(clip.frames[:SHOWN]))), (0, i * row + LABEL_HEIGHT))
    return sheet
