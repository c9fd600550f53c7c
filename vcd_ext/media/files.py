"""Read and write clips: the format is the path's suffix."""

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PIL import Image

from vcd_ext.media.animation import read_apng
from vcd_ext.media.clip import Clip, MediaError
from vcd_ext.media.containers import read_container, write_mp4, write_webm
from vcd_ext.media.film import film_length
from vcd_ext.media.frame_folder import frame_files, read_frames, write_frames
from vcd_ext.media.gif import read_gif, write_gif
from vcd_ext.media.part import WHOLE, Part
from vcd_ext.media.pyav import DEMUXERS
from vcd_ext.media.sound import SoundError, carries_sound, has_sound
from vcd_ext.media.webp import read_webp, write_webp
from vcd_ext.progress import Note
from vcd_ext.settings import FileSettings
from vcd_ext.storage.atomic import atomically

USUAL = FileSettings()
COUNTED = 256  # frames after those that are used, to tell how many there are
WRITERS: dict[str, Callable[..., None]] = {
    ".mp4": write_mp4,
    ".webm": write_webm,
    ".gif": write_gif,
    ".webp": write_webp,
    "": write_frames,
}
READERS = {
    **dict.fromkeys(DEMUXERS, read_container),
    ".gif": read_gif,
    ".webp": read_webp,
    **dict.fromkeys((".png", ".apng"), read_apng),
}


def write(
    path: str | os.PathLike[str],
    clip: Clip,
    metadata: Mapping[str, str] | None = None,
    sound: Path | None = None,
    settings: FileSettings = USUAL,
) -> Path:
    """Write a clip as .mp4, .webm, .gif or .webp, or, without a suffix, as a new folder of frames, PNG by default.

    metadata goes over the clip's own. All of it survives in every format; "parameters", the WebUI's infotext,
    is stored as plain text where other tools and the WebUI's PNG Info find it. Missing folders are made, an
    existing file is replaced, and `path` only ever holds a complete file.
    sound: a video whose sound is put into .mp4 and .webm, from the clip's `start` to its end; nothing is put in
    if it has none.
    settings: how it is encoded. It is not divided here, and no text is written beside it: `output_files` does that.

    Returns the path. Raises ValueError for an unknown suffix or what a format cannot encode, FileExistsError for
    an existing folder of frames, OSError when the disk does not take it, ImportError without PyAV (.mp4, .webm),
    SoundError for sound that is damaged; each with one sentence that says what to do.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise MediaError(_unknown(path, WRITERS))
    if writer is write_frames and path.exists():
        raise FileExistsError(f"{path} already exists; choose another name or delete it first.")
    clip = replace(clip, metadata={**clip.metadata, **(metadata or {})})
    try:
        with atomically(path) as temporary:
            if sound is not None and carries_sound(path) and has_sound(sound):
                writer(temporary, clip, settings, sound)
            else:
                writer(temporary, clip, settings)
    except (OSError, ImportError, MemoryError, SoundError):
        raise
    except Exception as error:  # each encoder has its own exceptions
        raise _unencodable(path, clip, error) from error
    return path


def _unencodable(path: Path, clip: Clip, error: Exception) -> MediaError:
    size = "x".join(str(length) for length in clip.frames.shape[2:0:-1])
    return MediaError(
        f"{path} was not written: {len(clip.frames)} frames of {size} cannot be encoded ({_short(error)}); "
        "try another format or a smaller size."
    )


def read(path: str | os.PathLike[str], note: Note | None = None, part: Part = WHOLE) -> Clip:
    """Read a clip: what `write` wrote comes back with the same metadata, exact fps, size and number of frames.

    Also reads such files from elsewhere, .mov, .m4v, .mkv, .avi and animated .png: the first video stream as players
    show it, in the colours of sRGB; title, copyright and infotext as metadata, not where or with what it was filmed.
    Sound is left out, transparency laid on white.
    note: told in a sentence of each thing that is converted: HDR, fields, pixels that are not square, turned pictures,
    transparency; and of a rate that varies, of which every frame is kept.
    part: the frames that are read; those behind it are not even decoded.

    Raises FileNotFoundError for a missing file, ValueError for one that is not a video or is damaged, OSError when
    the disk fails, MemoryError, ImportError without PyAV; each with one sentence that says what to do.
    """
    path = Path(path)
    check_readable(path)
    reader = read_frames if path.is_dir() else READERS[path.suffix.lower()]
    if path.is_file():
        path.open("rb").close()  # so that a disk's refusal is not taken for a damaged file
    try:
        return reader(path, note or (lambda _: None), part)
    except MediaError as error:
        raise MediaError(f"{path} cannot be read: {error}") from error
    except ImportError:
        raise
    except MemoryError as error:
        raise MemoryError(f"{path} is too long for the memory there is, or damaged; cut it shorter first.") from error
    except Exception as error:  # decoders raise nearly anything on damaged data, also OSError and IndexError
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise  # long videos lie on the disk
        raise MediaError(
            f"{path} is damaged or not a {path.suffix.lstrip('.') or 'PNG'} video ({_short(error)}); "
            "copy the file again, make it anew or choose another."
        ) from error


def length(path: str | os.PathLike[str], enough: int) -> int:
    """Return how many frames a video has, without decoding them; 0 for one that cannot be read.

    enough: where the file does not tell and they are counted, at most so many are.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return len(frame_files(path, lambda _: None))
        if path.suffix.lower() in DEMUXERS:
            return film_length(path, enough)
        with Image.open(path) as image:
            return int(getattr(image, "n_frames", 1))
    except Exception:  # decoders raise nearly anything on damaged data
        return 0


def left_out(path: Path, part: Part, used: int) -> str | None:
    """Return half a sentence where a part of a video has more frames than the first so many, which are used; else None.

    Such as "5 frames; the first 2", of which the reader says what is done with them, and why.
    """
    last = part.first + used - 1
    enough = last + COUNTED
    total = 0 if 0 < part.last <= last else length(path, enough)
    if total <= last:
        return None
    which = f"the first {used}" if part.first == 1 else f"{part.first} to {last}"
    return f"{total} frames{' or more' if total == enough else ''}; {which}"


def check_readable(path: Path) -> None:
    """Raise FileNotFoundError or ValueError, as `read`, for a missing file or an unknown suffix; quick otherwise."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; check the folder and the name.")
    if not path.is_dir() and path.suffix.lower() not in READERS:
        raise MediaError(_unknown(path, READERS))


def _unknown(path: Path, known: Mapping[str, object]) -> str:
    suffixes = ", ".join(suffix for suffix in known if suffix)
    return (
        f"{path} has the unknown suffix {path.suffix!r}; use one of {suffixes}, or a folder without a suffix for PNG."
    )


def _short(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
