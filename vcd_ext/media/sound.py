"""The sound of a video, carried over into another: copied as it is where the format takes it, else encoded anew."""

import errno
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from vcd_ext.media.clip import MediaError
from vcd_ext.media.pyav import DEMUXERS, pyav
from vcd_ext.media.sound_encoder import SoundEncoder

# By FFmpeg's name of the muxer: the codecs that browsers play in it, and the encoder for all others.
COPIED = {"mp4": ("aac", "mp3", "opus", "flac", "alac", "ac3", "eac3"), "webm": ("opus", "vorbis")}
ENCODERS = {"mp4": "aac", "webm": "libopus"}
# Seconds by which a packet's time may lie before the one that came before it, and be taken for a slip of rounding.
SLIP = Fraction(1, 4)
LEAD_IN = Fraction(1, 10)  # seconds before the first picture that decoders may need to begin
BEYOND = 100  # packets behind the end after which no more are looked for; fewer may be mistakes of the file
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class SoundError(MediaError):
    """The sound cannot be carried over; the pictures can."""


def carries_sound(path: Path) -> bool:
    """Return whether a file of this name can have sound, if `write` makes it."""
    return path.suffix.lower().removeprefix(".") in ENCODERS


def has_sound(path: Path) -> bool:
    """Return whether there is sound in a file. Never raises: what cannot be read has none."""
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

    def __init__(self, source: Any, container: Any, seconds: Fraction, start: Fraction):
        """source, container: PyAV's, one open for reading and one for writing; StopIteration without sound.

        seconds: the length of the sound that is wanted. start: the second of the source's pictures that is its first.
        """
        self._input = next(stream for stream in source.streams.audio if stream.codec_context is not None)
        self._path, self._container = source.name.removeprefix("file:"), container
        self._seconds, self._start = seconds, start
        if _takes(container.format.name, self._input):
            self._output = container.add_stream_from_template(self._input)
            self._packets = self._copied(source)
        else:
            codec, heard = ENCODERS[container.format.name], self._input.codec_context
            layout = "mono" if heard.channels == 1 else "stereo"
            encoder = SoundEncoder(container, codec, _rate(codec, heard.sample_rate), layout)
            self._packets = self._encoded(source, encoder)
        self._next: Any = None

    def write_until(self, seconds: Fraction | float) -> None:
        """Write what begins before a moment of the video, in seconds. SoundError where it cannot be carried over."""
        with _explained(self._path):
            while (packet := self._peek()) is not None and packet.pts * packet.time_base < seconds:
                self._container.mux(packet)
                self._next = None

    def _peek(self) -> Any:
        if self._next is None:
            self._next = next(self._packets, None)
        return self._next

    def _copied(self, source: Any) -> Iterator[Any]:
        """Yield the packets unchanged, each later than the one before it, as muxers want them."""
        last: int | None = None
        for packet, at in self._timed(source):
            step = max(1, math.ceil(Fraction(1, self._input.codec_context.sample_rate) / packet.time_base))
            if last is not None and at < last + step:
                if (last - at) * packet.time_base > SLIP:
                    continue  # the file jumps back: these moments have their sound
                at = last + step
            packet.pts = packet.dts = last = at
            packet.stream = self._output
            yield packet

    def _encoded(self, source: Any, encoder: SoundEncoder) -> Iterator[Any]:
        for frame, moment in self._decoded(source):
            if frame.pts is not None and frame.time_base:  # some decoders do not say
                moment = frame.pts * frame.time_base
            if moment < self._seconds:
                frame.time_base = Fraction(1, frame.sample_rate)
                frame.pts = round(moment / frame.time_base)
                yield from encoder.encode(frame)
        yield from encoder.finish()

    def _decoded(self, source: Any) -> Iterator[tuple[Any, Fraction]]:
        """Yield the frames, each with the time of its packet; what is damaged is left out, as players do."""
        moment = Fraction(0)
        for packet, at in self._timed(source):
            moment = at * packet.time_base
            with suppress(pyav().error.InvalidDataError):
                yield from ((frame, moment) for frame in packet.decode())
        with suppress(pyav().error.InvalidDataError, EOFError):
            yield from ((frame, moment) for frame in self._input.codec_context.decode(None))

    def _timed(self, source: Any) -> Iterator[tuple[Any, int]]:
        """Yield the packets of the clip's length, timed so that the clip begins at 0, and that time."""
        video = source.streams.video[0] if source.streams.video else None
        first = video.start_time * video.time_base if video is not None and video.start_time else Fraction(0)
        begin = first + self._start
        before, end, beyond = None, 0, 0
        for packet in source.demux(self._input):
            if not packet.size:
                continue
            given = packet.dts if packet.dts is not None else packet.pts
            # A clock that stands still tells nothing; the packet follows the one before it.
            at = end if given in (None, before) else given - round(begin / packet.time_base)
            before, end = given, at + (packet.duration or 1)
            packet.pts = packet.dts = at
            beyond = beyond + 1 if at * packet.time_base >= self._seconds else 0
            if beyond > BEYOND:
                return
            if not beyond and end * packet.time_base > -LEAD_IN:
                yield packet, at


def _takes(muxer: str, stream: Any) -> bool:
    """Return whether the stream can be copied into a kind of file: not each takes every rate of every codec."""
    if stream.codec_context.name.removesuffix("float") not in COPIED[muxer]:
        return False
    try:
        with pyav().open(io.BytesIO(), "w", format=muxer) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (OSError, ValueError):
        return False
    return True


def _rate(codec: str, wanted: int) -> int:
    """Choose the rate, in samples a second, at which an encoder loses least of a sound: it may know only a few."""
    known = sorted(pyav().codec.Codec(codec, "w").audio_rates or [wanted])
    return next((rate for rate in known if rate >= wanted), known[-1])


@contextmanager
def opened(
    path: Path | None, container: Any, seconds: Fraction, start: Fraction = Fraction(0)
) -> Iterator[Sound | None]:
    """Yield the sound of a file, of this length, for a container that is being written; None without a file.

    start: as for `Sound`. The container's other streams must be there. SoundError.
    """
    if path is None:
        yield None
        return
    with _explained(path):
        source = pyav().open(f"file:{path}", format=DEMUXERS[path.suffix.lower()], metadata_errors="replace")
    with source:
        with _explained(path):
            sound = Sound(source, container, seconds, start)
            container.start_encoding()
        yield sound


@contextmanager
def _explained(path: Path | str) -> Iterator[None]:
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        if getattr(error, "errno", None) in FULL_DISK:
            raise
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SoundError(f"The sound of {path} cannot be read ({reason}); give a file without sound.") from error
