"""Names that are too long for a file are cut off before anything is computed, and what is behind them stays."""

import os
from pathlib import Path

import pytest

from tests import film
from vcd_ext import media
from vcd_ext.cli.output import make_folders, output_paths
from vcd_ext.cli.video_to_video import beside
from vcd_ext.media import output_files
from vcd_ext.media.names import LONGEST, cut, cut_all
from vcd_ext.stages.pipeline import Finished

LONG = {"latin": "photo of rex " * 40, "CJK": "雪の中を走る犬" * 30, "emoji": "🐕‍🦺" * 60, "one word": "x" * 1000}


def size(path: Path) -> int:
    return len(os.fsencode(path.name))


@pytest.mark.parametrize("script", LONG)
def test_a_long_name_is_cut_between_characters(script: str, tmp_path: Path) -> None:
    name = cut(LONG[script], tmp_path)
    assert LONG[script].startswith(name)
    assert LONGEST - 24 < len(os.fsencode(name)) <= LONGEST - 16
    (tmp_path / f"{name}-12-tiled.webm").touch()


@pytest.mark.parametrize("name", ["walk", "雪の中を走る犬", "a.b.c", "x" * (LONGEST - 16)])
def test_what_fits_stays_as_it_is(name: str, tmp_path: Path) -> None:
    assert cut(name, tmp_path) == name
    assert cut_all(tmp_path / name / name) == tmp_path / name / name


def test_folders_that_a_prompt_names_are_cut_as_well(tmp_path: Path) -> None:
    path = cut_all(tmp_path / LONG["CJK"] / LONG["latin"] / LONG["emoji"])
    path.parent.mkdir(parents=True)
    path.with_name(f"{path.name}-tiled.webm").touch()
    assert len(path.relative_to(tmp_path).parts) == 3


@pytest.mark.parametrize("script", LONG)
def test_videos_and_those_of_their_stages_have_names_of_their_own(script: str, tmp_path: Path) -> None:
    seen: set[Path] = set()
    for _ in range(3):
        files = output_files.free(tmp_path, LONG[script], ["mp4", "webp", "png"])
        stages = [Finished(title, film.clip()).beside(file) for title in ("T2V VCD", "Face VCD") for file in files]
        assert max(map(size, stages)) <= LONGEST
        assert len(seen & {*files, *stages}) == 0
        seen |= {*files, *stages}
        for path in (*files, *stages):
            path.touch()


def test_a_chain_of_stages_keeps_the_last_in_the_name(tmp_path: Path) -> None:
    path = tmp_path / "walk.mp4"
    for i in range(100):
        path = Finished("Tiled VCD" if i % 2 else "Face VCD", film.clip()).beside(path)
        assert path.stem.endswith("-tiled" if i % 2 else "-face")
        path.touch()


def test_commands_cut_the_name_that_they_were_given(tmp_path: Path) -> None:
    files = output_paths(tmp_path / f"{LONG['CJK']}.mp4", ["mp4", "webp", "png"])
    make_folders(files)
    assert [path.suffix for path in files] == [".mp4", ".webp", ""]
    for path in files:
        assert path.stem.startswith("雪の中")
        media.write(path, film.clip(1))
    assert output_paths(Path("out/walk.v2.mp4"), ["gif"]) == [Path("out/walk.v2.gif")]
    [made] = output_paths(beside(Path(f"in/{'雪' * 83}.mp4"), "face", "mp4"), ["mp4"])
    assert made.name.startswith("雪雪")
    assert made.name.endswith("雪-face.mp4")
    assert size(made) <= LONGEST
