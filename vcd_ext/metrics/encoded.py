"""Vectors of videos and photos, each made once, however many measures ask for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

import torch

from vcd_ext.identity.photos.photo import Photo
from vcd_ext.metrics.clip import Pictures, Vectors
from vcd_ext.metrics.registry import Frames


class PictureEncoder(Protocol):
    """Makes vectors of pictures."""

    def pictures(self, pictures: Pictures) -> Vectors:
        """Return the vectors [n, d] of pictures, each uint8 [H, W, 3] RGB."""


class EncodedPictures:
    """An encoder that remembers the vectors of the last video and of each subject's photos."""

    def __init__(self, encoder: PictureEncoder):
        """Remember what `encoder` makes."""
        self.encoder = encoder
        self._video: tuple[Frames, Vectors] | None = None
        self._photos: dict[int, tuple[tuple[Photo, ...], Vectors]] = {}

    def video(self, frames: Frames) -> Vectors:
        """Return the vectors [F, d] of a video's frames, which must not change meanwhile."""
        if self._video is None or self._video[0] is not frames:
            self._video = frames, self.encoder.pictures(list(frames))
        return self._video[1]

    def photos(self, photos: tuple[Photo, ...]) -> Vectors:
        """Return the vectors [R, d] of a subject's photos, as they are, without their masks."""
        known = self._photos.get(id(photos))  # kept with the photos, so that no other tuple gets their place in memory
        if known is None or known[0] is not photos:
            known = self._photos[id(photos)] = photos, self.encoder.pictures([photo.pixels for photo in photos])
        return known[1]


_SHARED: WeakValueDictionary[tuple[Path, str], EncodedPictures] = WeakValueDictionary()


def shared_encoder(
    load: Callable[[Path, torch.device | str], PictureEncoder], path: Path, device: torch.device | str
) -> EncodedPictures:
    """Return the encoder of a file, loaded once as long as somebody holds it; raises what `load` does."""
    key = path.resolve(), str(device)
    found = _SHARED.get(key)
    if found is None:
        found = _SHARED[key] = EncodedPictures(load(path, device))
    return found
