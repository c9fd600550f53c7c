"""The subcommand `generate`: a video from text, or from another video, in one or several formats."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.settings import FORMATS, LARGEST, MOST_FRAMES, SMALLEST, GenerateSettings, VideoSettings, parse

if TYPE_CHECKING:
    from vcd_ext.hosts.standalone import Progress
    from vcd_ext.media import Clip

PNG_FOLDER = "png"
NOT_HERE = ("enabled", "motion_module", "identity", "video")  # settings of the WebUI's page; here these are files
# What a video that is made again brings along, for who does not choose it.
OF_INPUT = {
    "width": "512, or the input's",
    "height": "512, or the input's",
    "frames": "16, or all of the input's",
    "fps": "8, or the input's",
}


def run(arguments: argparse.Namespace) -> int:
    """Make the video that the arguments describe and write its files."""
    formats = chosen_formats(arguments.out, arguments.formats)
    files = targets(arguments.out, formats)
    given = {name: value for name, value in vars(arguments).items() if value is not None} | {"formats": formats}
    picture, video = _settings(given)  # before the input is read, which takes a while
    make_room(files)

    import torch

    from vcd_ext import media
    from vcd_ext.hosts.restyle import restyle
    from vcd_ext.hosts.standalone import Standalone

    models = (arguments.motion_module, arguments.embedding)
    source = None if arguments.input is None else media.read(arguments.input)
    if source is not None:
        picture, video = _settings(_of_input(source, arguments.input.name, given) | given)
    host = Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None)
    with progress_bar() as progress:
        if source is None:
            clip = host.generate(picture, video, *models, progress)
        else:
            clip = restyle(host, source, arguments.input.name, picture, video, *models, progress)
    for file in files:
        print(media.write(file, clip))
    return 0


def _settings(given: Mapping[str, Any]) -> tuple[GenerateSettings, VideoSettings]:
    picture = {f.name: given[f.name] for f in fields(GenerateSettings) if f.name in given}
    video = {f.name: given[f.name] for f in fields(VideoSettings) if f.name in given and f.name not in NOT_HERE}
    return parse(GenerateSettings, picture), parse(VideoSettings, video)


def _of_input(source: "Clip", name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a video to be made again brings along; ValueError if it is too large or too small."""
    from vcd_ext.hosts.restyle import fitting

    height, width = fitting(given.get("height", 0), given.get("width", 0), source)
    if not all(SMALLEST <= side <= LARGEST for side in (height, width)):
        tall, wide = source.frames.shape[1:3]
        raise ValueError(
            f"{name} is {wide}x{tall} and would be made at {width}x{height}; sides go from {SMALLEST} to "
            f"{LARGEST} pixels: choose --width and --height."
        )
    frames = min(len(source.frames), MOST_FRAMES)
    if len(source.frames) > frames and "frames" not in given:
        print(f"{name} has {len(source.frames)} frames; the first {frames} are used.", file=sys.stderr)
    return {"height": height, "width": width, "frames": frames, "fps": float(source.fps)}


def chosen_formats(out: Path, formats: Sequence[str]) -> list[str]:
    """What to write: several --formats as they are; else what the suffix of --out says; else the one format, or mp4.

    ValueError for a suffix that is no format.
    """
    suffix = out.suffix.lower().removeprefix(".")
    if suffix and suffix not in FORMATS:
        raise ValueError(f"--out ends in .{suffix}, which is no format; use one of .{', .'.join(FORMATS)}.")
    if len(formats) > 1:
        return list(dict.fromkeys(formats))
    return [suffix or next(iter(formats), FORMATS[0])]


def targets(out: Path, formats: Sequence[str]) -> list[Path]:
    """One path for each format: `out` with another suffix, and without one for the folder of PNG frames."""
    return [out.with_suffix("" if name == PNG_FOLDER else f".{name}") for name in formats]


def make_room(files: Sequence[Path]) -> None:
    """Make the folders of the files; ValueError where a folder is in a file's way."""
    # Now, and not when the video is made and would be lost.
    for file in files:
        if file.is_dir() or (not file.suffix and file.exists()):
            raise ValueError(f"{file} already exists; choose another name or delete it first.")
        file.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def progress_bar() -> Iterator["Progress"]:
    """A bar on stderr with the time left; yields the callback that shows and moves it."""
    from tqdm import tqdm

    bars: list[tqdm] = []  # made at the first call, so that a job that is refused shows none

    def show(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, bar_format="{percentage:3.0f}% |{bar}| {elapsed} passed, {remaining} left"))
        bars[0].update(done - bars[0].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()
