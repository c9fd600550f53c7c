"""Photos as people drop them: what is used, in which order, and what is said about the rest."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.identity.drawn import Save, ellipse, is_one_sentence, names, picture
from vcd_ext.identity.photos.photo import read_photos

SUBJECT = ellipse(96, 128, (30, 20, 90, 80))


def test_a_folder_is_read_in_the_order_in_which_people_count(save: Save, tmp_path: Path):
    for name in ("rex10.png", "rex2.png", "Rex1.png", "anna.JPG"):
        save(name)
    photos, problems = read_photos(tmp_path)
    assert names(photos) == ["anna.JPG", "Rex1.png", "rex2.png", "rex10.png"]
    assert problems == []
    assert all(photo.pixels.shape == (96, 128, 3) and photo.pixels.dtype == np.uint8 for photo in photos)
    assert all(photo.mask is None and photo.mask_source == "" for photo in photos)


def test_dropped_files_and_folders_are_read_together(save: Save, tmp_path: Path):
    paths = [save("b/2.png"), save("c/3.png"), save("a/1.png"), save("a/4.png")]
    photos, problems = read_photos([paths[1], paths[0], tmp_path / "a"])
    assert names(photos) == ["1.png", "2.png", "3.png", "4.png"]
    assert problems == []
    assert names(read_photos([paths[0], paths[0], paths[1]]).photos) == ["2.png", "3.png"]


def test_photos_of_the_same_name_are_told_apart(save: Save):
    photos = read_photos([save("a/1.png", picture(1)), save("b/1.png", picture(2))]).photos
    assert names(photos) == ["1.png", "1.png (2)"]


def test_captions_notes_and_hidden_files_of_a_folder_are_no_problem(save: Save, tmp_path: Path):
    save("1.png"), save("2.png"), save("inner/3.png")
    for name in (".DS_Store", "Thumbs.db", "1.txt", "1.caption", "notes.md"):
        (tmp_path / name).write_text("text")
    assert read_photos(tmp_path).problems == []
    (tmp_path / "film.mp4").write_bytes(b"film")
    assert read_photos(tmp_path).problems == [
        "film.mp4 is not a picture that can be read; use JPEG, PNG, WebP, BMP or TIFF."
    ]


def test_each_unusable_file_is_named_and_the_others_are_used(save: Save, tmp_path: Path):
    save("1.png"), save("9.png")
    (tmp_path / "2.jpg").write_bytes(b"")
    (tmp_path / "3.jpg").write_bytes(b"damaged")
    save("4.png", picture(4, 40, 200))
    save("5.gif", save_all=True, append_images=[Image.fromarray(picture(5))])
    photos, problems = read_photos([*tmp_path.iterdir(), tmp_path / "gone.jpg"])
    assert names(photos) == ["1.png", "9.png"]
    for name, reason in {"2.jpg": "empty", "3.jpg": "not a picture", "4.png": "small", "5.gif": "2 pictures"}.items():
        assert sum(problem.startswith(name) and reason in problem for problem in problems) == 1
    assert any("gone.jpg does not exist" in problem for problem in problems)
    assert len(problems) == 5
    assert all(is_one_sentence(problem) for problem in problems)


def test_without_any_photo_the_first_reason_is_given(tmp_path: Path):
    with pytest.raises(ValueError, match="no photo to learn from: nothing was chosen; add 5 to 10"):
        read_photos([])
    with pytest.raises(ValueError, match="missing does not exist; check the folder"):
        read_photos(tmp_path / "missing")
    with pytest.raises(ValueError, match=r"has no pictures in it \(folders within it are not searched\)"):
        read_photos(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"a\.jpg is empty .* \(and 1 more problem\)") as caught:
        read_photos(tmp_path)
    assert is_one_sentence(str(caught.value))


def test_a_folder_that_may_not_be_read_is_named(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save("1.png")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ValueError, match=r"cannot be opened \(Permission denied\); choose another folder"):
        read_photos(tmp_path)


def test_one_photo_and_very_many_are_used_with_advice(save: Save, tmp_path: Path):
    save("0.png")
    photos, problems = read_photos(tmp_path)
    assert len(photos) == 1
    assert "only one photo; with 5 to 10" in problems[0]
    for i in range(1, 51):
        save(f"{i}.png", picture(1000 + i))
    photos, problems = read_photos(tmp_path)
    assert len(photos) == 51
    assert len(problems) == 1
    assert "There are 51 photos; all are used, but 5 to 10 good ones suffice" in problems[0]
    assert is_one_sentence(problems[0])


@pytest.mark.parametrize(
    ("suffix", "scale", "options"),
    [("png", 1, {}), ("jpg", 1, {"quality": 30}), ("jpg", 0.5, {"quality": 60}), ("webp", 0.4, {"quality": 40})],
)
def test_a_copy_is_named_and_left_out(save: Save, tmp_path: Path, suffix: str, scale: float, options: dict[str, int]):
    original = picture(1, 480, 640)
    save("a.png", original)
    copy = Image.fromarray(original).resize((round(640 * scale), round(480 * scale)))
    save(f"b.{suffix}", np.asarray(copy), **options)
    save("c.png", picture(2, 480, 640))
    photos, problems = read_photos(tmp_path)
    assert names(photos) == ["a.png", "c.png"]
    assert problems == [f"b.{suffix} shows the same as a.png and is left out."]


def test_of_two_copies_that_with_a_mask_is_kept(save: Save, tmp_path: Path):
    save("a.jpg", picture(1), quality=95)
    save("b.png", np.dstack([picture(1), SUBJECT]))
    save("c.png", picture(2))
    photos, problems = read_photos(tmp_path)
    assert names(photos) == ["b.png", "c.png"]
    assert photos[0].mask_source == "alpha"
    assert problems == ["a.jpg shows the same as b.png and is left out."]


def test_pictures_that_only_resemble_each_other_are_kept(save: Save, tmp_path: Path):
    scene = picture(1, 480, 640)
    moved = scene.copy()
    scene[200:280, 200:280] = moved[200:280, 230:310] = (250, 20, 20)  # the subject, before and after a step
    grain = np.random.default_rng(0).integers(0, 256, (2, 480, 640, 3), np.uint8)
    save("a.png", scene), save("b.png", moved), save("c.png", scene[:, ::-1].copy())
    save("d.png", scene[40:-40, 40:-40].copy()), save("e.png", grain[0]), save("f.png", grain[1])
    photos, problems = read_photos(tmp_path)
    assert len(photos) == 6
    assert problems == []
