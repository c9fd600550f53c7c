"""The identities in a folder: what they are, what they look like, and deleting them.

An identity's picture lies beside it as `rexy.preview.png`, which is where the WebUI looks for the picture of an
embedding's card.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd_ext.identity.embedding import SUFFIXES
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.storage import record, walk
from vcd_ext.storage.atomic import atomically

SUFFIX, PICTURE = ".safetensors", ".preview.png"
SIDE = 256  # pixels
MARGIN = 0.15  # of the subject's longer side, around it


@dataclass(frozen=True)
class StoredIdentity:
    """An embedding that VCD has trained."""

    path: Path
    class_word: str
    steps: int
    size: int  # bytes
    picture: Path | None

    @property
    def name(self) -> str:
        """What prompts call it."""
        return self.path.stem


def identities(folder: Path) -> list[StoredIdentity]:
    """Return the identities in a folder and those within it, by name; other embeddings are not among them."""
    return sorted(_identities(folder), key=lambda stored: stored.name.lower())


def find(folder: Path, name: str) -> StoredIdentity:
    """Return the identity of that name; ValueError if there is none."""
    for stored in identities(folder):
        if stored.name == name:
            return stored
    raise ValueError(f"There is no identity called {name!r} in {folder}; refresh the list.")


def check_free(own: Path, files: Iterable[Path], replace: bool, how: str = "let it be replaced") -> Path:
    """Return a new identity's file if no embedding among `files` has its name; ValueError if one has.

    replace: `own` may be there. One in another format or folder may not, for a prompt would then have two of a name.
    Upper and lower case are one, as they are for CLIP. how: to replace it, for the message.
    """
    for path in sorted(files):
        taken = path.suffix.lower() in SUFFIXES and path.stem.lower() == own.stem.lower()
        if taken and not (replace and path == own):
            remedy = how if path == own else "delete that file"
            raise ValueError(
                f"There is already an embedding called {path.stem}: {path}. Use another name, or {remedy}."
            )
    return own


def delete(path: Path) -> None:
    """Delete an identity's file and its picture; OSError if it cannot be deleted."""
    path.unlink(missing_ok=True)
    path.with_suffix(PICTURE).unlink(missing_ok=True)


def save_picture(identity: Path, photo: Photo) -> Path:
    """Write the subject of a photo beside the identity's file, as a small square; its path."""
    path = identity.with_suffix(PICTURE)
    with atomically(path) as part:
        Image.fromarray(portrait(photo)).save(part, "PNG", optimize=True)
    return path


def portrait(photo: Photo) -> NDArray[np.uint8]:
    """Crop a square [256, 256, 3] around what the mask marks, or out of the middle of a photo without one."""
    height, width = photo.pixels.shape[:2]
    left, top, right, bottom = _bounds(photo)
    side = round(min(max(right - left, bottom - top) * (1 + 2 * MARGIN), height, width))
    x = min(max((left + right - side) // 2, 0), width - side)
    y = min(max((top + bottom - side) // 2, 0), height - side)
    square = Image.fromarray(photo.pixels[y : y + side, x : x + side])
    return np.array(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _bounds(photo: Photo) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the marked part, else of the picture."""
    height, width = photo.pixels.shape[:2]
    if photo.mask is None or not (photo.mask >= 128).any():
        return 0, 0, width, height
    rows, columns = (np.flatnonzero((photo.mask >= 128).any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _identities(folder: Path) -> Iterator[StoredIdentity]:
    for path in (path for path in walk.files(folder) if path.suffix == SUFFIX):
        with suppress(ValueError, KeyError, OSError):
            described = record.summarize(path)
            class_word, steps = described["class"], int(described["steps"])
            picture = path.with_suffix(PICTURE)
            size = path.stat().st_size
            yield StoredIdentity(path, class_word, steps, size, picture if picture.is_file() else None)
