"""Masks that come with the photos: from their transparency, or from files beside them."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.identity.drawn import Save, ellipse, is_one_sentence, names, picture
from vcd_ext.identity.photos.photo import read_photos

SUBJECT = ellipse(96, 128, (30, 20, 90, 80))
OTHER = ellipse(96, 128, (60, 40, 120, 90))


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
    reasons = [
        "^1_mask.png .*96x128.*128x96", "^3_mask.png is not a picture", "^The mask of 2.png is empty",
        "^The mask of 4.png is empty",
    ]  # fmt: skip
    for problem, reason in zip(problems, reasons, strict=True):
        assert is_one_sentence(problem)
        assert re.search(reason, problem)


@pytest.mark.parametrize("kind", ["file", "alpha"])
@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (ellipse(96, 128, (50, 40, 60, 50)), "covers 0.65% of the picture, less than 1%"),
        (ellipse(96, 128, (-24, -19, 152, 115)), "covers 100% of the picture, more than 95%"),
        (0 * SUBJECT, "is empty"),
    ],
)
def test_a_mask_that_is_too_small_too_large_or_empty_is_refused_by_the_photos_name(
    save: Save, tmp_path: Path, kind: str, mask: np.ndarray, reason: str
):
    if kind == "alpha":  # not wholly opaque, or it would not be taken for cut out
        save("1.png", np.dstack([picture(1), np.minimum(mask, 230)]))
    else:
        save("1.png"), save("1.mask.png", mask)
    save("2.png"), save("2.mask.png", SUBJECT)
    photos, problems = read_photos(tmp_path)
    assert [photo.mask_source for photo in photos] == ["", "file"]
    assert photos[0].mask is None
    assert len(problems) == 1
    assert problems[0].startswith(f"The mask of 1.png {reason}")
    assert is_one_sentence(problems[0])


def test_where_every_mask_is_empty_nothing_is_read_and_one_sentence_says_so(save: Save, tmp_path: Path):
    for i in range(3):
        save(f"{i}.png")
        save(f"{i}.mask.png", 0 * SUBJECT)
    with pytest.raises(ValueError, match="masks of all photos are empty; mark the subject white") as caught:
        read_photos(tmp_path)
    assert is_one_sentence(str(caught.value))
    save("3.png")
    assert [photo.mask for photo in read_photos(tmp_path).photos] == [None] * 4, "the photo without one may get one"


def test_masks_that_would_not_be_used_are_not_read_and_not_complained_about(save: Save, tmp_path: Path):
    save("1.png"), save("1.mask.png", 0 * SUBJECT), save("2.png", np.dstack([picture(2), SUBJECT]))
    photos, problems = read_photos(tmp_path, masks=False)
    assert names(photos) == ["1.png", "2.png"]
    assert [photo.mask for photo in photos] == [None, None]
    assert problems == []


def test_a_mask_without_its_photo_is_named_and_not_learned_as_a_photo(save: Save, tmp_path: Path):
    save("1.png"), save("2.png"), save("rex_mask.png", SUBJECT)
    photos, problems = read_photos(tmp_path)
    assert names(photos) == ["1.png", "2.png"]
    assert problems == ["rex_mask.png is named like a mask, but there is no photo 'rex'; rename it if it is a photo."]
