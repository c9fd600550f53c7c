"""How files are encoded: quality, colours, without loss, how often they play, divided, frames in other formats."""

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.media.making import bars
from vcd_ext.media import Clip, output_files, read, write
from vcd_ext.settings import FileSettings

TEXT = "a dog\nSteps: 4, Seed: 1"
BEFORE = {
    "clip.gif": "c28243234cc26c2402ee8c7f86fcc6b687561ea04638676d55c93aadf19418a1",
    "clip.webp": "0b0ef98838092f239ad2697e36b35a381473b8d42f146e6883a52be8021e8e70",
}


@pytest.fixture(scope="module")
def clip() -> Clip:
    """Six frames of noise over coloured bars, which compresses badly."""
    noise = np.random.default_rng(0).integers(-40, 40, (6, 48, 64, 3))
    return Clip(np.clip(bars(48, 64) + noise, 0, 255).astype(np.uint8), 8, {"parameters": TEXT})


def error(one: Clip, other: Clip) -> float:
    return float(np.abs(one.frames.astype(int) - other.frames).mean())


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
def test_a_smaller_crf_is_nearer_and_larger(name: str, clip: Clip, tmp_path: Path) -> None:
    files = [write(tmp_path / f"{crf}-{name}", clip, settings=FileSettings(crf=crf)) for crf in (5, 45)]
    near, far = (error(read(file), clip) for file in files)
    assert near < far
    assert files[0].stat().st_size > 2 * files[1].stat().st_size


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
def test_whole_chroma_keeps_the_colours_sharper(name: str, clip: Clip, tmp_path: Path) -> None:
    half, whole = (
        write(tmp_path / f"{chroma[0:1]}{chroma[-1]}{name}", clip, settings=FileSettings(crf=5, chroma=chroma))
        for chroma in ("4:2:0", "4:4:4")
    )
    assert error(read(whole), clip) < 0.7 * error(read(half), clip)
    with av.open(str(whole)) as container:
        assert container.streams.video[0].pix_fmt == "yuv444p"


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.webp"])
def test_without_loss_every_pixel_and_all_else_comes_back(name: str, clip: Clip, tmp_path: Path) -> None:
    odd = Clip(clip.frames[:, :47, :63], 8, clip.metadata)
    back = read(write(tmp_path / name, odd, settings=FileSettings(lossless=True, crf=40)))
    assert np.array_equal(back.frames, odd.frames)
    assert (back.fps, back.metadata) == (odd.fps, odd.metadata)


def test_a_preset_makes_another_file_of_the_same_video(clip: Clip, tmp_path: Path) -> None:
    usual, fast = (
        write(tmp_path / f"{preset}.mp4", clip, settings=FileSettings(preset=preset))
        for preset in ("medium", "ultrafast")
    )
    assert usual.read_bytes() == write(tmp_path / "as before.mp4", clip).read_bytes()
    assert fast.read_bytes() != usual.read_bytes()
    assert error(read(fast), clip) < 25


@pytest.mark.parametrize(("plays", "told"), [(0, 0), (1, None), (3, 2)])
def test_a_gif_plays_as_often_as_it_is_told(plays: int, told: int | None, clip: Clip, tmp_path: Path) -> None:
    with Image.open(write(tmp_path / "clip.gif", clip, settings=FileSettings(plays=plays))) as image:
        assert image.info.get("loop") == told, "browsers repeat it so often after the first time"
        assert image.info["comment"].decode() == TEXT


def test_a_webp_plays_as_often_as_it_is_told(clip: Clip, tmp_path: Path) -> None:
    for plays in (0, 3):
        with Image.open(write(tmp_path / f"{plays}.webp", clip, settings=FileSettings(plays=plays))) as image:
            assert image.info["loop"] == plays


@pytest.mark.parametrize(("name", "most"), [("jpg", 8.0), ("webp", 0.0), ("png", 0.0), ("auto", 0.0)])
def test_frames_are_written_as_other_pictures_with_all_metadata(
    name: str, most: float, clip: Clip, tmp_path: Path
) -> None:
    folder = write(tmp_path / "frames", clip, settings=FileSettings(frame_format=name))
    suffix = {"auto": "png"}.get(name, name)
    assert sorted(file.name for file in folder.iterdir()) == [f"{i:05d}.{suffix}" for i in range(6)]
    back = read(folder)
    assert error(back, clip) <= most
    assert (back.fps, back.metadata) == (clip.fps, clip.metadata)


@pytest.fixture
def divided(clip: Clip, tmp_path: Path) -> list[Path]:
    settings = FileSettings(frames_per_file=4, text_file=True)
    targets = [tmp_path / "a.mp4", tmp_path / "a.gif", tmp_path / "a"]
    return output_files.save(clip, targets, None, print, settings)


def test_a_video_is_divided_into_files_of_so_many_frames(divided: list[Path], clip: Clip, tmp_path: Path) -> None:
    names = ["a-part1.mp4", "a-part2.mp4", "a-part1.gif", "a-part2.gif", "a"]
    assert [file.name for file in divided] == names, "a folder of frames is not divided"
    assert [len(read(file).frames) for file in divided] == [4, 2, 4, 2, 6]
    assert (tmp_path / "a-part2.txt").read_text() == f"{TEXT}\n"
    assert output_files.free(tmp_path, "a", ["mp4"]) == [tmp_path / "a-2.mp4"], "its name is taken"


def test_a_video_that_is_short_enough_is_one_file(clip: Clip, tmp_path: Path) -> None:
    settings = FileSettings(frames_per_file=6)
    assert output_files.save(clip, [tmp_path / "b.gif"], None, print, settings) == [tmp_path / "b.gif"]
    assert not output_files.is_divided(clip, settings)
    assert not (tmp_path / "b.txt").exists()


def test_usual_files_are_those_of_before(clip: Clip, tmp_path: Path) -> None:
    """The sums of GIF and WebP were made by the code before there were settings; those of films depend on FFmpeg."""
    plain = Clip(
        np.arange(2 * 16 * 16 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 16, 16, 3), 8, {"parameters": TEXT}
    )
    for name in ("clip.gif", "clip.webp"):
        digest = hashlib.sha256(write(tmp_path / name, plain).read_bytes()).hexdigest()
        assert digest == BEFORE[name]
