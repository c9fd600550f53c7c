"""The files of a finished video: names that are free, every format that was asked for, with the sound of the input."""

import glob
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vcd_ext import media
from vcd_ext.media import Clip, SoundError
from vcd_ext.media.infotext import PARAMETERS
from vcd_ext.media.names import cut, cut_all
from vcd_ext.progress import Note
from vcd_ext.settings import FileSettings
from vcd_ext.storage.atomic import atomically

PNG_FOLDER = "png"  # the format that is a folder of frames
USUAL = FileSettings()
MIME = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif", ".webp": "image/webp"}


def targets(out: Path, formats: Sequence[str]) -> list[Path]:
    """Return one path for each format: `out` with a suffix, and without one for the folder of PNG frames."""
    return [out if name == PNG_FOLDER else out.with_name(f"{out.name}.{name}") for name in formats]


def subfolder_of(folder: Path, subfolder: str) -> Path:
    """Return a sub-folder, which need not exist, by its name in `FileSettings`; parts that are too long are cut off."""
    return cut_all(folder / subfolder) if subfolder else folder


def free(folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Return `targets` in a folder, with -2, -3, ... behind the name where one of the files is there already.

    The name is cut off where the folder does not take it.
    """
    name, number = cut(name, folder), 1
    while True:
        found = targets(folder / (name if number == 1 else f"{name}-{number}"), formats)
        if not any(path.exists() or _divided(path) for path in found):
            return found
        number += 1


def _divided(file: Path) -> bool:
    """Return whether there is a video of that name that was divided into several files."""
    return any(file.parent.glob(f"{glob.escape(file.stem)}-part*{file.suffix}")) if file.suffix else False


def save(
    clip: Clip, files: Sequence[Path], source: Path | None, note: Note, settings: FileSettings = USUAL
) -> list[Path]:
    """Write a clip to all files, with the sound of `source`, if there is one, where they can have any.

    note: told in a sentence where the sound is lost. Returns the files, of which there are more where the settings
    divide the video. OSError, ValueError or ImportError in one sentence.
    """
    if files and source is not None and media.has_sound(source) and not any(map(media.carries_sound, files)):
        note("The sound is left out, because it has room in mp4 and webm files only.")
    written = [path for file in files for path in write(clip, file, source, note, settings)]
    if settings.text_file:
        write_infotext(written, clip.metadata.get(PARAMETERS, ""), note)
    return written


def write(clip: Clip, file: Path, source: Path | None, note: Note, settings: FileSettings = USUAL) -> list[Path]:
    """Write a clip to a file, or to several where the settings divide it, and return these; as `save`.

    It gets the sound of `source` if both can have any.
    """
    written = list[Path]()
    for path, part in _parts(clip, file, settings.frames_per_file):
        try:
            media.write(path, part, sound=source, settings=settings)
        except SoundError as error:
            note(f"{error} The video was written without it.")
            media.write(path, part, settings=settings)
        written.append(path)
    return written


def is_divided(clip: Clip, settings: FileSettings) -> bool:
    """Return whether a clip is written into several files."""
    return 0 < settings.frames_per_file < len(clip.frames)


def _parts(clip: Clip, file: Path, most: int) -> Iterator[tuple[Path, Clip]]:
    """Yield files and what is written to them: parts of at most so many frames; a folder of frames is not divided."""
    count = len(clip.frames)
    if not 0 < most < count or not file.suffix:
        yield file, clip
        return
    digits = len(str(-(-count // most)))
    for number, begin in enumerate(range(0, count, most), 1):
        ending = f"-part{number:0{digits}d}{file.suffix}"
        start = clip.start + begin / clip.fps
        name = cut(file.stem, file.parent, len(ending)) + ending
        yield file.with_name(name), replace(clip, frames=clip.frames[begin : begin + most], start=start)


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


def kept(
    clip: Clip, files: Sequence[Path], source: Path | None, note: Note, settings: FileSettings = USUAL
) -> Sequence[Path]:
    """Save as `save` does, but put what cannot be written, and took long to make, into the temporary folder.

    There it has the files' names if the disk was full, and is a folder of frames if a format cannot be written; note
    is told. Returns the files. OSError, ValueError or ImportError, in one sentence, if that fails as well.
    """
    try:
        return save(clip, files, source, note, settings)
    except (OSError, ValueError, ImportError) as error:
        elsewhere = Path(tempfile.mkdtemp(prefix="vcd"))
        names = [file.name for file in files] if isinstance(error, OSError) else [files[0].stem]
        rescued = [elsewhere / name for name in names]
        try:
            rescued = save(clip, rescued, source, lambda _: None, settings)
        except (OSError, ValueError, ImportError):
            shutil.rmtree(elsewhere, ignore_errors=True)
            raise error from None
        note(f"{error} It is in {elsewhere} instead.")
        return rescued
