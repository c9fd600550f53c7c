"""The files of a finished video: names that are free, every format that was asked for, with the sound of the input."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vcd_ext import media
from vcd_ext.media import Clip, SoundError
from vcd_ext.media.names import cut
from vcd_ext.progress import Note
from vcd_ext.storage.atomic import atomically

PNG_FOLDER = "png"  # the format that is a folder of frames
MIME = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif", ".webp": "image/webp"}


def targets(out: Path, formats: Sequence[str]) -> list[Path]:
    """Return one path for each format: `out` with a suffix, and without one for the folder of PNG frames."""
    return [out if name == PNG_FOLDER else out.with_name(f"{out.name}.{name}") for name in formats]


def free(folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Return `targets` in a folder, with -2, -3, ... behind the name where one of the files is there already.

    The name is cut off where the folder does not take it.
    """
    name, number = cut(name, folder), 1
    while True:
        found = targets(folder / (name if number == 1 else f"{name}-{number}"), formats)
        if not any(path.exists() for path in found):
            return found
        number += 1


def save(clip: Clip, files: Sequence[Path], source: Path | None, note: Note) -> None:
    """Write a clip to all files, with the sound of `source`, if there is one, where they can have any.

    note: told in a sentence where the sound is lost. OSError, ValueError or ImportError in one sentence.
    """
    if files and source is not None and media.has_sound(source) and not any(map(media.carries_sound, files)):
        note("The sound is left out, because it has room in mp4 and webm files only.")
    for file in files:
        write(clip, file, source, note)


def write(clip: Clip, file: Path, source: Path | None, note: Note) -> None:
    """Write a clip to a file, with the sound of `source` if both can have any; as `save`."""
    try:
        media.write(file, clip, sound=source)
    except SoundError as error:
        note(f"{error} The video was written without it.")
        media.write(file, clip)


def write_infotext(files: Sequence[Path], text: str, note: Note) -> None:
    """Write an infotext beside the files of a video, as the WebUI does beside pictures; nothing for none.

    note: told in a sentence if that is not possible, for which no video is given up.
    """
    for path in dict.fromkeys(file.with_name(f"{file.stem if file.suffix else file.name}.txt") for file in files):
        try:
            if text:
                with atomically(path) as temporary:
                    temporary.write_text(f"{text}\n", encoding="utf-8", errors="replace")
        except OSError as error:
            note(str(error))


def kept(clip: Clip, files: Sequence[Path], source: Path | None, note: Note) -> Sequence[Path]:
    """Save as `save` does, but put what cannot be written, and took long to make, into the temporary folder.

    There it has the files' names if the disk was full, and is a folder of frames if a format cannot be written; note
    is told. Returns the files. OSError, ValueError or ImportError, in one sentence, if that fails as well.
    """
    try:
        save(clip, files, source, note)
    except (OSError, ValueError, ImportError) as error:
        elsewhere = Path(tempfile.mkdtemp(prefix="vcd"))
        names = [file.name for file in files] if isinstance(error, OSError) else [files[0].stem]
        rescued = [elsewhere / name for name in names]
        try:
            save(clip, rescued, source, lambda _: None)
        except (OSError, ValueError, ImportError):
            shutil.rmtree(elsewhere, ignore_errors=True)
            raise error from None
        note(f"{error} It is in {elsewhere} instead.")
        return rescued
    return files
