"""The files of a finished video: names that are free, every format that was asked for, with the sound of the input."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vcd_ext import media
from vcd_ext.media import Clip, SoundError

PNG_FOLDER = "png"  # the format that is a folder of frames
MIME = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif", ".webp": "image/webp"}


def targets(out: Path, formats: Sequence[str]) -> list[Path]:
    """One path for each format: `out` with a suffix, and without one for the folder of PNG frames."""
    return [out if name == PNG_FOLDER else out.with_name(f"{out.name}.{name}") for name in formats]


def free(folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """As `targets` in a folder, with -2, -3, ... behind the name where one of the files is there already."""
    number = 1
    while True:
        found = targets(folder / (name if number == 1 else f"{name}-{number}"), formats)
        if not any(path.exists() for path in found):
            return found
        number += 1


def save(clip: Clip, files: Sequence[Path], source: Path, note: Callable[[str], None]) -> None:
    """Write a clip to all files, with the sound of `source` where they can have any.

    note: told in a sentence where the sound is lost. OSError, ValueError or ImportError in one sentence.
    """
    if files and media.has_sound(source) and not any(map(media.carries_sound, files)):
        note("The sound is left out, because it has room in mp4 and webm files only.")
    for file in files:
        try:
            media.write(file, clip, sound=source)
        except SoundError as error:
            note(f"{error} The video was written without it.")
            media.write(file, clip)
