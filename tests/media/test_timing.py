"""The rate of a film is what its timestamps say, whatever else it tells; what varies is told."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.media.making import film, greys, milliseconds
from vcd_ext.media import Clip, read, write
from vcd_ext.media.timing import rate

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize("fps", [30, NTSC, Fraction(24000, 1001), 24, 25, 60, 15, 12, Fraction(33, 2), 10, 8])
@pytest.mark.parametrize(("name", "codec"), [("x.mkv", "mpeg4"), ("x.webm", "libvpx"), ("x.mp4", "mpeg4")])
def test_a_film_that_tells_no_duration_of_frames_has_the_rate_of_its_timestamps(
    name: str, codec: str, fps: Fraction | int, tmp_path: Path
) -> None:
    told: list[str] = []
    path = film(tmp_path / name, greys(40), codec, begins=milliseconds(fps, 40))
    clip = read(path, told.append)
    assert (clip.fps, len(clip.frames)) == (fps, 40)
    assert told == []


@pytest.mark.parametrize("name", ["x.mkv", "x.webm", "x.mov"])
def test_a_film_whose_frames_waver_has_the_rate_that_was_meant_and_its_length(name: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    wavering = [max(0, begin + int(draw.integers(-5, 6))) for begin in milliseconds(30, 89)] + [2967]
    told: list[str] = []
    codec = "libvpx" if name == "x.webm" else "mpeg4"
    clip = read(film(tmp_path / name, greys(90), codec, begins=wavering), told.append)
    assert clip.fps == pytest.approx(30, rel=0.002)
    assert len(clip.frames) / clip.fps == pytest.approx(3.0, abs=0.02)
    assert told == []


def test_a_recording_with_a_pause_keeps_its_length_and_the_pause_is_told(tmp_path: Path) -> None:
    begins = [*milliseconds(30, 20), *(3000 + begin for begin in milliseconds(30, 20))]
    told: list[str] = []
    clip = read(film(tmp_path / "screen.webm", greys(40), "libvpx", begins=begins), told.append)
    assert len(clip.frames) / clip.fps == pytest.approx(3.7, abs=0.1)
    [sentence] = told
    assert sentence.startswith("The video's frame rate varies; all frames are kept")


def test_a_film_of_one_frame_has_a_rate_that_films_have(tmp_path: Path) -> None:
    for name, codec in (("x.webm", "libvpx"), ("x.mkv", "mpeg4"), ("x.mp4", "mpeg4")):
        assert 1 <= read(film(tmp_path / name, greys(1), codec, begins=[0])).fps <= 240


@pytest.mark.parametrize(
    ("begins", "tick", "likely", "fps"),
    [
        ([0, 33, 67, 100], 1000, [Fraction(125, 2)], 30),
        ([7, 40, 74, 107], 1000, [], 30),
        ([0, 1001, 2002, 3003], 30000, [], NTSC),
        ([0, 33, 67, 100, 133], 1000, [NTSC], NTSC),
        ([0, 2, 4, 6], 29, [], Fraction(29, 2)),
        ([0, 1, 2, 3], 0.25, [], Fraction(1, 4)),
        ([0, 500, 3000], 1000, [], Fraction(2, 3)),
        ([5], 1000, [Fraction(30)], None),
        ([5, 5], 1000, [], None),
    ],
)
def test_rates(begins: list[int], tick: float, likely: list[Fraction], fps: Fraction | None) -> None:
    step = 1 / Fraction(tick)
    assert rate([begin * step for begin in begins], step, likely) == fps


def animation(path: Path, delays: Sequence[int]) -> Path:
    """Return a GIF, WebP or PNG whose frames are shown for so many milliseconds."""
    frames = [Image.new("RGB", (8, 6), (40 * i % 256, 0, 0)) for i in range(len(delays))]
    options = {"lossless": True} if path.suffix == ".webp" else {}
    kind = "PNG" if path.suffix in (".png", ".apng") else None
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], duration=list(delays), **options)
    return path


@pytest.mark.parametrize("name", ["x.gif", "x.webp", "x.apng", "x.png"])
@pytest.mark.parametrize(
    ("delays", "fps"),
    [
        ([0] * 5, 10),
        ([10] * 5, 10),
        ([20] * 5, 50),
        ([30] * 4, Fraction(100, 3)),
        ([40] * 4, 25),
        ([100] * 4, 10),
        ([30, 40, 30, 30, 40, 30], 30),
        ([10, 20, 10, 20], Fraction(100, 6)),
    ],
)
def test_animations_play_as_in_browsers(name: str, delays: list[int], fps: Fraction, tmp_path: Path) -> None:
    clip = read(animation(tmp_path / name, delays))
    assert clip.fps == fps
    assert clip.frames[:, 0, 0, 0].tolist() == [40 * i for i in range(len(delays))]


def test_the_picture_of_an_animated_png_for_who_shows_none_is_no_frame(tmp_path: Path) -> None:
    red, *others = (Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue"))
    red.save(tmp_path / "x.png", save_all=True, append_images=others, default_image=True, duration=50)
    clip = read(tmp_path / "x.png")
    assert clip.frames[:, 0, 0].tolist() == [[0, 255, 0], [0, 0, 255]]
    assert clip.fps == 20


def remuxed(source: Path, path: Path, first: int = 0, last: int = 10**6) -> Path:
    """Return a stream copy of some frames, with all tags, as editors and `ffmpeg -c copy` make it."""
    with av.open(str(source)) as before, av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as after:
        after.metadata.update(before.metadata)
        stream = before.streams.video[0]
        copy = after.add_stream_from_template(stream, opaque=True)
        begin = None
        for i, packet in enumerate(before.demux(stream)):
            if packet.dts is None or not first <= i < last:
                continue
            begin = packet.dts if begin is None else begin
            packet.pts, packet.dts, packet.stream = packet.pts - begin, packet.dts - begin, copy
            after.mux(packet)
    return path


@pytest.mark.parametrize("name", ["cut.mp4", "cut.webm", "cut.mkv", "cut.mov"])
def test_our_film_that_was_trimmed_by_others_is_read(name: str, tmp_path: Path) -> None:
    suffix = "webm" if name == "cut.webm" else "mp4"
    ours = write(tmp_path / f"ours.{suffix}", Clip(np.stack(greys(9)), 8, {"parameters": "a dog"}))
    clip = read(remuxed(ours, tmp_path / name, last=5))
    assert (len(clip.frames), clip.fps) == (5, 8)
    assert clip.metadata == {"parameters": "a dog"}


@pytest.mark.parametrize(("name", "codec"), [("x.mp4", "libx264"), ("x.mkv", "mpeg4"), ("x.webm", "libvpx-vp9")])
def test_our_film_that_was_interpolated_by_others_plays_at_its_new_rate(name: str, codec: str, tmp_path: Path) -> None:
    ours = write(tmp_path / "ours.mp4", Clip(np.stack(greys(5)), 8, {"parameters": "a dog"}))
    with av.open(str(ours)) as container:
        tags = dict(container.metadata)
    path = tmp_path / name
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for picture in greys(15):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    clip = read(path)
    assert (len(clip.frames), clip.fps) == (15, 24)
    assert clip.metadata == {"parameters": "a dog"}


@pytest.mark.parametrize(("suffix", "field"), [("gif", 100), ("webp", 1000)])
def test_our_animation_that_others_slowed_down_plays_at_its_new_rate(suffix: str, field: int, tmp_path: Path) -> None:
    ours = write(tmp_path / f"ours.{suffix}", Clip(np.stack(greys(4)), 10, {"parameters": "a dog"}))
    data = bytearray(ours.read_bytes())
    marker, at, size = (b"!\xf9\x04", 4, 2) if suffix == "gif" else (b"ANMF", 20, 3)
    assert data.count(marker) == 4
    place = -1
    for _ in range(4):
        place = data.index(marker, place + 1)
        assert int.from_bytes(data[place + at : place + at + size], "little") == field // 10
        data[place + at : place + at + size] = (field // 5).to_bytes(size, "little")
    ours.write_bytes(data)
    clip = read(ours)
    assert (clip.fps, clip.metadata) == (5, {"parameters": "a dog"})
