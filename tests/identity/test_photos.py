"""Photos as people drop them: what is used, in which order, with which masks, and what is said about the rest."""

import errno
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.identity.drawn import Pixels, ellipse, picture
from vcd_ext.identity.photos import Photo, read_photos

SUBJECT = ellipse(96, 128, (30, 20, 90, 80))
OTHER = ellipse(96, 128, (60, 40, 120, 90))
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Saves pixels under a name in the folder of photos, by default a picture of its own for each name."""

    def saved(name: str, pixels: Pixels | None = None, **options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = picture(sum(name.encode())) if pixels is None else pixels
        Image.fromarray(pixels).save(path, **options)
        return path

    return saved


def names(photos: Sequence[Photo]) -> list[str]:
    return [photo.name for photo in photos]


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and ". " not in text


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


# Masks


@pytest.mark.parametrize("name", ["rex.mask.png", "rex_mask.png", "mask/rex.png", "masks/rex.webp", "REX_Mask.PNG"])
def test_a_mask_file_beside_a_photo_is_its_mask_and_no_photo(save: Save, tmp_path: Path, name: str):
    photo = save("rex.jpg")
    save("max.jpg")
    save(name, SUBJECT, **({"lossless": True} if name.endswith("webp") else {}))
    for source in (tmp_path, [photo, tmp_path / "max.jpg"]):
        photos, problems = read_photos(source)
        assert names(photos) == ["max.jpg", "rex.jpg"]
        assert problems == []
        assert np.array_equal(photos[1].mask, SUBJECT)
        assert [photo.mask_source for photo in photos] == ["", "file"]


def test_a_mask_uploaded_with_its_photo_is_found_though_each_lies_in_a_folder_of_its_own(save: Save):
    files = [save("1/rex.jpg"), save("2/rex_mask.png", SUBJECT), save("3/max.jpg")]
    photos, problems = read_photos(files)
    assert problems == []
    assert np.array_equal(photos[1].mask, SUBJECT)


def test_transparency_is_a_mask_unless_nearly_all_is_opaque(save: Save, tmp_path: Path):
    rounded = ellipse(96, 128, (-18, -14, 146, 110))
    for name, alpha in {"1": SUBJECT, "2": np.full_like(SUBJECT, 255), "3": rounded}.items():
        save(f"{name}.png", np.dstack([picture(int(name)), alpha]))
    assert 0.95 < rounded.mean() / 255 < 1
    photos, problems = read_photos(tmp_path)
    assert problems == []
    assert [photo.mask_source for photo in photos] == ["alpha", "", ""]
    assert np.array_equal(photos[0].mask, SUBJECT)
    assert photos[1].mask is None


def test_a_mask_file_goes_before_transparency(save: Save, tmp_path: Path):
    save("1.png", np.dstack([picture(1), SUBJECT]))
    save("1_mask.png", OTHER)
    photo = read_photos(tmp_path).photos[0]
    assert photo.mask_source == "file"
    assert np.array_equal(photo.mask, OTHER)


@pytest.mark.parametrize("kind", ["0 and 1", "class number", "transparent", "red", "bilevel"])
def test_masks_as_other_tools_write_them(save: Save, tmp_path: Path, kind: str):
    save("1.png"), save("2.png")
    on = SUBJECT > 0
    save(
        "1_mask.png",
        {
            "0 and 1": on.astype(np.uint8),
            "class number": on.astype(np.uint8) * 12,
            "transparent": np.dstack([np.full((96, 128, 3), 255, np.uint8), SUBJECT]),
            "red": np.dstack([SUBJECT, 0 * SUBJECT, 0 * SUBJECT]),
            "bilevel": on,
        }[kind],
    )
    assert np.array_equal(read_photos(tmp_path).photos[0].mask, SUBJECT)


def test_a_mask_of_another_size_is_scaled_if_it_has_the_same_shape(save: Save, tmp_path: Path):
    save("1.png"), save("2.png", picture(2, 480, 640))
    large = ellipse(192, 256, (60, 40, 180, 160))
    save("1_mask.png", large), save("2_mask.png", SUBJECT)
    small_photo, large_photo = read_photos(tmp_path).photos
    for photo, truth in ((small_photo, SUBJECT), (large_photo, ellipse(480, 640, (150, 100, 450, 400)))):
        assert photo.mask is not None
        assert photo.mask.shape == photo.pixels.shape[:2]
        found, wanted = photo.mask > 127, truth > 127
        assert (found & wanted).sum() / (found | wanted).sum() > 0.98


def test_a_mask_is_turned_with_its_photo(save: Save, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save("1.jpg", np.rot90(picture(1)).copy(), exif=exif)
    save("1_mask.png", SUBJECT)
    save("2.png")
    photo = read_photos(tmp_path).photos[0]
    assert photo.pixels.shape == (96, 128, 3)
    assert np.array_equal(photo.mask, SUBJECT)


def test_unusable_masks_are_named_and_their_photos_used_without(save: Save, tmp_path: Path):
    for name in ("1", "2", "3", "4"):
        save(f"{name}.png")
    save("1_mask.png", SUBJECT.T.copy())
    save("2_mask.png", 0 * SUBJECT)
    (tmp_path / "3_mask.png").write_bytes(b"damaged")
    save("4.png", np.dstack([picture(4), 0 * SUBJECT]))
    photos, problems = read_photos(tmp_path)
    assert names(photos) == ["1.png", "2.png", "3.png", "4.png"]
    assert all(photo.mask is None and photo.mask_source == "" for photo in photos)
    assert [problem.split()[0] for problem in problems] == ["1_mask.png", "2_mask.png", "3_mask.png", "4.png"]
    for problem, reason in zip(
        problems, ["96x128.*128x96", "all black", "not a picture", "wholly transp"], strict=True
    ):
        assert is_one_sentence(problem)
        assert re.search(reason, problem)


def test_a_mask_without_its_photo_is_named_and_not_learned_as_a_photo(save: Save, tmp_path: Path):
    save("1.png"), save("2.png"), save("rex_mask.png", SUBJECT)
    photos, problems = read_photos(tmp_path)
    assert names(photos) == ["1.png", "2.png"]
    assert problems == ["rex_mask.png is named like a mask, but there is no photo 'rex'; rename it if it is a photo."]


# Copies


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
