"""Files in folders, wherever links lead."""

from pathlib import Path

import pytest

from tests import tiny
from vcd_ext.hosts.diffusers.library import _files
from vcd_ext.identity import library
from vcd_ext.storage import walk


def test_links_to_folders_are_followed_and_links_that_lead_back_do_no_harm(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "models", tmp_path / "disk"
    for path in (folder / "b.pt", folder / "within" / "a.pt", elsewhere / "c.pt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "linked").symlink_to(elsewhere)
    (folder / "within" / "back").symlink_to(folder)
    (elsewhere / "round").symlink_to(elsewhere)
    (folder / "nowhere").symlink_to(tmp_path / "gone")
    found = [path.relative_to(folder).as_posix() for path in walk.files(folder)]
    assert found == ["b.pt", "linked/c.pt", "within/a.pt"]
    assert list(walk.files(tmp_path / "gone")) == []
    assert _files(folder, (".pt",)) == sorted(folder / name for name in found)


def test_an_identity_in_a_linked_folder_is_known_and_its_name_is_taken(tmp_path: Path) -> None:
    file = tiny.embedding(tmp_path / "disk", "rexy")
    (tmp_path / "embeddings").mkdir()
    (tmp_path / "embeddings" / "linked").symlink_to(file.parent)
    own = tmp_path / "embeddings" / "rexy.safetensors"
    with pytest.raises(ValueError, match="already an embedding called rexy"):
        library.check_free(own, walk.files(own.parent), replace=False)
