"""Videos from afar: a path that may be read, or a file in base64."""

import base64
from pathlib import Path

import pytest

from tests import film
from vcd_ext import media
from vcd_ext.storage.uploads import from_base64, received, suffix_of


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
def test_a_file_in_base64_is_known_by_its_first_bytes(tmp_path: Path, suffix: str) -> None:
    data = film.film(tmp_path / f"walk{suffix}").read_bytes()
    text = base64.b64encode(data).decode()
    assert suffix_of(data) == suffix
    for sent in (text, f"data:video/any;base64,{text}"):
        path = received(sent, [], tmp_path)
        assert path == tmp_path / f"sent{suffix}"
        assert len(media.read(path).frames) == film.FRAMES


def test_a_path_is_taken_if_it_may_be_read(tmp_path: Path) -> None:
    source = film.film(tmp_path / "walk.mp4")
    assert received(str(source), [tmp_path], tmp_path) == source
    with pytest.raises(ValueError, match="not in a folder that videos may be read from"):
        received(str(source), [tmp_path / "elsewhere"], tmp_path)
    assert from_base64("clips") is None, "a folder whose name is base64"


@pytest.mark.parametrize("video", [None, "", 7, ["a"]])
def test_what_is_neither_is_refused(tmp_path: Path, video: object) -> None:
    with pytest.raises(ValueError, match="video must be the path of a file that may be read, or a file in base64"):
        received(video, [tmp_path], tmp_path)
    with pytest.raises(ValueError, match="what was sent is no video"):
        received("data:video/mp4;base64,aGVsbG8=", [tmp_path], tmp_path)
