"""Which files are masks, and of which photo: `rex.mask.png`, `rex_mask.png` or `mask/rex.png` belong to `rex.jpg`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("mask", "masks")
_MASK = re.compile(r"(.+)[._]mask", re.IGNORECASE)


class MaskFiles(NamedTuple):
    """The files that are photos, the mask of each photo's stem, and a sentence for each mask without a photo."""

    photos: list[Path]
    masks: dict[tuple[Path | None, str], Path]
    problems: list[str]

    def of(self, photo: Path) -> Path | None:
        """Return the mask of a photo: the one beside it, else the one that was given with it."""
        stem = photo.stem.casefold()
        return self.masks.get((photo.parent, stem)) or self.masks.get((None, stem))


def masks_of(files: Sequence[Path]) -> MaskFiles:
    """Sort files into photos and masks, and look for masks beside the photos.

    Files that were given together belong together, though a browser's upload puts each into a folder of its own.
    """
    photos = [file for file in files if _photo_of(file) is None]
    stems = {photo.stem.casefold() for photo in photos}
    masks: dict[tuple[Path | None, str], Path] = {}
    problems = []
    for file in files:
        stem = _photo_of(file)
        if stem in stems:
            masks.setdefault((None, stem), file)
        elif stem is not None:
            problems.append(
                f"{file.name} is named like a mask, but there is no photo {stem!r}; rename it if it is a photo."
            )
    for folder in {photo.parent for photo in photos}:
        masks.update({(folder, stem): file for stem, file in _beside(folder).items()})
    return MaskFiles(photos, masks, problems)


def _photo_of(file: Path) -> str | None:
    """Return the stem, in lower case, of a mask's photo; None if the file is not named like a mask."""
    match = _MASK.fullmatch(file.stem)
    return match[1].casefold() if match else None


def _beside(folder: Path) -> dict[str, Path]:
    """Return the masks in a folder of photos and in its folder of masks, by their photos' stems."""
    found = {}
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and inner.name.lower() in FOLDERS:
            found.update({file.stem.casefold(): file for file in sorted(inner.iterdir()) if file.is_file()})
    for file in sorted(folder.iterdir()):
        stem = _photo_of(file)
        if stem is not None and file.is_file():
            found[stem] = file
    return found
