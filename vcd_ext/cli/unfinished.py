"""What `generate` keeps of a video that takes long, so that the same command goes on with it."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.terminal import interruption, notify
from vcd_ext.settings import FORMATS, FileSettings

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.unfinished_video import UnfinishedVideo

# Options of what comes after the sampling; they may change before it goes on.
AFTER = {field.name for field in fields(FileSettings)} | {
    "run", "out", "formats", "face", "tiled", "save_stages", "order", "interpolate", "interpolate_by", "weights",
    "upscaler_weights",
}  # fmt: skip
STAGES = ("face_", "tiled_")


def unfinished_video(arguments: argparse.Namespace, file: Path) -> "UnfinishedVideo":
    """Return what was kept of a video, and keeps it; ValueError for another command's.

    file: the first that the video is to be written to, or its folder of frames.
    """
    from vcd_ext.hosts.diffusers.unfinished_video import SUFFIX, UnfinishedVideo

    name = file.stem if file.suffix.removeprefix(".") in FORMATS else file.name  # a folder's may have a dot in it
    found = UnfinishedVideo(file.with_name(name + SUFFIX), _asked(arguments))
    found.tell = notify
    if found.position is not None:
        notify(f"Goes on from {found.path}, before step {found.position.step + 1}.")
    return found


@contextmanager
def interruptible(video: "UnfinishedVideo | None") -> Iterator[None]:
    """Let the first Ctrl-C end this context after the sampling's step, where it can be gone on with; that is told."""
    from vcd_ext.hosts.protocols import Interrupted

    if video is None:
        yield
        return
    with interruption() as interrupted:
        video.interrupted = interrupted
        try:
            yield
        except Interrupted:
            notify(f"Stopped. The same command goes on from {video.path}.")


def finish(video: "UnfinishedVideo", complete: bool) -> None:
    """Delete what was kept of a video that is written; where what follows was cut short it stays, and that is told."""
    if complete:
        video.discard()
    elif video.path.exists():
        notify(f"The same command goes on from {video.path}, after the sampling.")


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options on which the frames depend, by the names that are typed, and what files they name."""
    return {
        f"--{name.replace('_', '-')}": _described(value)
        for name, value in vars(arguments).items()
        if value is not None and name not in AFTER and not name.startswith(STAGES)
    }


def _described(value: Any) -> Any:
    """Return a value as it is written in JSON; a file with its size and time, as its content is the video's as well."""
    if isinstance(value, list | tuple):
        return [_described(each) for each in value]
    if isinstance(value, str | Path):
        with suppress(OSError, ValueError):  # a prompt may be no name that a file can have
            if Path(value).is_file():
                known = Path(value).stat()
                return [str(value), known.st_size, known.st_mtime_ns]
    return str(value) if isinstance(value, Path) else value
