"""Results take names that are free, and keep the sound."""

from pathlib import Path

import pytest

from tests.film import clip, film
from vcd_ext import media, results
from vcd_ext.media import SoundError


def test_each_format_has_its_file_and_none_is_overwritten(tmp_path: Path) -> None:
    formats = ["mp4", "png"]
    assert results.free(tmp_path, "a.b-face", formats) == [tmp_path / "a.b-face.mp4", tmp_path / "a.b-face"]
    (tmp_path / "a.b-face").mkdir()
    (tmp_path / "a.b-face-2.mp4").touch()
    assert results.free(tmp_path, "a.b-face", formats) == [tmp_path / "a.b-face-3.mp4", tmp_path / "a.b-face-3"]


def test_the_sound_goes_into_files_that_can_have_it(tmp_path: Path) -> None:
    source, notes = film(tmp_path / "film.mp4"), list[str]()
    files = results.targets(tmp_path / "made", ["mp4", "webm", "gif", "webp", "png"])
    results.save(clip(), files, source, notes.append)
    assert [media.has_sound(file) for file in files] == [True, True, False, False, False]
    assert notes == []
    results.save(clip(), [tmp_path / "other.gif"], source, notes.append)
    assert notes == ["The sound is left out, because it has room in mp4 and webm files only."]


def test_sound_that_is_damaged_costs_no_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SoundError("The sound of film.mp4 cannot be read.")

    source, notes = film(tmp_path / "film.mp4"), list[str]()
    monkeypatch.setattr("vcd_ext.media.sound.Sound.write_until", fail)
    results.save(clip(), [tmp_path / "made.mp4"], source, notes.append)
    assert notes == ["The sound of film.mp4 cannot be read. The video was written without it."]
    assert len(media.read(tmp_path / "made.mp4").frames) == len(clip().frames)
