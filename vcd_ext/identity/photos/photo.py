"""The photos of a subject, with the masks that came with them: what a person drops is what is trained on, or is named.

A mask comes from the picture's own transparency or from a file beside it: `rex.mask.png`, `rex_mask.png` or
`mask/rex.png` for `rex.jpg`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd_ext.identity.photos.duplicates import ASPECT, PhotoSignature
from vcd_ext.identity.photos.mask_check import check_mask, is_empty
from vcd_ext.identity.photos.mask_files import masks_of
from vcd_ext.media.frame_folder import is_hidden, natural_order
from vcd_ext.media.picture import Picture, PictureError, read_picture

ONE = "There is only one photo; with 5 to 10 the subject is learned rather than this one picture."
MANY = 50
MIN_SIDE = 64  # 8 latent values
KEPT_PIXELS = 1_500_000  # 1414x1060: twice the usual training size; 200 photos and their masks take 1.2 GB
OPAQUE = 0.95  # a picture with rounded corners is not cut out


Pixels = NDArray[np.uint8]  # [H, W, 3], RGB
SubjectMask = NDArray[np.uint8]  # [H, W], 255 = subject


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo of the subject."""

    name: str  # its file's name
    pixels: Pixels  # upright, at most 1.5 megapixels
    mask: SubjectMask | None = None
    mask_source: str = ""  # "alpha", "file", or who made the mask; "" without a mask


class Photos(NamedTuple):
    """The usable photos in the order of their names, and a sentence for whatever is wrong or worth knowing."""

    photos: list[Photo]
    problems: list[str]


def read_photos(source: Path | Sequence[Path], masks: bool = True) -> Photos:
    """Read a folder's photos, or those of a list of files and folders.

    Copies of a photo are left out, masks of no use are taken off. masks: False where they would not be used, and are
    not read. ValueError if no photo is left, or if each came with a mask and all of these are empty.
    """
    files, problems = _listed([source] if isinstance(source, Path) else source)
    sorted_files = masks_of(files)
    problems += sorted_files.problems
    photos: list[Photo] = []
    for file in sorted_files.photos:
        try:
            photos.append(_read(file, sorted_files.of(file), problems) if masks else _bare(file))
        except PictureError as error:
            problems.append(str(error))
    photos = _named_apart(_without_copies(_with_useful_masks(photos, problems), problems))
    if not photos:
        raise ValueError(f"There is no photo to learn from: {_shortened(problems)}.")
    if len(photos) == 1:
        problems.append(ONE)
    if len(photos) > MANY:
        problems.append(f"There are {len(photos)} photos; all are used, but 5 to 10 good ones suffice and are faster.")
    return Photos(photos, problems)


def _shortened(problems: list[str]) -> str:
    more = len(problems) - 1
    return problems[0].rstrip(".") + (f" (and {more} more problem{'s' * (more > 1)})" if more else "")


def _listed(source: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """List all files that may be photos or masks, by name, and what is wrong with the rest."""
    files: list[Path] = []
    problems = [] if source else ["nothing was chosen; add 5 to 10 pictures of the subject."]
    for path in source:
        if path.is_dir():
            try:
                found = [file for file in path.iterdir() if not file.is_dir() and not _is_companion(file)]
            except OSError as error:
                problems.append(f"{path} cannot be opened ({error.strerror}); choose another folder.")
                continue
            if not found:
                problems.append(f"{path} has no pictures in it (folders within it are not searched).")
            files += found
        elif path.exists():
            files.append(path)
        else:
            problems.append(f"{path} does not exist; check the folder and the name.")
    return sorted(dict.fromkeys(files), key=natural_order), problems


def _is_companion(file: Path) -> bool:
    """Return whether a file comes with photos and is not meant as one: captions, notes, what systems leave there."""
    return is_hidden(file) or file.suffix.lower() in (".txt", ".caption", ".json", ".md", ".ini", ".db")


def _picture(file: Path) -> Picture:
    return read_picture(file, KEPT_PIXELS, MIN_SIDE)


def _bare(file: Path) -> Photo:
    return Photo(file.name, _picture(file).pixels)


def _read(file: Path, mask_file: Path | None, problems: list[str]) -> Photo:
    """Read a photo and the mask that came with it, which may be of no use."""
    picture = _picture(file)
    photo = Photo(file.name, picture.pixels)
    if mask_file is not None:
        try:
            return replace(photo, mask=read_mask(mask_file, picture.pixels.shape[:2]), mask_source="file")
        except PictureError as error:
            problems.append(str(error))
    if picture.alpha is None or picture.alpha.mean() > OPAQUE * 255:
        return photo
    return replace(photo, mask=picture.alpha, mask_source="alpha")


def _with_useful_masks(photos: list[Photo], problems: list[str]) -> list[Photo]:
    """Drop masks that are too small, too large or empty, and note each.

    ValueError if all have an empty one: their maker meant something else by black.
    """
    if photos and all(photo.mask is not None and is_empty(photo.mask) for photo in photos):
        raise ValueError("The masks of all photos are empty; mark the subject white in them, or leave the masks away.")
    kept = []
    for photo in photos:
        problem = check_mask(photo.mask, photo.name) if photo.mask is not None else None
        problems += [problem] if problem else []
        kept.append(replace(photo, mask=None, mask_source="") if problem else photo)
    return kept


def read_mask(file: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read a mask at its photo's shape [H, W]: the file's transparency if it has any, else what is not black.

    PictureError if it cannot be read or has another shape. It may be of no use: see `check_mask`.
    """
    pixels, alpha = _picture(file)
    mask = pixels.max(axis=-1) if alpha is None else alpha
    ratio = (mask.shape[1] / mask.shape[0]) / (shape[1] / shape[0])
    if abs(ratio - 1) > ASPECT:
        size, wanted = f"{mask.shape[1]}x{mask.shape[0]}", f"{shape[1]}x{shape[0]}"
        raise PictureError(f"{file.name} is left out: {size} is another shape than its photo's {wanted}.")
    # Some tools write 0 and 1, or the number of a class.
    mask = np.round(mask * (255 / max(mask.max(), 1))).astype(np.uint8)
    return np.array(Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _without_copies(photos: list[Photo], problems: list[str]) -> list[Photo]:
    """Keep each picture once: the copy that has a mask, else the first."""
    kept: list[tuple[Photo, PhotoSignature]] = []
    for photo in photos:
        signature = PhotoSignature(photo.pixels)
        at = next((i for i, (_, other) in enumerate(kept) if signature.shows_the_same(other)), None)
        if at is None:
            kept.append((photo, signature))
            continue
        first = kept[at][0]
        if first.mask is None and photo.mask is not None:
            kept[at], first, photo = (photo, signature), photo, first
        problems.append(f"{photo.name} shows the same as {first.name} and is left out.")
    return [photo for photo, _ in kept]


def _named_apart(photos: list[Photo]) -> list[Photo]:
    """Rename photos of the same name from different folders: "rex.jpg", "rex.jpg (2)"."""
    seen: dict[str, int] = {}
    named = []
    for photo in photos:
        count = seen[photo.name] = seen.get(photo.name, 0) + 1
        named.append(photo if count == 1 else replace(photo, name=f"{photo.name} ({count})"))
    return named
