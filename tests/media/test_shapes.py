"""The frames of a film are upright, of square pixels and of one moment each, as players show them."""

import struct
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media.making import film, greys
from vcd_ext.media import read

STRAIGHT = [(a, 0, 0, d) for a, d in product((1, -1), repeat=2)]
SWAPPED = [(0, b, c, 0) for b, c in product((1, -1), repeat=2)]


def corner() -> NDArray[np.uint8]:
    """Return a picture that looks different however it is turned or mirrored."""
    picture = np.zeros((32, 48, 3), np.uint8)
    picture[:16, :24] = 255
    picture[16:, 24:, 0] = 200
    return picture


def shown(picture: NDArray[np.uint8], a: int, b: int, c: int, d: int) -> NDArray[np.uint8]:
    """Return a picture after the pixel at (x, y) went to (a x + c y, b x + d y)."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    right, down = a * x + c * y, b * x + d * y
    right, down = right - right.min(), down - down.min()
    turned = np.zeros((down.max() + 1, right.max() + 1, 3), np.uint8)
    turned[down, right] = picture
    return turned


@pytest.mark.parametrize("name", ["x.mp4", "x.mov"])
@pytest.mark.parametrize("matrix", [*STRAIGHT, *SWAPPED])
def test_every_display_matrix_is_applied_and_told(matrix: tuple[int, int, int, int], name: str, tmp_path: Path) -> None:
    path = film(tmp_path / name, [corner()] * 2, "libx264", "yuv444p")
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    told: list[str] = []
    frame = read(path, told.append).frames[1]
    wanted = shown(corner(), *matrix)
    assert frame.shape == wanted.shape
    assert np.abs(frame.astype(int) - wanted).mean() < 3
    assert len(told) == (matrix != (1, 0, 0, 1))
    assert all("turned or mirrored" in sentence for sentence in told)


@pytest.mark.parametrize(("name", "codec"), [("x.mp4", "libx264"), ("x.mkv", "mpeg4"), ("x.avi", "mpeg4")])
@pytest.mark.parametrize(
    ("width", "height", "aspect", "wide"),
    [(90, 72, Fraction(64, 45), 128), (180, 120, Fraction(8, 9), 160), (144, 108, Fraction(4, 3), 192)],
)
def test_pixels_become_square_and_it_is_told(
    name: str, codec: str, width: int, height: int, aspect: Fraction, wide: int, tmp_path: Path
) -> None:
    y, x = np.mgrid[:height, :width]
    disc = (((x - width / 2) * float(aspect)) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2) * np.uint8(255)
    told: list[str] = []
    path = film(tmp_path / name, [np.repeat(disc[..., None], 3, axis=2)] * 2, codec, sample_aspect_ratio=aspect)
    frames = read(path, told.append).frames
    assert frames.shape == (2, height, wide, 3)
    rows, columns = np.nonzero(frames[1, ..., 1] > 127)
    assert np.ptp(columns) == pytest.approx(np.ptp(rows), abs=2)
    assert told == [
        f"The video's pixels are not square; its frames of {width}x{height} were resampled to {wide}x{height} "
        "square ones."
    ]


def test_pixels_that_are_turned_as_well_are_made_square_before(tmp_path: Path) -> None:
    path = film(tmp_path / "x.mp4", greys(2, 72, 90), sample_aspect_ratio=Fraction(64, 45))
    data = bytearray(path.read_bytes())
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    assert read(path).frames.shape == (2, 128, 72, 3)


def moving(moment: float) -> NDArray[np.uint8]:
    """Return a bright square that walks to the right by 6 pixels in each of its moments."""
    picture = np.full((48, 160, 3), 40, np.uint8)
    left = 8 + round(6 * moment)
    picture[12:36, left : left + 30] = 220
    return picture


def woven(moment: int, top_first: bool) -> NDArray[np.uint8]:
    """Return a frame of two moments, one in its even and one in its odd lines."""
    one, other = moving(moment), moving(moment + 1)
    frame = one.copy() if top_first else other.copy()
    frame[1::2] = (other if top_first else one)[1::2]
    return frame


def combing(picture: NDArray[np.uint8]) -> float:
    """How much each line differs from those above and below it."""
    lines = picture[..., 1].astype(float)
    return float(np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean())


def interlaced(path: Path, codec: str, top_first: bool, frames: int = 6) -> Path:
    field = "tff" if top_first else "bff"
    options = {"flags": "+ilme+ildct", "x264-params": f"{field}=1:qp=8"}
    pictures = [woven(2 * i, top_first) for i in range(frames)]
    return film(path, pictures, codec, options=options, bit_rate=4_000_000)


@pytest.mark.parametrize(
    ("name", "codec", "top_first"),
    [
        *(("x.mp4", "libx264", True), ("x.mov", "libx264", False), ("x.mkv", "libx264", False)),
        *(("x.mkv", "mpeg2video", True), ("x.avi", "mpeg4", True)),  # PyAV cannot have these encode the other order
    ],
)
def test_interlaced_films_are_deinterlaced_and_it_is_told(
    name: str, codec: str, top_first: bool, tmp_path: Path
) -> None:
    told: list[str] = []
    clip = read(interlaced(tmp_path / name, codec, top_first), told.append)
    assert (len(clip.frames), clip.fps) == (6, 25)
    assert combing(woven(4, top_first)) > 4, "there is something to be mended"
    for frame in clip.frames[1:-1]:
        assert combing(frame) < 1.3 * combing(moving(4))
    middle = [np.nonzero(frame[24, :, 1] > 130)[0].mean() for frame in clip.frames]
    assert np.diff(middle) == pytest.approx([12] * 5, abs=1.5)
    assert told == ["The video is interlaced; its frames were deinterlaced, and none was added or left out."]


def test_one_interlaced_frame_is_a_clip_and_progressive_ones_stay_as_they_are(tmp_path: Path) -> None:
    assert read(interlaced(tmp_path / "one.mp4", "libx264", True, frames=1)).frames.shape == (1, 48, 160, 3)
    path = film(tmp_path / "combed.mp4", [woven(0, True)] * 3, "libx264", options={"qp": "4"})
    told: list[str] = []
    assert combing(read(path, told.append).frames[1]) == pytest.approx(combing(woven(0, True)), rel=0.1)
    assert told == []
