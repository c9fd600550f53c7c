"""The identities in a folder: VCD's own alone are listed, looked at and deleted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.identity.toy_host import PHOTOS, photo
from vcd_ext.identity import library, save_embedding

METADATA = {"class": "dog", "steps": "200", "version": "0.1.0"}


def identity(folder: Path, name: str, **metadata: str) -> Path:
    return save_embedding(folder / f"{name}.safetensors", torch.zeros(4, 768), METADATA | metadata)


def test_identities_are_listed_with_what_they_are(tmp_path: Path) -> None:
    identity(tmp_path / "within", "Zora", **{"class": "toy car"})
    rex = identity(tmp_path, "rex")
    library.save_picture(rex, PHOTOS[0])
    found = library.identities(tmp_path)
    assert [(one.name, one.class_word, one.steps) for one in found] == [("rex", "dog", 200), ("Zora", "toy car", 200)]
    assert found[0].size == rex.stat().st_size
    assert found[0].picture == tmp_path / "rex.preview.png"
    assert found[1].picture is None


def test_embeddings_of_others_and_damaged_files_are_not_among_them(tmp_path: Path) -> None:
    save_embedding(tmp_path / "theirs.safetensors", torch.zeros(1, 768))
    identity(tmp_path, "odd", steps="many")
    (tmp_path / "broken.safetensors").write_bytes(b"?")
    (tmp_path / "old.pt").write_bytes(b"?")
    assert library.identities(tmp_path) == []
    assert library.identities(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["theirs", "../rex", "unknown", ""])
def test_only_what_is_listed_can_be_found(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "embeddings"
    identity(tmp_path, "rex")
    save_embedding(folder / "theirs.safetensors", torch.zeros(1, 768))
    with pytest.raises(ValueError, match="There is no identity called"):
        library.find(folder, name)


def test_a_name_is_free_if_no_embedding_in_any_format_has_it(tmp_path: Path) -> None:
    own = tmp_path / "rex.safetensors"
    others = [tmp_path / name for name in ("rex.preview.png", "rex.txt", "rexy.pt", "t-rex.bin")]
    assert library.check_free(own, others, False) == own
    assert library.check_free(own, [*others, own], True) == own
    with pytest.raises(ValueError, match=r"already an embedding called rex: .*, or let it be replaced\.$"):
        library.check_free(own, [*others, own], False)
    for theirs in ("rex.pt", "Rex.safetensors", "within/REX.BIN"):
        with pytest.raises(ValueError, match=r"or delete that file\.$"):
            library.check_free(own, [*others, tmp_path / theirs], True)


def test_deleting_takes_the_file_and_its_picture_alone(tmp_path: Path) -> None:
    for name in ("rex", "rexy"):
        library.save_picture(identity(tmp_path, name), PHOTOS[0])
    library.delete(library.find(tmp_path, "rex").path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rexy.preview.png", "rexy.safetensors"]


def test_the_picture_shows_the_subject_with_a_little_around_it() -> None:
    one = photo(0, subject=250, background=10)  # 32 pixels square in the corner of 64
    drawn = library.portrait(one)
    assert drawn.shape == (256, 256, 3)
    assert 0.5 < (drawn > 128).mean() < 0.8  # 32^2 of 42^2
    assert (library.portrait(replace(one, mask=None)) > 128).mean() == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("shape", [(64, 200), (200, 64)])
def test_the_picture_stays_within_the_photo(shape: tuple[int, int]) -> None:
    mask = np.zeros(shape, np.uint8)
    mask[-10:, -10:] = 255
    drawn = library.portrait(replace(PHOTOS[0], pixels=np.full((*shape, 3), 99, np.uint8), mask=mask))
    assert (drawn == 99).all()


def test_the_picture_is_one_that_the_webui_does_not_take_for_an_embedding(tmp_path: Path) -> None:
    path = library.save_picture(identity(tmp_path, "rex"), PHOTOS[0])
    assert path.name == "rex.preview.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
