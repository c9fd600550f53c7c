"""Folders of frames that people have: in natural order, in any picture format, with what systems leave among them."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.identity.drawn import picture
from vcd_ext.media import Clip, read, write
from vcd_ext.media.picture import separated

NAMES = {
    "the WebUI's": ["00000-3876543210.png", "00001-12345678.png", "00002-9.png", "00010-123456.png"],
    "several takes": ["a_2.png", "a_10.png", "b_1.png"],
    "not padded": ["frame.png", "frame1.png", "frame2.png", "frame10.png", "frame100.png"],
    "mixed": ["1.png", "2a.png", "2b.png", "10.png", "x.png", "y (2).png", "y (11).png"],
    "versions": ["v1.9-3.png", "v1.10-1.png", "V1.10-2.png", "v2.0-1.png"],
    "suffixes": ["shot 8.PNG", "shot 9.JPG", "shot 10.jpeg", "shot 11.Webp", "shot 12.bmp", "shot 13.TIFF"],
}
FORMAT = {".jpg": "JPEG", ".tif": "TIFF"}
PICTURE = picture(1)


def fill(folder: Path, names: Sequence[str]) -> Path:
    """Put grey pictures, brighter and brighter, under these names, in an order that is not theirs."""
    folder.mkdir(exist_ok=True)
    for i in reversed(range(len(names))):
        Image.new("RGB", (16, 8), (20 + 30 * i,) * 3).save(folder / names[i], **({"quality": 95} if i else {}))
    return folder


@pytest.mark.parametrize("kind", NAMES)
def test_frames_are_in_the_order_that_people_mean(kind: str, tmp_path: Path) -> None:
    frames = read(fill(tmp_path / "frames", NAMES[kind])).frames
    assert frames.mean(axis=(1, 2, 3)) == pytest.approx([20 + 30 * i for i in range(len(NAMES[kind]))], abs=2)


def test_what_systems_and_tools_leave_in_a_folder_is_no_frame(tmp_path: Path) -> None:
    folder = fill(tmp_path / "frames", ["0.png", "1.png"])
    for name in ("._0.png", ".DS_Store", ".hidden.jpg", "Thumbs.db", "desktop.ini", "0.txt", "infotext.json"):
        (folder / name).write_bytes(b"\0\5\x16\7 not a picture")
    (folder / "2.png").mkdir()
    assert len(read(folder, lambda sentence: pytest.fail(sentence)).frames) == 2


def test_a_frame_that_is_there_in_two_formats_is_taken_once_and_it_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    folder = fill(tmp_path / "frames", ["00000-7.png", "00001-8.png", "00001-8.jpg", "00002-9.jpg"])
    assert read(folder, told.append).frames[:, 0, 0, 0] == pytest.approx([20, 50, 110], abs=2)
    assert told == ["1 pictures are left out, as others have their names: 00001-8.jpg, 00001-8.png."]


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_frames_are_turned_as_their_camera_marked_them(suffix: str, tmp_path: Path) -> None:
    for i in range(2):
        stored = Image.fromarray(PICTURE).transpose(Image.Transpose.ROTATE_90)
        stored.save(tmp_path / f"{i}.{suffix}", exif=exif(6), **({} if suffix == "tif" else {"quality": 97}))
    frames = read(tmp_path).frames
    assert frames.shape == (2, *PICTURE.shape)
    assert np.abs(frames.astype(int) - PICTURE).mean() < 3


def stored(kind: str, path: Path) -> Path:
    """Half grey in one of the ways in which a file may hold it."""
    half = Image.new("L", (16, 8), 127)
    if kind == "grey of 16 bits":
        Image.fromarray(np.full((8, 16), 127 * 257, np.uint16)).save(path.with_suffix(".png"))
    elif kind == "grey of 16 bits in TIFF":
        Image.fromarray(np.full((8, 16), 127 * 257, np.uint16)).save(path.with_suffix(".tif"))
    elif kind == "floats":
        Image.fromarray(np.full((8, 16), 127 / 255, np.float32)).save(path.with_suffix(".tif"))
    elif kind == "palette":
        half.convert("P").save(path.with_suffix(".png"))
    elif kind == "CMYK":
        half.convert("CMYK").save(path.with_suffix(".jpg"), quality=97)
    elif kind == "colours of 16 bits":
        path.with_suffix(".png").write_bytes(deep_png(16, 8, 127 * 257))
    else:
        half.save(path.with_suffix(f".{kind}"))
    return path.parent


def deep_png(width: int, height: int, value: int) -> bytes:
    """Return a PNG of 16 bits of each colour, all of one value."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + struct.pack(">H", value) * 3 * width) * height
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", [
    "grey of 16 bits", "grey of 16 bits in TIFF", "floats", "palette", "CMYK", "colours of 16 bits", "gif", "bmp",
])  # fmt: skip
def test_half_grey_is_half_grey_however_it_is_stored(kind: str, tmp_path: Path) -> None:
    frames = read(stored(kind, tmp_path / "0")).frames
    assert np.abs(frames.astype(int) - 127).max() <= 2


def test_a_deep_grey_that_is_a_key_for_transparency_is_white_and_nothing_else_is() -> None:
    image = Image.fromarray(np.array([[0, 300, 65535]], np.uint16).astype(np.int32))
    image.info["transparency"] = 65535
    colours, alpha = separated(image)
    assert alpha is not None
    assert np.asarray(alpha).tolist() == [[255, 255, 0]]
    assert np.asarray(colours)[0, :, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize(("name", "content", "reason"), [
    ("1.png", b"", r"1\.png is empty \(0 bytes\)"),
    ("1.jpg", b"\xff\xd8\xff\xe0 cut off", r"1\.jpg (cannot be read|is not a picture)"),
    ("1.heic", b"\0\0\0\x18ftypheic" + bytes(100), r"1\.heic is a HEIC or AVIF picture"),
])  # fmt: skip
def test_a_frame_that_cannot_be_read_is_named(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    folder = fill(tmp_path / "frames", ["0.png"])
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        read(folder)


def test_a_frame_of_another_size_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path / "frames", ["0.png", "1.png"])
    Image.new("RGB", (20, 8)).save(folder / "cover.png")
    with pytest.raises(ValueError, match=r"cover\.png is 20x8 and 0\.png is 16x8"):
        read(folder)


def test_jpeg_frames_of_the_webui_bring_their_infotext(tmp_path: Path, infotext: str) -> None:
    block = Image.Exif()
    block[0x8769] = {0x9286: b"UNICODE\0" + infotext.encode("utf-16-be")}
    Image.new("RGB", (16, 8)).save(tmp_path / "0.jpg", exif=block)
    assert read(tmp_path).metadata == {"parameters": infotext}


def test_frames_that_were_written_and_renamed_are_read_again(clip: Clip, tmp_path: Path) -> None:
    folder = write(tmp_path / "frames", clip)
    for i in range(len(clip.frames)):
        (folder / f"{i:05d}.png").rename(folder / f"Walk - {i}.PNG")
    back = read(folder)
    assert np.array_equal(back.frames, clip.frames)
    assert (back.fps, back.metadata) == (clip.fps, clip.metadata)
