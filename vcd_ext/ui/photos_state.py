"""What a page has of photos, and how it lies between two events: on the disk, as Gradio never forgets a page."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vcd_ext.identity.photos.photo import Photo
from vcd_ext.ui.scratch import Scratch
from vcd_ext.ui.selection import Chosen, Selection


@dataclass(frozen=True)
class Page:
    """What a page has of photos. index: the one that is being edited."""

    sources: tuple[Path, ...] = ()
    selection: Selection = ()
    index: int = 0

    @property
    def used(self) -> int:
        """How many photos are learned from."""
        return sum(one.used for one in self.selection)

    def chosen(self, **changes: Any) -> "Page":
        """Return the page with another selection or index."""
        return replace(self, **changes)

    def opened(self) -> "Page":
        """Return the page with its photos in memory."""
        return self


class _StoredPhoto(NamedTuple):
    """A `Chosen` whose photo lies in files."""

    name: str
    pixels: str  # a key of the scratch files
    mask: str | None
    mask_source: str
    used: bool
    whole: bool


@dataclass(frozen=True)
class StoredPage:
    """A `Page` whose photos lie in scratch files: what the page's state holds."""

    scratch: Scratch
    sources: tuple[Path, ...]
    photos: tuple[_StoredPhoto, ...]
    index: int
    used: int

    def opened(self) -> Page:
        """Return the page with its photos in memory; GoneError if they have been deleted."""
        return Page(self.sources, tuple(self._chosen(one) for one in self.photos), self.index)

    def _chosen(self, one: _StoredPhoto) -> Chosen:
        mask = None if one.mask is None else self.scratch.read(one.mask)
        return Chosen(Photo(one.name, self.scratch.read(one.pixels), mask, one.mask_source), one.used, one.whole)


def store_page(page: Page, scratch: Scratch) -> StoredPage:
    """Return the page with its photos in scratch files; OSError, in one sentence, if they cannot be written."""

    def stored(one: Chosen) -> _StoredPhoto:
        photo = one.photo
        mask = None if photo.mask is None else scratch.keep(photo.mask)
        return _StoredPhoto(photo.name, scratch.keep(photo.pixels), mask, photo.mask_source, one.used, one.whole)

    return StoredPage(scratch, page.sources, tuple(map(stored, page.selection)), page.index, page.used)
