"""Players, browsers and the WebUI's PNG Info find in our files what they expect, and we read theirs."""

import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vcd_ext.media import Clip, read, write

BARS = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]


@pytest.fixture(scope="module")
def bars() -> Clip:
    """Colour bars, each 16 pixels wide."""
    row = np.array(BARS, np.uint8).repeat(16, axis=0)
    return Clip(np.broadcast_to(row, (4, 64, 128, 3)), 8)


@pytest.mark.parametrize("name", ["bars.mp4", "bars.webm"])
def test_a_player_sees_the_colours_of_bt709(name: str, bars: Clip, tmp_path: Path) -> None:
    path = write(tmp_path / name, bars)
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert codec.pix_fmt == "yuv420p"
        assert (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range) == (1, 1, 1, 1)
        luma = next(container.decode(video=0)).to_ndarray()[:64]
    for index, (red, green, blue) in enumerate(BARS):
        expected = 16 + 219 * (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255
        assert luma[32, index * 16 + 8] == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("name", ["bars.mp4", "bars.webm", "bars.gif", "bars.webp", "bars"])
def test_flat_colours_come_back(name: str, bars: Clip, tmp_path: Path) -> None:
    back = read(write(tmp_path / name, bars)).frames[:, 8:56, 8::16]
    assert np.abs(back.astype(int) - BARS).max() <= 3


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "h264"), ("clip.webm", "vp9")])
def test_a_player_finds_codec_rate_and_comment(name: str, codec: str, clip: Clip, tmp_path: Path) -> None:
    path = write(tmp_path / name, Clip(clip.frames, 23.976, clip.metadata))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tags = {key.lower(): text for key, text in container.metadata.items()}
        assert stream.codec_context.name.removeprefix("lib") == codec
        assert float(stream.average_rate) == pytest.approx(24000 / 1001)
        assert tags["comment"] == tags["parameters"] == clip.metadata["parameters"]


def test_mp4_can_play_while_it_loads(clip: Clip, tmp_path: Path) -> None:
    data = write(tmp_path / "clip.mp4", clip).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_odd_sizes_are_padded_with_their_own_edge(tmp_path: Path) -> None:
    path = write(tmp_path / "odd.mp4", Clip(np.full((2, 33, 49, 3), 200, np.uint8), 8))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height) == (50, 34)
        assert frame.to_ndarray(format="rgb24")[-1, -1] == pytest.approx([200] * 3, abs=3)


def test_a_name_with_a_colon_is_a_name(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(read(write("http://x/pipe:1.mp4", clip)).frames) == len(clip.frames)
    assert Path("http:/x/pipe:1.mp4").is_file()


@pytest.mark.parametrize("name", ["clip.gif", "clip.webp"])
def test_animated_pictures_loop_for_ever_at_the_right_speed(name: str, clip: Clip, tmp_path: Path) -> None:
    with Image.open(write(tmp_path / name, Clip(clip.frames, 12))) as image:
        assert image.info["loop"] == 0
        assert image.n_frames == 7
        durations = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            durations.append(image.info["duration"])
    assert sum(durations) == pytest.approx(7000 / 12, abs=5)


def test_no_delay_is_so_short_that_browsers_slow_it_down(clip: Clip, tmp_path: Path) -> None:
    for name, shortest in (("clip.gif", 20), ("clip.webp", 11)):
        with Image.open(write(tmp_path / name, Clip(clip.frames, 120))) as image:
            image.load()
            assert image.info["duration"] == shortest


def test_what_stands_still_does_not_flicker_in_a_gif(clip: Clip, tmp_path: Path) -> None:
    back = read(write(tmp_path / "clip.gif", clip)).frames
    assert (back[:, 26:] == back[0, 26:]).all()


def test_the_webui_reads_the_infotext_of_a_gif(clip: Clip, infotext: str, tmp_path: Path) -> None:
    with Image.open(write(tmp_path / "clip.gif", clip)) as image:
        assert image.info["comment"].decode("utf8", errors="ignore") == infotext


def test_the_webui_reads_the_infotext_of_a_webp(clip: Clip, infotext: str, tmp_path: Path) -> None:
    for other in ("a", "ab"):
        with Image.open(write(tmp_path / "clip.webp", clip, {"other": other})) as image:
            assert user_comment(image.info["exif"]) == infotext


def test_the_webui_reads_the_infotext_of_each_png_frame(clip: Clip, infotext: str, tmp_path: Path) -> None:
    files = sorted(write(tmp_path / "frames", clip).iterdir())
    assert [file.name for file in files] == [f"{index:05d}.png" for index in range(7)]
    for file in files:
        with Image.open(file) as image:
            assert image.info["parameters"] == infotext
            assert '"fps": "8"' in image.info["vcd"]


def test_pictures_that_the_webui_saved_are_read(tmp_path: Path, infotext: str) -> None:
    info = PngInfo()
    info.add_text("parameters", infotext)
    for name in ("2-seed.png", "10-seed.png"):
        Image.new("RGBA", (8, 6), (10, 20, 30, 255) if name[0] == "2" else "white").save(tmp_path / name, pnginfo=info)
    back = read(tmp_path)
    assert back.frames[:, 0, 0].tolist() == [[10, 20, 30], [255, 255, 255]]
    assert back.fps == 8
    assert back.metadata == {"parameters": infotext}


@pytest.mark.parametrize(("name", "options"), [("x.gif", {"comment": "hi"}), ("x.webp", {"lossless": True})])
def test_animations_from_elsewhere_play_at_the_rate_of_their_delays(name: str, options: dict, tmp_path: Path) -> None:
    red, lime, blue = (Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue"))
    red.save(tmp_path / name, save_all=True, append_images=[lime, blue], duration=[40, 80, 40], **options)
    back = read(tmp_path / name)
    assert back.frames[:, 0, 0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    assert back.fps == Fraction(3000, 160)
    assert back.metadata == ({"parameters": "hi"} if name == "x.gif" else {})


def test_a_picture_that_stands_for_minutes_is_a_clip(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "x.gif", duration=600_000)
    assert read(tmp_path / "x.gif").fps == Fraction(1, 100)


@pytest.mark.parametrize("name", ["x.mov", "x.mkv", "x.avi"])
def test_a_film_from_elsewhere_is_read_with_its_tags(name: str, tmp_path: Path) -> None:
    with av.open(str(tmp_path / name), "w") as container:
        container.metadata["title"] = "A dog"
        stream = container.add_stream("mpeg4", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for value in range(5):
            picture = np.full((16, 32, 3), 40 * value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    back = read(tmp_path / name)
    assert back.frames.mean(axis=(1, 2, 3)) == pytest.approx([0, 40, 80, 120, 160], abs=4)
    assert back.fps == 25
    assert back.metadata["title"] == "A dog"


def test_tags_in_an_old_encoding_are_no_reason_to_refuse_a_film(clip: Clip, tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mp4", Clip(clip.frames, 8, {"parameters": "cafe"}))
    path.write_bytes(path.read_bytes().replace(b"cafe", "café".encode("latin-1")))
    assert read(path).metadata == {"parameters": "caf\ufffd"}


def test_pyav_is_imported_only_where_it_is_needed() -> None:
    code = "import sys, vcd_ext.media; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def user_comment(exif: bytes) -> str:
    """Return what `modules.images.read_info_from_image` gets through piexif, which wants the type UNDEFINED."""
    order = "<" if exif[:2] == b"II" else ">"
    folder = _entries(exif, order, struct.unpack_from(order + "I", exif, 4)[0])[0x8769][2]
    kind, length, position = _entries(exif, order, folder)[0x9286]
    comment = exif[position : position + length]
    assert kind == 7
    assert position % 2 == 0
    assert comment[:8] == b"UNICODE\0"
    return comment[8:].decode("utf_16_be")


def _entries(exif: bytes, order: str, position: int) -> dict[int, tuple[int, int, int]]:
    """Tag -> (type, count, value or position) of the EXIF folder at a position."""
    (count,) = struct.unpack_from(order + "H", exif, position)
    rows = [struct.unpack_from(order + "HHII", exif, position + 2 + 12 * row) for row in range(count)]
    return {tag: (kind, length, value) for tag, kind, length, value in rows}
