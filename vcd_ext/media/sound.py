"""The sound of a video, carried over into another: copied as it is where the format takes it, else encoded anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from vcd_ext.media.clip import MediaError
from vcd_ext.media.pyav import DEMUXERS, pyav

# By FFmpeg's name of the muxer: the codecs that browsers play in it, and the encoder for all others.
COPIED = {"mp4": ("aac", "mp3", "opus", "flac", "alac", "ac3", "eac3"), "webm": ("opus", "vorbis")}
ENCODERS = {"mp4": "aac", "webm": "libopus"}


class SoundError(MediaError):
    """The sound cannot be carried over; the pictures can."""


def carries_sound(path: Path) -> bool:
    """Whether a file of this name can have sound, if `write` makes it."""
    return path.suffix.lower().removeprefix(".") in ENCODERS


def has_sound(path: Path) -> bool:
    """Whether there is sound in a file. Never raises: what cannot be read has none."""
    demuxer = DEMUXERS.get(path.suffix.lower())
    if demuxer is None or not path.is_file():
        return False
    try:
        with pyav().open(f"file:{path}", format=demuxer, metadata_errors="replace") as container:
            return any(stream.codec_context is not None for stream in container.streams.audio)
    except Exception:  # demuxers raise nearly anything on damaged data
        return False


class Sound:
    """The first sound stream of a file on its way into a container that is being written."""

    def __init__(self, source: Any, container: Any):
        """source, container: PyAV's, one open for reading and one for writing; StopIteration without sound."""
        self._input = next(stream for stream in source.streams.audio if stream.codec_context is not None)
        self._path, self._container, muxer = source.name.removeprefix("file:"), container, container.format.name
        self._copied = self._input.codec_context.name.removesuffix("float") in COPIED[muxer]
        if self._copied:
            self._output = container.add_stream_from_template(self._input)
        else:
            self._output = container.add_stream(ENCODERS[muxer], rate=_rate(self._input, muxer))
            self._output.layout = "mono" if self._input.codec_context.channels == 1 else "stereo"
        self._packets = self._shifted(source)
        self._next: Any = None

    def write_until(self, seconds: Fraction | float) -> None:
        """Write what begins before a moment of the video, in seconds. SoundError where it cannot be read."""
        while (packet := self._peek()) is not None and packet.pts * packet.time_base < seconds:
            self._container.mux(packet)
            self._next = None

    def _peek(self) -> Any:
        if self._next is None:
            with _explained(self._path):
                self._next = next(self._packets, None)
        return self._next

    def _shifted(self, source: Any) -> Iterator[Any]:
        """Its packets for the container, in time with a video whose first picture is shown at 0."""
        video = source.streams.video[0] if source.streams.video else None
        begin = video.start_time * video.time_base if video is not None and video.start_time else Fraction(0)
        for packet in source.demux(self._input):
            if not self._copied:
                for frame in packet.decode():
                    frame.pts = None if frame.pts is None else frame.pts - round(begin / frame.time_base)
                    yield from self._output.encode(frame)
            elif packet.dts is not None and packet.pts is not None:
                shift = round(begin / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self._output
                yield packet
        if not self._copied:
            yield from self._output.encode(None)


@contextmanager
def opened(path: Path | None, container: Any) -> Iterator[Sound | None]:
    """The sound of a file for a container that is being written; None without a file. SoundError."""
    if path is None:
        yield None
        return
    with _explained(path):
        source = pyav().open(f"file:{path}", format=DEMUXERS[path.suffix.lower()], metadata_errors="replace")
    with source:
        with _explained(path):
            sound = Sound(source, container)
        yield sound


@contextmanager
def _explained(path: Path | str) -> Iterator[None]:
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SoundError(f"The sound of {path} cannot be read ({reason}); give a file without sound.") from error


def _rate(stream: Any, muxer: str) -> int:
    """Samples a second of an encoder: Opus knows few."""
    rate = int(stream.codec_context.sample_rate)
    return rate if muxer != "webm" or rate in (8000, 12000, 16000, 24000, 48000) else 48000
