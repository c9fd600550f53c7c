"""What phones, editors and drawing programs make: films on their side, of a varying rate, and see-through ones."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from vcd_ext.media import Clip, read, write
from vcd_ext.media.opaque import DECODERS, TOLD, UNREAD

QUARTERS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}  # clockwise, as mp4 marks them
MIDDLE_OF_CORNER = {0: (8, 12), 90: (12, -8), 180: (-8, -12), 270: (-12, 8)}


def marked(path: Path, degrees: int) -> Path:
    """Return an mp4 of 48x32, the top left quarter of which is white, that players turn clockwise."""
    frames = np.zeros((3, 32, 48, 3), np.uint8)
    frames[:, :16, :24] = 255
    data = bytearray(write(path, Clip(frames, 8)).read_bytes())
    a, b, c, d = (value << 16 for value in QUARTERS[degrees])
    matrix = data.index(b"tkhd") + 44
    assert struct.unpack_from(">9i", data, matrix)[::4] == (1 << 16, 1 << 16, 1 << 30)
    struct.pack_into(">9i", data, matrix, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("degrees", QUARTERS)
def test_a_film_that_is_marked_to_be_turned_is_upright(degrees: int, tmp_path: Path) -> None:
    frames = read(marked(tmp_path / "phone.mp4", degrees)).frames
    assert frames.shape == (3, *((48, 32) if degrees % 180 else (32, 48)), 3)
    y, x = MIDDLE_OF_CORNER[degrees]
    assert (frames[:, y, x] > 240).all()
    assert frames.mean() == pytest.approx(255 / 4, abs=3)


def filmed(path: Path, begins: Sequence[int]) -> Path:
    """Return a film whose frames, brighter and brighter, begin at these milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for i, begin in enumerate(begins):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 20 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = begin, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_of_a_film_with_a_varying_rate_all_frames_are_kept_and_it_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    slow_then_fast = [*range(0, 600, 100), *range(600, 780, 30)]
    clip = read(filmed(tmp_path / "dark.mp4", slow_then_fast), told.append)
    assert clip.frames.mean(axis=(1, 2, 3)) == pytest.approx([20 * i for i in range(12)], abs=4)
    [sentence] = told
    assert sentence.startswith("The video's frame rate varies; all frames are kept and shown at 15")
    assert "up to 0.2" in sentence, "the seventh begins at 0.6 s, and would at 0.39 s"


def test_a_rate_that_wavers_by_less_than_a_frame_is_not_worth_a_word(tmp_path: Path) -> None:
    told: list[str] = []
    read(filmed(tmp_path / "phone.mp4", [0, 38, 82, 119, 160, 203, 240]), told.append)
    assert told == []


def test_delays_of_an_animation_that_vary_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    frames = [Image.new("RGB", (8, 6), (60 * i, 0, 0)) for i in range(4)]
    frames[0].save(tmp_path / "x.webp", save_all=True, append_images=frames[1:], duration=[1000, 50, 50, 50])
    assert len(read(tmp_path / "x.webp", told.append).frames) == 4
    assert "varies" in " ".join(told)


def see_through(path: Path, codec: str, alpha: int = 0) -> Path:
    """Return a WebM of 64x64 in red, as Chrome and editors make it; its right half is seen through by `alpha`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=8, options={"auto-alt-ref": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuva420p"
        picture = np.full((64, 64, 4), (200, 0, 0, 255), np.uint8)
        picture[:, 32:, 3] = alpha
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgba").reformat(format="yuva420p")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_a_webm_that_is_seen_through_is_laid_on_white_and_it_is_told(codec: str, tmp_path: Path) -> None:
    told: list[str] = []
    clip = read(see_through(tmp_path / "x.webm", codec), told.append)
    assert (clip.frames.shape, clip.fps) == ((4, 64, 64, 3), 8)
    assert clip.frames[:, 32, 16] == pytest.approx(np.tile([200, 0, 0], (4, 1)), abs=6)
    assert clip.frames[:, 32, 48] == pytest.approx(np.full((4, 3), 255), abs=6)
    assert told == [TOLD]
    opaque = read(see_through(tmp_path / "y.webm", codec, alpha=255), lambda _: pytest.fail("nothing is lost"))
    assert opaque.frames[:, 32, 48] == pytest.approx(np.tile([200, 0, 0], (4, 1)), abs=6)


def test_where_transparency_cannot_be_read_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, told = see_through(tmp_path / "x.webm", "libvpx-vp9"), list[str]()
    monkeypatch.setitem(DECODERS, "vp9", "a decoder that is not built in")
    assert read(path, told.append).frames[:, 32, 48] == pytest.approx(np.tile([200, 0, 0], (4, 1)), abs=6)
    assert told == [UNREAD]


def clear(left: int) -> Image.Image:
    """Red, half of it seen through from `left` on, where it is black, as drawing programs leave it."""
    pixels = np.zeros((6, 8, 4), np.uint8)
    pixels[:, :left] = (255, 0, 0, 255)
    pixels[:, left : left + 1] = (255, 0, 0, 128)
    return Image.fromarray(pixels)


def test_what_is_seen_through_in_pictures_is_white_and_told_once(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for i in range(3):
        clear(4).save(tmp_path / "frames" / f"{i}.png")
    clear(4).save(tmp_path / "x.webp", save_all=True, append_images=[clear(2)], lossless=True, duration=100)
    for name in ("frames", "x.webp"):
        told: list[str] = []
        first = read(tmp_path / name, told.append).frames[0, 0].tolist()
        assert first == [[255, 0, 0]] * 4 + [[255, 127, 127]] + [[255, 255, 255]] * 3
        assert told == ["The video is transparent in places, and what is made of it cannot be; white is put behind it."]


def test_a_gif_that_is_seen_through_is_on_white(tmp_path: Path) -> None:
    told: list[str] = []
    frames = [clear(left).convert("P") for left in (4, 2)]
    for frame, left in zip(frames, (4, 2), strict=True):
        solid = np.full((6, 8), 1, np.uint8)
        solid[:, left:] = 0
        frame.putdata(solid.ravel().tolist())
        frame.putpalette([0, 0, 0, 255, 0, 0])
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:], transparency=0, disposal=2)
    back = read(tmp_path / "x.gif", told.append).frames
    assert back[0, 0].tolist() == [[255, 0, 0]] * 4 + [[255, 255, 255]] * 4
    assert back[1, 0].tolist() == [[255, 0, 0]] * 2 + [[255, 255, 255]] * 6
    assert len(told) == 1


def test_a_film_that_is_seen_through_is_on_white(tmp_path: Path) -> None:
    told: list[str] = []
    with av.open(str(tmp_path / "x.mov"), "w") as container:
        stream = container.add_stream("qtrle", rate=8)
        stream.width, stream.height, stream.pix_fmt = 8, 6, "argb"
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(np.asarray(clear(4)), format="rgba").reformat(format="argb")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames = read(tmp_path / "x.mov", told.append).frames
    assert frames[1, 2].tolist() == [[255, 0, 0]] * 4 + [[255, 127, 127]] + [[255, 255, 255]] * 3
    assert len(told) == 1


def test_opaque_files_of_every_format_tell_nothing(clip: Clip, tmp_path: Path) -> None:
    told: list[str] = []
    for name in ("x.mp4", "x.webm", "x.gif", "x.webp", "frames"):
        read(write(tmp_path / name, clip), told.append)
    assert told == []


@pytest.mark.parametrize("name", ["x.mkv", "x.avi"])
def test_a_film_that_was_cut_off_is_told_where_its_format_lets_it_be_read(name: str, tmp_path: Path) -> None:
    path, draw = tmp_path / name, np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(40):
            noise = draw.integers(0, 256, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode(None))
    told: list[str] = []
    assert len(read(path, told.append).frames) == 40
    assert told == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 5 < len(read(path, told.append).frames) < 35
    [sentence] = told
    assert "seconds that the file should have" in sentence


def test_the_cover_of_a_song_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = Disposition.attached_pic.value
        sound = container.add_stream("aac", rate=44100, layout="mono")
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        tone.sample_rate = 44100
        container.mux(sound.encode(tone))
        container.mux(cover.encode(None))
        container.mux(sound.encode(None))
    with pytest.raises(ValueError, match="there is no video in it, only sound"):
        read(path)
