"""Folders that may be read from afar, and whatever looks like them without being one."""

from pathlib import Path

import pytest

from vcd_ext.storage.allowed_folders import inside


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "rex").mkdir(parents=True)
    (tmp_path / "photos two").mkdir()
    return folder


def test_an_allowed_folder_and_what_is_in_it_may_be_read(allowed: Path) -> None:
    assert inside(allowed, [allowed]) == allowed
    assert inside(allowed / "rex" / ".." / "rex", [Path("/nowhere"), allowed]) == allowed / "rex"


def test_a_link_to_an_allowed_folder_may_be_read(allowed: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(allowed)
    assert inside(tmp_path / "link" / "rex", [allowed]) == allowed / "rex"


@pytest.mark.parametrize("path", ["..", "../photos two", "/", "rex/../../..", "\0", "out"])
def test_nothing_else_may_be_read(allowed: Path, tmp_path: Path, path: str) -> None:
    (allowed / "out").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="not in a folder that photos may be read from"):
        inside(allowed / path, [allowed])


def test_what_does_not_exist_is_answered_as_what_does(tmp_path: Path) -> None:
    answers = set()
    for name in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="may be read from") as refused:
            inside(name, [])
        answers.add(str(refused.value).replace(str(name), ""))
    assert len(answers) == 1
