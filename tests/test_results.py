"""Results take names that are free, and keep the sound."""

import errno
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tests.film import clip, film
from vcd_ext import media
from vcd_ext.media import SoundError, output_files


def test_each_format_has_its_file_and_none_is_overwritten(tmp_path: Path) -> None:
    formats = ["mp4", "png"]
    assert output_files.free(tmp_path, "a.b-face", formats) == [tmp_path / "a.b-face.mp4", tmp_path / "a.b-face"]
    (tmp_path / "a.b-face").mkdir()
    (tmp_path / "a.b-face-2.mp4").touch()
    assert output_files.free(tmp_path, "a.b-face", formats) == [tmp_path / "a.b-face-3.mp4", tmp_path / "a.b-face-3"]


def test_the_sound_goes_into_files_that_can_have_it(tmp_path: Path) -> None:
    source, notes = film(tmp_path / "film.mp4"), list[str]()
    files = output_files.targets(tmp_path / "made", ["mp4", "webm", "gif", "webp", "png"])
    output_files.save(clip(), files, source, notes.append)
    assert [media.has_sound(file) for file in files] == [True, True, False, False, False]
    assert notes == []
    output_files.save(clip(), [tmp_path / "other.gif"], source, notes.append)
    assert notes == ["The sound is left out, because it has room in mp4 and webm files only."]


def test_sound_that_is_damaged_costs_no_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SoundError("The sound of film.mp4 cannot be read.")

    source, notes = film(tmp_path / "film.mp4"), list[str]()
    monkeypatch.setattr("vcd_ext.media.sound.Sound.write_until", fail)
    output_files.save(clip(), [tmp_path / "made.mp4"], source, notes.append)
    assert notes == ["The sound of film.mp4 cannot be read. The video was written without it."]
    assert len(media.read(tmp_path / "made.mp4").frames) == len(clip().frames)


def kept_where(folder: Path, error: Exception, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Path], list[str]]:
    """Return what becomes of two files if the disk or the encoder refuses films in a folder; files and notes."""
    write, temporary, notes = media.write, folder / "tmp", list[str]()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def refusing(path: Path, *arguments: object, **options: object) -> Path:
        if path.suffix == ".mp4" and (path.parent == folder or not isinstance(error, OSError)):
            raise error
        return write(path, *arguments, **options)

    monkeypatch.setattr(output_files.media, "write", refusing)
    return list(output_files.kept(clip(), [folder / "a.gif", folder / "a.mp4"], None, notes.append)), notes


def test_what_a_full_disk_refuses_lies_among_the_temporary_files(tmp_path: Path, monkeypatch) -> None:
    files, notes = kept_where(tmp_path, OSError(errno.ENOSPC, "The disk is full."), monkeypatch)
    assert [file.name for file in files] == ["a.gif", "a.mp4"]
    assert all(tmp_path / "tmp" in file.parents for file in files)
    assert notes == [f"[Errno 28] The disk is full. It is in {files[0].parent} instead."]
    assert len(media.read(files[1]).frames) == len(clip().frames)


@pytest.mark.parametrize("error", [ImportError("PyAV is not installed."), ValueError("a.mp4 cannot be encoded.")])
def test_what_cannot_be_encoded_is_kept_as_frames(tmp_path: Path, monkeypatch, error: Exception) -> None:
    [folder], notes = kept_where(tmp_path, error, monkeypatch)
    assert np.array_equal(media.read(folder).frames, clip().frames)
    assert notes == [f"{error} It is in {folder.parent} instead."]


def test_if_nothing_can_be_written_the_first_reason_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(path, *_, **__):
        raise OSError(f"{path} full")

    monkeypatch.setattr(output_files.media, "write", full)
    with pytest.raises(OSError, match=r"a\.mp4 full"):
        output_files.kept(clip(), [Path("a.mp4")], None, print)
    assert list(tmp_path.iterdir()) == []
