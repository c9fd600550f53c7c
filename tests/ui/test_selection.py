"""What a person does with the photos on the page."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.identity.drawn import picture
from tests.identity.toy_host import PHOTOS
from vcd_ext.ui import selection as photos
from vcd_ext.ui.selection import ERASE, PAINT, Chosen, Selection

SELECTION: Selection = tuple(Chosen(photo) for photo in PHOTOS)


def write(folder: Path, name: str, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def masks(selection: Selection) -> list[np.ndarray | None]:
    return [one.photo.mask for one in selection]


def test_files_are_read_with_the_masks_among_them(tmp_path: Path) -> None:
    mask = np.zeros((96, 128), np.uint8)
    mask[20:60, 30:90] = 255
    files = [write(tmp_path, "a.png", picture(1)), write(tmp_path, "a.mask.png", mask)]
    selection, problems = photos.chosen([*files, write(tmp_path, "b.png", picture(2))])
    assert [one.caption for one in selection] == ["a.png", "b.png (no mask yet)"]
    assert problems == []
    assert all(one.used and not one.whole for one in selection)


def test_a_mask_that_is_of_no_use_is_taken_off_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path, "a.png", picture(1))
    write(tmp_path, "a.mask.png", np.full((96, 128), 255, np.uint8))
    write(tmp_path, "b.png", picture(2))
    selection, problems = photos.chosen(tmp_path)
    assert masks(selection) == [None, None]
    assert len(problems) == 1
    assert "a.png covers 100% of the picture, more than 95%" in problems[0]


def test_adding_photos_keeps_what_was_changed_about_the_first(tmp_path: Path) -> None:
    first = [write(tmp_path, "a.png", picture(1)), write(tmp_path, "b.png", picture(2))]
    before, _ = photos.chosen(first)
    before = photos.with_use(photos.without_mask(before, 0), 1, False)
    now, _ = photos.chosen([*first, write(tmp_path, "c.png", picture(3))])
    merged = photos.merged(before, now)
    assert [(one.photo.name, one.used, one.whole) for one in merged] == [
        ("a.png", True, True), ("b.png", False, False), ("c.png", True, False),
    ]  # fmt: skip


def test_a_mask_that_is_dropped_later_is_taken(tmp_path: Path) -> None:
    photo = write(tmp_path, "a.png", picture(1))
    before, _ = photos.chosen([photo])
    mask = np.zeros((96, 128), np.uint8)
    mask[:50] = 255
    now, _ = photos.chosen([photo, write(tmp_path, "a_mask.png", mask)])
    assert np.array_equal(photos.merged(before, now)[0].photo.mask, mask)


def test_what_was_left_out_is_not_trained_on(tmp_path: Path) -> None:
    selection = photos.with_use(SELECTION, 1, False)
    assert photos.training_photos(selection) == [PHOTOS[0], PHOTOS[2]]
    assert selection[1].caption == "1.png (left out)"
    for i in range(3):
        selection = photos.with_use(selection, i, False)
    with pytest.raises(ValueError, match="All photos are left out"):
        photos.training_photos(selection)


def test_a_dropped_mask_means_the_whole_picture_and_no_other_is_looked_for() -> None:
    selection = photos.without_mask(SELECTION, 0)
    assert selection[0].caption == "0.png (whole picture)"
    assert photos.lacking(selection) == []
    trained = photos.training_photos(selection)[0].mask
    assert trained is not None
    assert (trained == 255).all()


def test_masks_are_looked_for_where_there_is_none_and_put_where_they_belong() -> None:
    bare = [replace(photo, mask=None, mask_source="") for photo in PHOTOS]
    selection = tuple(Chosen(photo) for photo in bare)
    selection = photos.with_use(photos.with_mask(selection, 0, PHOTOS[0].mask, "file"), 2, False)
    assert [photo.name for photo in photos.lacking(selection)] == ["1.png"]
    found = photos.with_masks(selection, [PHOTOS[1]])
    assert [one.photo.mask_source for one in found] == ["file", "file", ""]
    assert found[1].photo is PHOTOS[1]


@pytest.mark.parametrize("scale", [1, 3])
def test_strokes_add_to_a_mask_or_take_away_at_whatever_size_they_were_painted(scale: int) -> None:
    strokes = np.zeros((64 * scale, 64 * scale), np.uint8)
    strokes[40 * scale : 56 * scale, : 16 * scale] = 255
    added = photos.with_strokes(SELECTION, 0, strokes, PAINT)[0].photo
    assert added.mask_source == "painted"
    assert added.mask is not None
    assert (added.mask[40:56, :16] == 255).all()
    assert np.count_nonzero(added.mask) == 32 * 32 + 16 * 16
    back = photos.with_strokes(photos.with_strokes(SELECTION, 0, strokes, PAINT), 0, strokes, ERASE)
    assert np.array_equal(back[0].photo.mask, PHOTOS[0].mask)
    assert SELECTION[0].photo is PHOTOS[0], "what was before is not changed"


def test_painting_begins_a_mask_and_uses_the_photo() -> None:
    bare = (Chosen(replace(PHOTOS[0], mask=None, mask_source=""), used=False, whole=True),)
    strokes = np.zeros((64, 64), np.uint8)
    strokes[:32] = 255
    painted = photos.with_strokes(bare, 0, strokes, PAINT)[0]
    assert (painted.used, painted.whole) == (True, False)
    assert np.array_equal(painted.photo.mask, strokes)


@pytest.mark.parametrize(("way", "words"), [(ERASE, "is empty"), (PAINT, "more than 95%")])
def test_strokes_that_leave_nothing_of_use_are_refused(way: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        photos.with_strokes(SELECTION, 0, np.full((64, 64), 255, np.uint8), way)


def test_a_mask_file_replaces_the_mask_and_must_fit(tmp_path: Path) -> None:
    mask = np.zeros((128, 128), np.uint8)
    mask[:64] = 255
    changed = photos.with_mask_file(SELECTION, 1, write(tmp_path, "m.png", mask))[1].photo
    assert changed.mask_source == "file"
    assert changed.mask is not None
    assert (changed.mask[:31] == 255).all()
    assert not changed.mask[33:].any()
    with pytest.raises(ValueError, match="another shape than its photo's 64x64"):
        photos.with_mask_file(SELECTION, 1, write(tmp_path, "wide.png", mask[:64]))
    with pytest.raises(ValueError, match="mask of 1.png is empty"):
        photos.with_mask_file(SELECTION, 1, write(tmp_path, "black.png", np.zeros((64, 64), np.uint8)))
