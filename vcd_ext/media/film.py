"""A film that is open: its pixels, when they are shown, and where in its packets a part of it begins."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd_ext.media.clip import MediaError
from vcd_ext.media.graph import Marks, converted
from vcd_ext.media.hdr import BT2020, HDR
from vcd_ext.media.opaque import decoded, on_white, once
from vcd_ext.media.part import Part
from vcd_ext.media.pyav import DEMUXERS, is_cover, pyav
from vcd_ext.media.timing import STANDARD, rate
from vcd_ext.progress import Note

UNMARKED = 2  # libavutil's number of primaries that nobody has told
# Packets after the last one of a part whose moments show the film's rate, and by which codecs change the order.
AFTER, REORDERED = 256, 32


def pixels_of(
    path: Path, container: Any, stream: Any, times: "Times", size: tuple[int, int] | None, note: Note, part: Part
) -> Iterator[NDArray[np.uint8]]:
    """Yield a part's frames of an open film, [H, W, 3], as `graph.converted` makes them, on white where they are clear.

    Only these are decoded, and those between the first and the last one before it with which the codec can begin.
    times: gets to know their moments. size: as for `graph.converted`.
    """
    skipped, wanted = _entry(path, part.first)
    packets = islice(times.packets(container.demux(stream)), skipped, None)
    frames = times.noted(_of_part(decoded(packets, stream, note), part, wanted))
    tell = once(note)
    for pixels in converted(frames, lambda: _marks(stream), size, note):
        if pixels.shape[2] == 3:
            yield pixels
            continue
        if pixels[..., 3].min() < 255:
            tell()
        yield on_white(pixels)


def film_length(path: Path, enough: int) -> int:
    """Return how many frames a film has. enough: where it does not tell and they are counted, at most so many are."""
    with opened_film(path) as (container, stream):
        return stream.frames or sum(1 for _ in islice(filter(_shows, container.demux(stream)), enough))


class Times:
    """When the frames of a stream begin: those that are decoded, and those whose packets went by."""

    def __init__(self, stream: Any, part: Part):
        self._stream, self._part = stream, part
        self._moments: list[int] = []  # in ticks, of each decoded frame that tells it
        self._count = 0
        self._packets: list[int] = []  # in ticks, of packets with a frame to be shown

    def noted(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Yield decoded frames, noting their moments."""
        for frame in frames:
            self._count += 1
            if frame.pts is not None:
                self._moments.append(frame.pts)
            yield frame

    def packets(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Yield packets, noting their moments."""
        for packet in packets:
            if packet.pts is not None and _shows(packet):
                self._packets.append(packet.pts)
            yield packet

    @property
    def begins(self) -> list[Fraction]:
        """Return the seconds at which decoded frames begin; none where some are not told."""
        known = len(self._moments) == self._count
        # AVI tells when packets are to be decoded: these are the right moments, but in another order than the frames'.
        told = known and (self._part.whole or self._stream.container.format.name != "avi")
        return [moment * Fraction(self._stream.time_base) for moment in sorted(self._moments)] if told else []

    def rate(self, recorded: Fraction | None) -> Fraction | None:
        """Return the frames per second. recorded: the rate that our own label tells; the moments win against it."""
        stream, begins = self._stream, self.begins
        declared = [recorded, stream.average_rate, stream.guessed_rate, stream.base_rate]
        if begins and self._part.last:
            begins = self._all()
        return rate(begins, stream.time_base, declared) or recorded or _credible(declared)

    def start(self, fps: Fraction) -> Fraction:
        """Return the second of the film at which the part begins."""
        if self._part.first == 1 or not self.begins:
            return (self._part.first - 1) / fps
        return self.begins[0] - (self._stream.start_time or 0) * Fraction(self._stream.time_base)

    def _all(self) -> list[Fraction]:
        """Return the moments of the decoded frames and of those that follow them for a while."""
        container = self._stream.container
        with suppress(pyav().error.FFmpegError):  # damage that comes later is no matter here
            for _ in islice(self.packets(container.demux(self._stream)), AFTER):
                pass
        # The last ones may still lack some between them, which come later in the file.
        later = sorted({moment for moment in self._packets if moment >= min(self._moments)})
        kept = later[: max(len(later) - REORDERED, len(self._moments))]
        return [moment * Fraction(self._stream.time_base) for moment in kept]


def _credible(rates: Sequence[Fraction | None]) -> Fraction | None:
    """Return the first rate that a camera can have; a file that knows none may tell that of its clock."""
    return next((rate for rate in rates if rate and rate <= max(STANDARD)), None)


@contextmanager
def opened_film(path: Path) -> Iterator[tuple[Any, Any]]:
    """Yield the container and its first video stream that can be decoded. MediaError if there is none."""
    # Tags of old files may be in any encoding; they are no reason to refuse the film.
    with pyav().open(f"file:{path}", format=DEMUXERS[path.suffix.lower()], metadata_errors="replace") as container:
        films = [stream for stream in container.streams.video if not is_cover(stream)]
        if not films:
            raise MediaError("there is no video in it, only sound or data; choose a video file.")
        stream = films[0]
        if stream.codec_context is None:  # PyAV crashes the whole process when it decodes such a stream
            raise MediaError("its video codec is unknown; convert it to H.264 or copy the file again.")
        stream.thread_type = "AUTO"
        yield container, stream


def tags(container: Any) -> dict[str, str]:
    """Return what a container says of its film, by names in small letters."""
    return {name.lower(): text for name, text in container.metadata.items()}


def _marks(stream: Any) -> Marks:
    codec = stream.codec_context
    primaries, transfer = int(codec.color_primaries), int(codec.color_trc)
    if transfer in HDR and primaries == UNMARKED:
        primaries = BT2020
    return Marks(stream.sample_aspect_ratio, primaries, transfer)


def _entry(path: Path, first: int) -> tuple[int, int | None]:
    """Return how many packets a part starts after, and the first wanted frame's moment in ticks. Frames count from 1.

    0 and None for the first frame, and where packets do not tell their moments. MediaError if the film is shorter.
    """
    if first == 1:
        return 0, None
    moments: list[int | None] = []
    keys: list[tuple[int, int]] = []
    ordered = True  # whether packets tell when their frames are shown; those of AVI only when all stand for themselves
    with opened_film(path) as (container, stream):
        for i, packet in enumerate(container.demux(stream)):
            if packet.is_keyframe and packet.pts is not None:
                keys.append((packet.pts, i))
            if _shows(packet):
                moments.append(packet.pts)
                ordered = ordered and (packet.is_keyframe or container.format.name != "avi")
            if len(moments) >= first + REORDERED:
                break
    if len(moments) < first:
        raise MediaError(f"it has {len(moments)} frames and no frame {first}; choose an earlier first frame.")
    known = [moment for moment in moments if moment is not None]
    if not ordered or len(set(known)) < len(moments):
        return 0, None
    wanted = sorted(known)[first - 1]
    return max((i for moment, i in keys if moment <= wanted), default=0), wanted


def _shows(packet: Any) -> bool:
    """Return whether a packet has a frame that is shown: not the end of the stream, and no hidden one of VP8."""
    if packet.size == 0 or packet.is_discard:
        return False
    return packet.stream.codec_context.name != "vp8" or bool(memoryview(packet)[0] >> 4 & 1)


def _of_part(frames: Iterator[Any], part: Part, wanted: int | None) -> Iterator[Any]:
    """Yield the frames of a part. wanted: the moment of its first one in ticks, if not all before it are there."""
    if wanted is None:
        return part.of(frames)
    after = (frame for frame in frames if frame.pts is None or frame.pts >= wanted)
    return part.of(after, skipped=part.first - 1)
