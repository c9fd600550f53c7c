"""MP4 and WebM through PyAV."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd_ext.media.clip import Clip, stacked
from vcd_ext.media.film import Times, opened_film, pixels_of, tags
from vcd_ext.media.part import Part
from vcd_ext.media.pyav import pyav
from vcd_ext.media.record import labels, understood
from vcd_ext.media.sound import opened
from vcd_ext.media.timing import tell_short, tell_uneven
from vcd_ext.media.whole import is_cut_off
from vcd_ext.progress import Note
from vcd_ext.settings import OWN_CRF, FileSettings

# libavutil's numbers: BT.709 as matrix, primaries and transfer, no matrix; limited and full range.
BT709, RGB, LIMITED, FULL = 1, 0, 1, 2
# libswscale's flags: bicubic, full chroma in and out, accurate rounding. Without them each pass through a file
# darkens by 1/255 and the error on photographs is half as large again.
PRECISE = 0x4 | 0x2000 | 0x4000 | 0x40000
# Seconds by which encoders let the sound outlast the pictures: their last block is not full.
LAST_SOUND = Fraction(1, 20)
MICROSECONDS = 10**6  # FFmpeg's unit of a file's length


@dataclass(frozen=True)
class Container:
    """A file format: FFmpeg's names of its muxer and encoder, and their options."""

    muxer: str
    codec: str
    codec_options: dict[str, str]
    muxer_options: dict[str, str]
    pixels: str = "yuv420p"  # FFmpeg's name of how a pixel is stored


MP4 = Container("mp4", "libx264", {"crf": "18"}, {"movflags": "+faststart+use_metadata_tags"})
WEBM = Container(
    "webm",
    "libvpx-vp9",
    {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    {},
)
USUAL_PRESET = "medium"  # libx264's own, which is then not named


def write_mp4(path: Path, clip: Clip, settings: FileSettings, sound: Path | None = None) -> None:
    """Write H.264, BT.709, index in front. All metadata survives; "parameters" is also the comment.

    By default yuv420p at crf 18. Without loss it is RGB, as no conversion to YUV is exact.
    sound: a file whose sound is put in, to the end of the clip.
    """
    preset = {} if settings.preset == USUAL_PRESET else {"preset": settings.preset}
    kind = _with_quality(MP4, settings)
    if settings.lossless:
        kind = replace(kind, codec="libx264rgb", codec_options={"crf": "0"}, pixels="rgb24")
    _write(path, clip, replace(kind, codec_options=kind.codec_options | preset), sound)


def write_webm(path: Path, clip: Clip, settings: FileSettings, sound: Path | None = None) -> None:
    """Write VP9, BT.709, all metadata; "parameters" is also the comment. Without loss, and sound: as for MP4.

    By default yuv420p at crf 20.
    """
    kind = _with_quality(WEBM, settings)
    if settings.lossless:
        options = kind.codec_options | {"lossless": "1", "crf": "0"}  # it refuses any other crf then
        kind = replace(kind, codec_options=options, pixels="gbrp")
    _write(path, clip, kind, sound)


def _with_quality(kind: Container, settings: FileSettings) -> Container:
    crf = {} if settings.crf == OWN_CRF else {"crf": str(settings.crf)}
    pixels = "yuv444p" if settings.chroma == "4:4:4" else kind.pixels
    return replace(kind, codec_options=kind.codec_options | crf, pixels=pixels)


def read_container(path: Path, note: Note, part: Part) -> Clip:
    """Return a part of the first video stream of an MP4, WebM, MOV, Matroska or AVI file; no sound.

    Its frames are what players show, at the rate at which they are shown. In a file from elsewhere, the container's
    tags are the metadata.
    """
    with opened_film(path) as (container, stream):
        record, times = understood(tags(container)), Times(stream, part)
        pictures = pixels_of(path, container, stream, times, record.size, note, part)
        frames = stacked(pictures, part.count or record.frames or stream.frames or 16)
        if part.whole and is_cut_off(path):
            record.check_complete(frames)
        clip = record.clip(frames, times.rate(record.fps))
        clip = replace(clip, start=times.start(clip.fps))
        tell_uneven(times.begins, clip.fps, note)
        if part.whole:
            tell_short(times.begins, clip.fps, (container.duration or 0) / MICROSECONDS, note)
        return clip


def _write(path: Path, clip: Clip, kind: Container, sound: Path | None) -> None:
    # "file:" keeps FFmpeg from taking a name with a colon for a protocol.
    with pyav().open(f"file:{path}", "w", format=kind.muxer, options=kind.muxer_options) as container:
        stored = labels(clip)
        container.metadata.update(stored)
        if "parameters" in stored:
            container.metadata["comment"] = stored["parameters"]
        stream = _video_stream(container, clip, kind)
        length = len(clip.frames) / clip.fps + LAST_SOUND
        with opened(sound, container, length, clip.start) as heard:
            for i, picture in enumerate(clip.frames):
                container.mux(stream.encode(_encodable(picture, kind.pixels)))
                if heard is not None:  # beside the pictures, or the muxer would hold all of them until the sound comes
                    heard.write_until((i + 1) / clip.fps)
            container.mux(stream.encode(None))
            if heard is not None:
                heard.write_until(length)


def _video_stream(container: Any, clip: Clip, kind: Container) -> Any:
    stream = container.add_stream(kind.codec, rate=clip.fps, options=kind.codec_options)
    _, height, width, _ = clip.frames.shape
    stream.width, stream.height = _even(width), _even(height)
    stream.pix_fmt = kind.pixels
    codec = stream.codec_context
    codec.colorspace = codec.color_primaries = codec.color_trc = BT709
    codec.color_range = LIMITED
    if kind.pixels in ("rgb24", "gbrp"):
        codec.colorspace, codec.color_range = RGB, FULL
    return stream


def _encodable(picture: NDArray[np.uint8], pixels: str) -> Any:
    """Convert a picture [H, W, 3] to a frame of even size; an odd last row or column is repeated.

    pixels: FFmpeg's name of how they are stored.
    """
    height, width, _ = picture.shape
    margin = ((0, _even(height) - height), (0, _even(width) - width), (0, 0))
    padded = np.ascontiguousarray(np.pad(picture, margin, mode="edge") if np.any(margin) else picture)
    frame = pyav().VideoFrame.from_ndarray(padded, format="rgb24")
    if pixels in ("rgb24", "gbrp"):
        return frame.reformat(format=pixels)
    return frame.reformat(format=pixels, dst_colorspace=BT709, dst_color_range=LIMITED, interpolation=PRECISE)


def _even(length: int) -> int:
    return length + length % 2
