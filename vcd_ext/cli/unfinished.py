"""What `generate` keeps of a video that takes long, so that the same command goes on with it."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.terminal import interruption, notify
from vcd_ext.people.lines import FOLLOWED
from vcd_ext.settings import FORMATS, FileSettings, GenerateSettings

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.unfinished_video import UnfinishedVideo

# Options of what comes after the sampling; they may change before it goes on.
AFTER = {field.name for field in fields(FileSettings)} | {
    "run", "out", "formats", "face", "tiled", "save_stages", "order", "interpolate", "interpolate_by", "weights",
    "upscaler_weights",
}  # fmt: skip
STAGES = ("face_", "tiled_")
# But by these are people found whose regions follow them, and for Tiled VCD pictures are read at twice the size.
FINDING, PICTURES = ("face_detector", "face_words", "weights"), ("start_picture", "end_picture")
TEXTS = ("prompt", "negative_prompt", "people")  # which name no file, though one may be called the same


def unfinished_video(
    arguments: argparse.Namespace, file: Path, picture: GenerateSettings, loras: Mapping[str, Path]
) -> "tuple[UnfinishedVideo | None, GenerateSettings]":
    """Return what was kept of a video from text, and keeps it; and the picture's settings, with the seed that it had.

    file: the first that the video is to be written to, or its folder of frames. loras: those that prompts may ask for.
    ValueError for another command's.
    """
    from vcd_ext.hosts.diffusers.unfinished_video import SUFFIX, UnfinishedVideo

    if arguments.input is not None:
        return None, picture
    name = file.stem if file.suffix.removeprefix(".") in FORMATS else file.name  # a folder's may have a dot in it
    found = UnfinishedVideo(file.with_name(name + SUFFIX), _asked(arguments, loras))
    found.tell = notify
    if found.position is None or found.seed is None:
        return found, picture
    again = f" of sampling {found.position.sampling + 1}" if found.position.sampling else ""
    notify(f"Goes on from {found.path}: {found.position.step} steps{again} are made.")
    return found, replace(picture, seed=found.seed)


@contextmanager
def interruptible(video: "UnfinishedVideo | None") -> Iterator[None]:
    """Let the first Ctrl-C within this context end it after a step, where that can be gone on with; that is told."""
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


def finish(video: "UnfinishedVideo | None") -> None:
    """Delete what was kept of a video, which is written now."""
    try:
        if video is not None:
            video.discard()
    except OSError as error:
        notify(f"{video and video.path} is not needed any more and could not be deleted ({error.strerror}); delete it.")


def _asked(arguments: argparse.Namespace, loras: Mapping[str, Path]) -> dict[str, Any]:
    """Return the options on which the frames depend, by the names that are typed, and what files they name."""
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    before = {name: value for name, value in given.items() if _counts(name, given)}
    asked_for = f"{given.get('prompt', '')} {given.get('negative_prompt', '')} {given.get('motion_lora', '')}"
    before["loras"] = [file for name, file in loras.items() if name in asked_for]
    return {
        f"--{name.replace('_', '-')}": value if name in TEXTS else _described(value) for name, value in before.items()
    }


def _counts(name: str, given: Mapping[str, Any]) -> bool:
    """Return whether the sampling depends on an option. given: all of them."""
    if name in FINDING:
        return FOLLOWED in given.get("people", "")
    if name == "tiled":
        return any(given.get(picture) for picture in PICTURES)
    return name not in AFTER and not name.startswith(STAGES)


def _described(value: Any) -> Any:
    """Return a value as it is written in JSON; files with their sizes and times, as their content is the video's."""
    if isinstance(value, list | tuple):
        return [_described(each) for each in value]
    if isinstance(value, str | Path):
        with suppress(OSError, ValueError):  # not all that is typed is a name that a file can have
            path = Path(value)
            files = sorted(path.iterdir()) if value and path.is_dir() else [path] if path.is_file() else []
            known = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
            return [str(value), known] if known else str(value)
    return str(value) if isinstance(value, Path) else value
