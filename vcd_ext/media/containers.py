"""MP4 and WebM through PyAV."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd_ext.media.clip import Clip, MediaError, stacked
from vcd_ext.media.opaque import Note, decoded, has_alpha, on_white, once
from vcd_ext.media.pyav import DEMUXERS, is_cover, pyav
from vcd_ext.media.record import labels, understood
from vcd_ext.media.sound import opened
from vcd_ext.media.timing import tell_short, tell_uneven

# libavutil's numbers: BT.709 as matrix, primaries and transfer; limited range.
BT709, LIMITED = 1, 1
# libswscale's table for RGB, its default.
RGB_MATRIX = 5
# libswscale's flags: bicubic, full chroma in and out, accurate rounding. Without them each pass through a file
# darkens by 1/255 and the error on photographs is half as large again.
PRECISE = 0x4 | 0x2000 | 0x4000 | 0x40000
# Seconds by which encoders let the sound outlast the pictures: their last block is not full.
LAST_SOUND = Fraction(1, 20)
MICROSECONDS = 10**6  # FFmpeg's unit of a file's length
# What the muxers write about themselves.
TECHNICAL = {"major_brand", "minor_version", "compatible_brands", "encoder", "creation_time"}


@dataclass(frozen=True)
class Container:
    """A file format: FFmpeg's names of its muxer and encoder, and their options."""

    muxer: str
    codec: str
    codec_options: dict[str, str]
    muxer_options: dict[str, str]


MP4 = Container("mp4", "libx264", {"crf": "18"}, {"movflags": "+faststart+use_metadata_tags"})
WEBM = Container(
    "webm",
    "libvpx-vp9",
    {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    {},
)


def write_mp4(path: Path, clip: Clip, sound: Path | None = None) -> None:
    """H.264, yuv420p, BT.709, crf 18, index in front. All metadata survives; "parameters" is also the comment.

    sound: a file whose sound is put in, to the end of the clip.
    """
    _write(path, clip, MP4, sound)


def write_webm(path: Path, clip: Clip, sound: Path | None = None) -> None:
    """VP9, yuv420p, BT.709, crf 20. All metadata survives; "parameters" is also the comment. sound: as for MP4."""
    _write(path, clip, WEBM, sound)


def read_container(path: Path, note: Note) -> Clip:
    """The first video stream of an MP4, WebM, MOV, Matroska or AVI file, at its average rate and upright; no sound.

    In a file from elsewhere, the container's tags are the metadata.
    """
    demuxer = DEMUXERS[path.suffix.lower()]
    # Tags of old files may be in any encoding; they are no reason to refuse the film.
    with pyav().open(f"file:{path}", format=demuxer, metadata_errors="replace") as container:
        films = [stream for stream in container.streams.video if not is_cover(stream)]
        if not films:
            raise MediaError("there is no video in it, only sound or data; choose a video file.")
        stream = films[0]
        if stream.codec_context is None:  # PyAV crashes the whole process when it decodes such a stream
            raise MediaError("its video codec is unknown; convert it to H.264 or copy the file again.")
        stream.thread_type = "AUTO"
        tags = {name.lower(): text for name, text in container.metadata.items()}
        record = understood({name: text for name, text in tags.items() if name not in TECHNICAL})
        begins: list[float] = []
        pictures = _pictures(decoded(container, stream, note), record.size, begins, once(note))
        frames = stacked(pictures, record.frames or stream.frames or 16)
        record.check_complete(frames)
        clip = record.clip(frames, _rate(stream))
        if record.fps is None:
            tell_uneven(begins, clip.fps, note)
            tell_short(begins, clip.fps, (container.duration or 0) / MICROSECONDS, note)
        return clip


def _write(path: Path, clip: Clip, kind: Container, sound: Path | None) -> None:
    # "file:" keeps FFmpeg from taking a name with a colon for a protocol.
    with pyav().open(f"file:{path}", "w", format=kind.muxer, options=kind.muxer_options) as container:
        tags = labels(clip)
        container.metadata.update(tags)
        if "parameters" in tags:
            container.metadata["comment"] = tags["parameters"]
        stream = _video_stream(container, clip, kind)
        length = len(clip.frames) / clip.fps + LAST_SOUND
        with opened(sound, container, length) as heard:
            for i, picture in enumerate(clip.frames):
                container.mux(stream.encode(_encodable(picture)))
                if heard is not None:  # beside the pictures, or the muxer would hold all of them until the sound comes
                    heard.write_until((i + 1) / clip.fps)
            container.mux(stream.encode(None))
            if heard is not None:
                heard.write_until(length)


def _video_stream(container: Any, clip: Clip, kind: Container) -> Any:
    stream = container.add_stream(kind.codec, rate=clip.fps, options=kind.codec_options)
    _, height, width, _ = clip.frames.shape
    stream.width, stream.height = _even(width), _even(height)
    stream.pix_fmt = "yuv420p"
    codec = stream.codec_context
    codec.colorspace = codec.color_primaries = codec.color_trc = BT709
    codec.color_range = LIMITED
    return stream


def _encodable(picture: NDArray[np.uint8]) -> Any:
    """Picture [H, W, 3] as a YUV frame of even size; the last row and column are repeated where it is odd."""
    height, width, _ = picture.shape
    margin = ((0, _even(height) - height), (0, _even(width) - width), (0, 0))
    padded = np.ascontiguousarray(np.pad(picture, margin, mode="edge") if np.any(margin) else picture)
    frame = pyav().VideoFrame.from_ndarray(padded, format="rgb24")
    return frame.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED, interpolation=PRECISE)


def _pictures(
    frames: Iterator[Any], size: tuple[int, int] | None, begins: list[float], transparent: Callable[[], None]
) -> Iterator[NDArray[np.uint8]]:
    """Decoded frames as RGB [H, W, 3], upright, without the padding that `size`, (height, width), tells of.

    begins: gets the second at which each begins, as far as the file says. transparent: called for each that is.
    """
    for frame in frames:
        if frame.time is not None:
            begins.append(frame.time)
        rgb = _rgb(frame, transparent)
        padded = size is not None and rgb.shape[:2] == (_even(size[0]), _even(size[1]))
        cut = rgb[: size[0], : size[1]] if size is not None and padded else rgb
        # Phones film lying on their side and mark how it is to be turned, counterclockwise.
        yield np.rot90(cut, round(frame.rotation / 90))


def _rgb(frame: Any, transparent: Callable[[], None]) -> NDArray[np.uint8]:
    """Its pixels [H, W, 3], on white where it is transparent."""
    alpha = has_alpha(frame)
    pixels: NDArray[np.uint8] = frame.reformat(
        format="rgba" if alpha else "rgb24",
        src_colorspace=_matrix(frame),
        dst_colorspace=RGB_MATRIX,
        src_color_range=frame.color_range,
        interpolation=PRECISE,
    ).to_ndarray()
    if not alpha:
        return pixels
    if pixels[..., 3].min() < 255:
        transparent()
    return on_white(pixels)


def _matrix(frame: Any) -> int:
    """The frame's YUV matrix; players take an unmarked one for BT.709 from 720 lines on, for BT.601 below."""
    unmarked = 2
    if frame.colorspace != unmarked:
        return int(frame.colorspace)
    return BT709 if frame.height >= 720 else RGB_MATRIX


def _rate(stream: Any) -> Fraction | None:
    return stream.average_rate or stream.guessed_rate


def _even(length: int) -> int:
    return length + length % 2
