"""The subcommand `generate`: a video from text, in one or several formats."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from vcd_ext.settings import FORMATS, GenerateSettings, VideoSettings, parse

if TYPE_CHECKING:
    from vcd_ext.hosts.standalone import Progress

PNG_FOLDER = "png"
NOT_HERE = ("enabled", "motion_module", "identity")  # settings of the WebUI's page; here these are files


def run(arguments: argparse.Namespace) -> int:
    """Make the video that the arguments describe and write its files."""
    formats = chosen_formats(arguments.out, arguments.formats)
    files = targets(arguments.out, formats)
    given = vars(arguments) | {"formats": formats}
    picture = parse(GenerateSettings, {f.name: given[f.name] for f in fields(GenerateSettings)})
    video = parse(VideoSettings, {f.name: given[f.name] for f in fields(VideoSettings) if f.name not in NOT_HERE})
    _make_room(files)

    import torch

    from vcd_ext import media
    from vcd_ext.hosts.standalone import Standalone

    host = Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None)
    with progress_bar() as progress:
        clip = host.generate(picture, video, arguments.motion_module, arguments.embedding, progress)
    for file in files:
        print(media.write(file, clip))
    return 0


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


def _make_room(files: Sequence[Path]) -> None:
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
