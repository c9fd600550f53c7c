"""What a film's colours mean is what players take them for: matrix, range, HDR, wide gamut."""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media.making import BARS, BT601, BT709, BT2020, FULL, LIMITED, bars, bars_seen, film
from vcd_ext.media import read

PRECISE = 0x4 | 0x2000 | 0x4000 | 0x40000  # libswscale's flags: bicubic, full chroma, accurate rounding
PQ, HLG, DISPLAY_P3 = 16, 18, 12
TO_2020 = np.linalg.inv([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
TO_P3 = np.linalg.inv([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]])
GREYS = (0, 20, 50, 80, 118, 150, 180)  # sRGB signals that HDR leaves as they are: up to half of white's light


def barred(path: Path, height: int, width: int, matrix: int, range_: int = LIMITED, **marks: int) -> Path:
    """Return a film of bars, encoded with a matrix and a range, of which only `marks` tell."""
    how = {"format": "yuv444p", "dst_colorspace": matrix, "dst_color_range": range_, "interpolation": PRECISE}
    return film(path, [bars(height, width)], "ffv1", "yuv444p", colours=how, **marks)


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [
        *((1280, 544, BT709), (1536, 640, BT709), (1280, 720, BT709), (704, 578, BT709), (960, 720, BT709)),
        *((720, 576, BT601), (720, 480, BT601), (1024, 576, BT601), (640, 360, BT601), (1278, 576, BT601)),
    ],
)
def test_an_unmarked_matrix_is_guessed_from_width_and_height(
    width: int, height: int, matrix: int, tmp_path: Path
) -> None:
    path = barred(tmp_path / "unmarked.mkv", height, width, matrix)
    assert np.abs(bars_seen(read(path).frames[0]) - BARS).max() <= 2


@pytest.mark.parametrize("matrix", [1, 4, 5, 6, 7, 9])
def test_a_marked_matrix_goes_before_the_guess(matrix: int, tmp_path: Path) -> None:
    path = barred(tmp_path / "marked.mkv", 64, 96, matrix, colorspace=matrix)
    assert np.abs(bars_seen(read(path).frames[0]) - BARS).max() <= 2


@pytest.mark.parametrize("height", [64, 578])
@pytest.mark.parametrize("name", ["full.mkv", "full.mov"])
def test_full_range_is_not_taken_for_limited(name: str, height: int, tmp_path: Path) -> None:
    matrix = BT709 if height > 576 else BT601
    grey = np.broadcast_to(np.arange(0, 256, 4, dtype=np.uint8)[:, None], (64, 64))
    picture = np.repeat(np.pad(grey, ((0, height - 64), (0, 0)))[..., None], 3, axis=2)
    how = {"format": "yuv444p", "dst_colorspace": matrix, "dst_color_range": FULL, "interpolation": PRECISE}
    codec = "ffv1" if name == "full.mkv" else "libx264"
    marks = {"color_range": FULL, "colorspace": matrix}
    path = film(tmp_path / name, [picture], codec, "yuv444p", colours=how, options={"crf": "1"}, **marks)
    assert np.abs(read(path).frames[0].astype(int) - picture).max() <= 3


def light(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(signals <= 0.04045, signals / 12.92, ((signals + 0.055) / 1.055) ** 2.4)


def pq(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084."""
    power = (nits / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100, of a display of 1000 nits."""
    shown = nits / 1000
    luminance = (shown @ (0.2627, 0.6780, 0.0593))[..., None]
    scene = shown * np.maximum(luminance, 1e-9) ** (-0.2 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def wide(signals: NDArray[np.float64], full: bool = False) -> av.VideoFrame:
    """Return a frame of 10 bit with the matrix of BT.2020 of RGB signals [H, W, 3] from 0 to 1."""
    red, green, blue = np.moveaxis(signals, -1, 0)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    span, colour, black = (1023, 1023, 0) if full else (876, 896, 64)
    planes = (luma * span + black, (blue - luma) / 1.8814 * colour + 512, (red - luma) / 1.4746 * colour + 512)
    frame = av.VideoFrame(signals.shape[1], signals.shape[0], "yuv444p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        padded[:, : plane.width] = np.clip(np.rint(values), 0, 1023)
        plane.update(padded.tobytes())
    return frame


def patches(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.broadcast_to(colours.repeat(16, axis=0), (32, 16 * len(colours), 3))


def hdr(path: Path, colours: NDArray[np.uint8], transfer: int, white: float = 203, **marks: int) -> Path:
    """Return an HDR film of patches in these colours of sRGB, whose white has so many nits."""
    nits = np.clip(light(patches(colours) / 255) @ TO_2020.T, 0, None) * white
    signals = {PQ: pq, HLG: hlg}[transfer](nits)
    told = {"colorspace": BT2020, "color_primaries": BT2020, "color_trc": transfer, "color_range": LIMITED} | marks
    frame = wide(np.clip(signals, 0, 1), full=told["color_range"] == FULL)
    codec, pix = ("prores_ks", "yuv444p10le") if path.suffix == ".mov" else ("libx264", "yuv444p10le")
    return film(path, [frame] * 2, codec, pix, options={"crf": "2", "preset": "ultrafast"}, **told)


def seen(path: Path, notes: list[str]) -> NDArray[np.int64]:
    return read(path, notes.append).frames[1, 16, 8::16].astype(np.int64)


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("name", ["phone.mp4", "phone.mkv", "phone.mov"])
def test_what_hdr_shows_of_ordinary_light_is_as_in_an_ordinary_film(name: str, transfer: int, tmp_path: Path) -> None:
    colours = np.array([(grey,) * 3 for grey in GREYS] + [(180, 120, 90), (60, 90, 150), (40, 130, 50)], np.uint8)
    told: list[str] = []
    assert np.abs(seen(hdr(tmp_path / name, colours, transfer), told) - colours).max() <= 6
    [sentence] = told
    assert "HDR" in sentence
    assert "tone-mapped" in sentence


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_is_brighter_in_hdr_is_told_apart_and_the_brightest_is_white(transfer: int, tmp_path: Path) -> None:
    ramp = np.array([(grey,) * 3 for grey in range(90, 256, 33)], np.uint8)
    shown = seen(hdr(tmp_path / "bright.mp4", ramp, transfer, white=1000), [])
    assert (np.diff(shown[:, 1]) >= 2).all(), shown
    assert shown[-1] == pytest.approx([255] * 3, abs=2)
    assert np.abs(shown - shown[:, :1]).max() <= 2, "grey stays grey"


def test_hdr_of_full_range_and_without_marks_of_matrix_and_primaries_is_hdr(tmp_path: Path) -> None:
    colours = np.array([(80, 80, 80), (180, 120, 90)], np.uint8)
    for marks in ({"color_range": FULL}, {"colorspace": 2}, {"color_primaries": 2, "colorspace": 2}):
        path = hdr(tmp_path / "some.mp4", colours, HLG, **marks)
        assert np.abs(seen(path, []) - colours).max() <= 6, marks


@pytest.mark.parametrize(("primaries", "matrix"), [(BT2020, TO_2020), (DISPLAY_P3, TO_P3)])
def test_wide_colours_without_hdr_keep_their_look(primaries: int, matrix: NDArray[np.float64], tmp_path: Path) -> None:
    colours = np.array([(90, 90, 90), (255, 255, 255), (200, 60, 50), (60, 160, 70), (40, 50, 190)], np.uint8)
    linear = np.clip(light(patches(colours) / 255) @ matrix.T, 0, 1)
    signals = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    told: list[str] = []
    marks = {"colorspace": BT2020, "color_primaries": primaries, "color_trc": 1, "color_range": LIMITED}
    path = film(tmp_path / "wide.mkv", [wide(signals)] * 2, "libx264", "yuv444p10le", options={"crf": "2"}, **marks)
    assert np.abs(seen(path, told) - colours).max() <= 5
    [sentence] = told
    assert "wide colours" in sentence
