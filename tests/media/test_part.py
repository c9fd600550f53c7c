"""Only the frames that are asked for are read, and hardly any other is decoded."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.media.making import film, greys, milliseconds
from vcd_ext.media import Clip, Part, left_out, length, read, write
from vcd_ext.media import film as films

COUNT, APART = 60, 10  # frames, and frames between those with which a decoder can begin
KINDS: list[tuple[str, str, dict[str, str]]] = [
    ("x.mp4", "libx264", {"g": "10", "bf": "3"}),
    ("x.mkv", "libx264", {"g": "10", "bf": "3", "x264-params": "open-gop=1"}),
    ("x.webm", "libvpx", {"g": "10", "auto-alt-ref": "1", "lag-in-frames": "10"}),
    ("x.mov", "mpeg2video", {"g": "10", "bf": "2"}),
    ("x.avi", "mjpeg", {}),
]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the frames that were decoded."""
    frames: list[Any] = []
    decode = films.decoded

    def counting(*arguments: Any) -> Any:
        for frame in decode(*arguments):
            frames.append(frame.pts)
            yield frame

    monkeypatch.setattr(films, "decoded", counting)
    return frames


def levels(clip: Clip) -> list[float]:
    return clip.frames[:, 8, 16].mean(axis=1).tolist()


def made(path: Path, codec: str, options: dict[str, str]) -> Path:
    pix = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return film(path, greys(COUNT, step=4), codec, pix, rate=30, options=options, bit_rate=4_000_000)


@pytest.mark.parametrize(("name", "codec", "options"), KINDS)
def test_the_first_frames_of_a_film_are_decoded_and_no_other(
    name: str, codec: str, options: dict[str, str], decoded: list[Any], tmp_path: Path
) -> None:
    clip = read(made(tmp_path / name, codec, options), part=Part(1, 4))
    assert levels(clip) == pytest.approx([0, 4, 8, 12], abs=3)
    assert len(decoded) == 4
    assert (clip.fps, clip.start) == (30, 0)


@pytest.mark.parametrize(("name", "codec", "options"), KINDS)
@pytest.mark.parametrize("part", [Part(5, 8), Part(20, 22), Part(21, 21), Part(38, 47), Part(55), Part(58, 99)])
def test_a_part_of_a_film_is_decoded_from_the_frame_with_which_it_can_begin(
    name: str, codec: str, options: dict[str, str], part: Part, decoded: list[Any], tmp_path: Path
) -> None:
    clip = read(made(tmp_path / name, codec, options), part=part)
    last = min(part.last or COUNT, COUNT)
    assert levels(clip) == pytest.approx([4.0 * i for i in range(part.first - 1, last)], abs=3)
    assert len(decoded) <= len(clip.frames) + APART + 3, "a few, which stand before it in the file, come as well"
    assert clip.fps == 30
    assert float(clip.start) == pytest.approx((part.first - 1) / 30, abs=0.001)


def test_films_that_do_not_tell_when_packets_are_shown_are_decoded_from_their_beginning(tmp_path: Path) -> None:
    told: list[str] = []
    path = made(tmp_path / "x.avi", "libx264", {"g": "10", "bf": "3"})
    clip = read(path, told.append, Part(35, 40))
    assert levels(clip) == pytest.approx([4.0 * i for i in range(34, 40)], abs=3)
    assert clip.fps == 30
    assert told == []


def test_the_rate_of_a_few_frames_is_that_of_the_film(tmp_path: Path) -> None:
    begins = [begin + (3 if i % 2 else 0) for i, begin in enumerate(milliseconds(30, COUNT))]
    path = film(tmp_path / "x.webm", greys(COUNT), "libvpx", begins=begins)
    assert read(path, part=Part(1, 2)).fps == 30


@pytest.mark.parametrize("name", ["x.gif", "x.webp", "x", "x.apng"])
def test_a_part_of_pictures(name: str, tmp_path: Path) -> None:
    pictures = greys(9, step=20)
    if name == "x.apng":
        first, *others = map(Image.fromarray, pictures)
        first.save(tmp_path / name, "PNG", save_all=True, append_images=others, duration=125)
    else:
        write(tmp_path / name, Clip(np.stack(pictures), 8))
    clip = read(tmp_path / name, part=Part(4, 6))
    assert levels(clip) == pytest.approx([60, 80, 100], abs=3)
    assert clip.fps == 8
    assert length(tmp_path / name, 1) == 9


@pytest.mark.parametrize("name", ["x.mp4", "x.webm", "x.gif", "x"])
def test_a_part_behind_the_end_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, Clip(np.stack(greys(5)), 8))
    with pytest.raises(ValueError, match=r"cannot be read: it .*frame 6; choose an earlier first frame\.$"):
        read(path, part=Part(6, 8))


def test_what_is_left_out_is_told_without_decoding_it(decoded: list[Any], tmp_path: Path) -> None:
    folder = write(tmp_path / "walk", Clip(np.stack(greys(5)), 8))
    known = film(tmp_path / "known.mp4", greys(5))
    counted = film(tmp_path / "counted.mkv", greys(5))
    many = film(tmp_path / "many.webm", greys(300), "libvpx")
    for path in (folder, known, counted):
        assert left_out(path, Part(), 2) == "5 frames; the first 2"
        assert left_out(path, Part(2), 2) == "5 frames; 2 to 3"
        assert left_out(path, Part(2), 4) is None
        assert left_out(path, Part(1, 3), 3) is None
        assert left_out(path, Part(1, 4), 3) == "5 frames; the first 3"
    assert left_out(many, Part(), 2) == "258 frames or more; the first 2"
    assert left_out(tmp_path / "missing.mp4", Part(), 2) is None
    assert decoded == []


def test_a_part_of_a_clip_that_is_at_hand_is_no_copy() -> None:
    whole = Clip(np.stack(greys(5)), 8, {"title": "x"})
    clip = Part(2, 9).cut(whole)
    assert clip is not None
    assert np.shares_memory(clip.frames, whole.frames)
    assert levels(clip) == [7, 14, 21, 28]
    assert (clip.start, clip.fps, clip.metadata) == (Fraction(1, 8), 8, {"title": "x"})
    assert Part(6).cut(whole) is None
    assert Part().cut(None) is None


def test_a_part_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="the last frame is 3 and the first 5; choose a last frame from 5 on, or 0"):
        Part(5, 3)
    with pytest.raises(ValueError, match="counted from 1"):
        Part(0)
    assert Part(5).at_most(4) == Part(5, 8)
    assert Part(5, 6).at_most(4) == Part(5, 6)
    assert Part(5, 20).at_most(4) == Part(5, 8)
