"""PyAV, which not everybody has, and FFmpeg's names for the files that it opens."""

from types import ModuleType
from typing import Any

# The demuxer is named, never guessed: a playlist called .mp4 could make FFmpeg open other files and addresses.
DEMUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "matroska", ".mkv": "matroska", ".avi": "avi"}


def pyav() -> ModuleType:
    """Import PyAV; ImportError, in one sentence, if it is missing or too old."""
    try:
        import av
        import av.logging
    except ImportError as error:
        raise ImportError(
            "PyAV is not installed: restart the WebUI so that install.py can add it, or pip install av."
        ) from error
    if int(av.__version__.split(".")[0]) < 14:  # older ones do not take `containers.PRECISE`
        raise ImportError(f'PyAV {av.__version__} is too old: pip install "av>=14,<14.3", then restart the WebUI.')
    # torchvision makes PyAV write FFmpeg's log through Python. A decoder's thread that has something to say then waits
    # for Python's lock, which whoever closes the film holds while it waits for that thread: both wait for ever.
    av.logging.set_level(None)
    return av


def is_cover(stream: Any) -> bool:
    """Return whether a video stream is the picture on the cover of a song or film."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)
