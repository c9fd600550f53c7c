"""The photos on the page: which are used, with which masks, and what a person changes about them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from vcd_ext.identity.photos.mask_check import check_mask
from vcd_ext.identity.photos.photo import Photo, SubjectMask, read_mask, read_photos

PAINTED = "painted"  # a mask's source
PAINT, ERASE = "add to the subject", "take away from it"


@dataclass(frozen=True, eq=False)
class Chosen:
    """One photo on the page."""

    photo: Photo
    used: bool = True
    whole: bool = False  # the person has dropped its mask, to learn from the whole picture

    @property
    def caption(self) -> str:
        """Its name, and what is worth knowing of it."""
        if not self.used:
            return f"{self.photo.name} (left out)"
        if self.photo.mask is None:
            return f"{self.photo.name} ({'whole picture' if self.whole else 'no mask yet'})"
        return self.photo.name


Selection = tuple[Chosen, ...]


def chosen(source: Path | Sequence[Path]) -> tuple[Selection, list[str]]:
    """Return the photos of files or of a folder, and a sentence for each problem; ValueError as `read_photos`."""
    photos, problems = read_photos(source)
    return tuple(map(Chosen, photos)), problems


def merged(before: Selection, now: Selection) -> Selection:
    """Return the photos of `now`, as the person has left those that were there before."""

    def kept(one: Chosen) -> Chosen:
        same = (old for old in before if old.photo.name == one.photo.name)
        old = next((old for old in same if np.array_equal(old.photo.pixels, one.photo.pixels)), None)
        fresh_mask = old and old.photo.mask is None and one.photo.mask is not None
        return one if old is None or fresh_mask else old

    return tuple(map(kept, now))


def training_photos(selection: Selection) -> list[Photo]:
    """Return the photos to train on. One whose mask was dropped gets that of the whole picture: none is looked for."""
    used = [one for one in selection if one.used]
    if selection and not used:
        raise ValueError("All photos are left out; use at least one.")
    return [
        replace(one.photo, mask=np.full_like(one.photo.pixels[..., 0], 255)) if one.whole else one.photo for one in used
    ]


def with_masks(selection: Selection, photos: Sequence[Photo]) -> Selection:
    """Return the selection with the masks that were found for those of its photos that lack one."""
    found = {photo.name: photo for photo in photos}
    return tuple(replace(one, photo=found.get(one.photo.name, one.photo)) for one in selection)


def lacking(selection: Selection) -> list[Photo]:
    """Return the photos for which a mask is to be looked for."""
    return [one.photo for one in selection if one.used and not one.whole and one.photo.mask is None]


def with_use(selection: Selection, index: int, used: bool) -> Selection:
    """Return the selection with one photo used, or left out."""
    return _changed(selection, index, replace(selection[index], used=used))


def without_mask(selection: Selection, index: int) -> Selection:
    """Return the selection with one photo to be learned from as a whole."""
    photo = replace(selection[index].photo, mask=None, mask_source="")
    return _changed(selection, index, replace(selection[index], photo=photo, whole=True))


def with_strokes(selection: Selection, index: int, strokes: SubjectMask, way: str) -> Selection:
    """Return the selection with a mask corrected by the strokes of a brush, uint8 [h, w] of any size, PAINT or ERASE.

    ValueError if the mask would be of no use.
    """
    photo = selection[index].photo
    height, width = photo.pixels.shape[:2]
    touched = cv2.resize(strokes, (width, height), interpolation=cv2.INTER_LINEAR) >= 128
    before = np.zeros((height, width), np.uint8) if photo.mask is None else photo.mask
    return with_mask(selection, index, np.where(touched, np.uint8(255 * (way == PAINT)), before), PAINTED)


def with_mask_file(selection: Selection, index: int, file: Path) -> Selection:
    """Read one photo's mask from a file into the selection; ValueError if it does not fit or is of no use."""
    photo = selection[index].photo
    return with_mask(selection, index, read_mask(file, photo.pixels.shape[:2]), "file")


def with_mask(selection: Selection, index: int, mask: SubjectMask, source: str) -> Selection:
    """Return the selection with another mask [H, W] of one photo; ValueError, one sentence, if it is of no use."""
    photo = selection[index].photo
    if problem := check_mask(mask, photo.name):
        raise ValueError(problem)
    changed = replace(selection[index], photo=replace(photo, mask=mask, mask_source=source), used=True, whole=False)
    return _changed(selection, index, changed)


def _changed(selection: Selection, index: int, one: Chosen) -> Selection:
    return (*selection[:index], one, *selection[index + 1 :])
