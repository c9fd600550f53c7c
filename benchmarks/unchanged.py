"""What a commit changed of videos that do not use what is new: the same requests in two trees, compared bit by bit.

    python -m benchmarks.unchanged [COMMIT] [--after COMMIT] [--webui]      # exit status 1 if a frame differs
    python -m benchmarks.unchanged --kept [--webui]                         # against benchmarks/unchanged.json
    python -m benchmarks.unchanged --keep [--webui]                         # writes that file

COMMIT, by default the one before prompt travel, loops and the rest of docs/animatediff.md, is unpacked beside the
working tree (or beside the commit that --after names). Each tree makes the same videos in a process of its own, from
the same files, on as many threads as OMP_NUM_THREADS says; then the frames' SHA-256 are compared. --webui does it in
the real WebUI of tests/webui as well, over its API, with small random models. On 2 cores about 3 minutes, and 4 more
with --webui.

Float sums differ from one kind of processor to another, so the sums that are kept (`benchmarks.unchanged_kept`) belong
to a kind, which is written beside them; on another one --kept says so, and two commits have to be compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops

from benchmarks import unchanged_kept
from tests import tiny
from vcd_ext import toyworld

ROOT = Path(__file__).parents[1]
BEFORE = "b46d7f5"
RUNNER = (
    "import json, pathlib, sys; from vcd_ext.__main__ import main; "
    "requests = json.loads(pathlib.Path(sys.argv[1]).read_text()); "
    "sys.exit(max(main(request) for request in requests))"
)
Frames = dict[str, list[str]]  # of each request 64 bits of the SHA-256 of its frames' pixels, in order
Make = Callable[[Path, Path], Frames]  # of a tree, with a folder to work in


class Files(NamedTuple):
    """What all requests are made from."""

    film: Path  # a folder of pictures
    tiny: Path  # a small random checkpoint
    modules: Path  # its motion modules
    embedding: Path

    @classmethod
    def made(cls, folder: Path) -> Files:
        """Write them into a folder."""
        film = folder / "film"
        film.mkdir()
        person = next(subject for subject in toyworld.subjects() if subject.class_word != "dog")
        with Image.open(person.folder / "1.png") as picture:
            for i in range(6):
                ImageChops.offset(picture.convert("RGB").resize((128, 128)), 2 * i, i).save(film / f"{i}.png")
        for version in ("v2", "v3", "AnimateLCM"):
            tiny.motion_module(folder / "modules", version)
        checkpoint = tiny.checkpoint(folder / "models")
        return cls(film, checkpoint, folder / "modules", tiny.embedding(folder / "embeddings", "tinyperson"))


def requests(files: Files) -> dict[str, list[str]]:
    """Return the options of each request, by what it shows; none uses a feature that COMMIT lacks."""
    world = ["--checkpoint", str(toyworld.checkpoint()), "--motion-module", str(toyworld.motion_module())]
    woman = [*world, "--prompt", "photo of a woman on the beach", "--steps", "3", "--seed", "5"]
    small = ["--width", "128", "--height", "128", "--frames", "6"]
    drawn = ["--sampler", "dpmpp_2m", *small]
    random = ["generate", "--checkpoint", str(files.tiny), "--steps", "4", "--seed", "3", "--width", "64"]
    random += ["--height", "64", "--frames", "5"]
    known = ["--embedding", str(files.embedding)]
    said = ["--prompt", "a (photo:1.3) of [tinyperson:a cat:0.5] AND snow :0.4 BREAK sharp", "--negative-prompt", "bad"]
    module = {version: ["--motion-module", str(files.modules / f"mm_{version}.safetensors")] for version in
              ("v2", "v3", "AnimateLCM")}  # fmt: skip
    film = ["--input", str(files.film)]
    faces = ["--face", "--face-detector", "drawn", "--face-size", "128", "--face-min-face", "8"]
    tiles = ["--tiled", "--tiled-tile", "144", "--tiled-tile-overlap", "32"]
    windows = ["--frames", "10", "--context", "4", "--overlap", "2", "--no-freenoise"]
    return {
        "text to video": ["generate", *woman, *drawn],
        "a long video in windows": ["generate", *woman, *drawn, *windows],
        "a video made again": ["generate", *woman, *film, "--denoise", "0.6"],
        "Face VCD after it": ["generate", *woman, *film, "--denoise", "0.1", *faces],
        "Tiled VCD after it": ["generate", *woman, *drawn, *tiles],
        "Tiled VCD of a film": ["tiled", *woman, *film, "--tile", "144", "--tile-overlap", "32", "--denoise", "0.5"],
        "the noise prior alone": [*random, "--gamma", "0.3", "--prompt", "a cat"],
        "no noise prior": [*random, *module["v2"], "--gamma", "0", "--prompt", "a cat", "--sampler", "ddim"],
        "an identity and a prompt's syntax": [*random, *module["v2"], *known, *said],
        "AnimateDiff v3": [*random, *module["v3"], "--prompt", "a cat"],
        "AnimateLCM with step noise": [*random, *module["AnimateLCM"], "--sampler", "lcm", "--step-noise"],
        "CFG scale 1": [*random, *module["v2"], "--cfg-scale", "1"],
    }


def frames_of_command(tree: Path, files: Files, out: Path) -> Frames:
    """Run all requests with the command line of a tree; RuntimeError if one of them fails."""
    wanted = requests(files)
    outs = {name: out / str(i) / "video.png" for i, name in enumerate(wanted)}
    calls = [[*options, "--formats", "png", "--out", str(outs[name])] for name, options in wanted.items()]
    out.mkdir(parents=True)
    (out / "requests.json").write_text(json.dumps(calls))
    subprocess.run(
        [sys.executable, "-c", RUNNER, str(out / "requests.json")],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "HF_HUB_OFFLINE": "1"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {name: [digest(path) for path in sorted(path.parent.rglob("*.png"))] for name, path in outs.items()}


def digest(path: Path) -> str:
    """Return the sum of a picture."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return sum_of(pixels)


def sum_of(pixels: np.ndarray) -> str:
    """Return 64 bits of the SHA-256 of pixels and their size."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:16]


def unpacked(commit: str, folder: Path) -> Path:
    """Unpack a commit's files into a new folder, and return it.

    The drawn world in it is the present one, whose judges are what finds faces there.
    """
    folder.mkdir()
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    shutil.rmtree(folder / "vcd_ext/toyworld")
    shutil.copytree(toyworld.FOLDER, folder / "vcd_ext/toyworld")
    return folder


def verdicts(before: Frames, after: Frames) -> Iterator[tuple[str, bool, str]]:
    """Yield of each request its name, whether all frames are the same, and how many are."""
    for name, old in before.items():
        new = after.get(name, [])
        same = sum(a == b for a, b in zip(old, new, strict=False))
        yield name, bool(old) and old == new, f"{same} of {max(len(old), len(new))}"


def compared(make: Make, trees: dict[str, Path], folder: Path) -> bool:
    """Make all videos in both trees, print a row for each request, and return whether all are the same."""
    before, after = (make(tree, folder / label) for label, tree in trees.items())
    return told(before, after)


def told(before: Frames, after: Frames) -> bool:
    """Print a row for each request, and return whether all are the same."""
    rows = list(verdicts(before, after))
    for name, same, count in rows:
        print(f"| {name} | {count} | {'yes' if same else '**no**'} |", flush=True)
    return bool(rows) and all(same for _, same, _ in rows)


def makers(files: Files, webui: bool) -> dict[str, Make]:
    """Return what makes the videos of a tree, by where it does so."""
    found: dict[str, Make] = {"command": lambda tree, out: frames_of_command(tree, files, out)}
    if webui:
        from benchmarks.unchanged_webui import frames_of_webui  # needs what the tests need

        found["webui"] = frames_of_webui
    return found


def main(arguments: list[str] | None = None) -> int:
    """Compare the two trees, or this one with what is kept, and return the exit status."""
    parser = argparse.ArgumentParser(description="Compare the frames of two commits bit by bit.")
    parser.add_argument("commit", nargs="?", default=BEFORE)
    parser.add_argument("--after", metavar="COMMIT", help="compare with this one instead of the working tree")
    parser.add_argument("--webui", action="store_true", help="in the real WebUI as well")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--kept", action="store_true", help="compare the working tree with the sums that are kept")
    kept.add_argument("--keep", action="store_true", help="keep the working tree's sums")
    options = parser.parse_args(arguments)
    before = unchanged_kept.read() if options.kept else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        making = makers(Files.made(folder), options.webui)
        print("| request | frames that are the same | all |\n|---|---|---|", flush=True)
        if options.kept or options.keep:
            made = {where: make(ROOT, folder / where) for where, make in making.items()}
            if options.keep:
                unchanged_kept.write(made)
                return 0
            same = [told(before.get(where, {}), frames) for where, frames in made.items()]
            return 0 if all(same) else 1
        after = unpacked(options.after, folder / "after") if options.after else ROOT
        trees = {"before": unpacked(options.commit, folder / "tree"), "after": after}
        same = [compared(make, trees, folder / where) for where, make in making.items()]
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
