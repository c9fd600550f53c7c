"""What finds masks, and how photos get theirs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import cv2

from vcd_ext.identity.photos.mask_check import check_mask
from vcd_ext.identity.photos.photo import Photo, Pixels, SubjectMask

Progress = Callable[[int, int], None]


class Segmenter(Protocol):
    """Finds in a picture what a word says."""

    @property
    def name(self) -> str:
        """What is noted as the source of its masks."""

    def __call__(self, pixels: Pixels, word: str) -> SubjectMask:
        """Segment `word` ("dog") in pixels uint8 [H, W, 3] RGB: mask uint8 [H, W], 255 where the subject is.

        ValueError where it finds nothing: the end of a sentence that says so, without the photo's name.
        """


def fill_masks(
    photos: Sequence[Photo],
    word: str,
    segmenter: Segmenter | Sequence[Segmenter],
    progress: Progress | None = None,
) -> tuple[list[Photo], list[str]]:
    """Give each photo without a mask one; returns the photos, and a sentence for each that still has none.

    Masks that exist are kept as they are. segmenter: one, or several of which the next is asked where one fails; the
    name of the one that succeeds becomes the photo's `mask_source`. progress: called with (photos done, photos).
    """
    segmenters = list(segmenter) if isinstance(segmenter, Sequence) else [segmenter]
    filled, problems = [], []
    for done, photo in enumerate(photos):
        if progress:
            progress(done, len(photos))
        masked, problem = (photo, None) if photo.mask is not None else _fill(photo, word, segmenters)
        filled.append(masked)
        problems += [problem] if problem else []
    if progress:
        progress(len(photos), len(photos))
    return filled, problems


def _fill(photo: Photo, word: str, segmenters: Sequence[Segmenter]) -> tuple[Photo, str | None]:
    """Return the photo with the first mask that is of use, or as it is and the first segmenter's reason."""
    problems = []
    for segmenter in segmenters:
        try:
            mask = segmenter(photo.pixels, word)
        # Out of memory and OpenCV's errors among them: one photo must not cost the others their masks.
        except (ValueError, RuntimeError, cv2.error) as error:
            problems.append(f"{photo.name} gets no mask: {_first_line(error)}")
            continue
        problem = check_mask(mask, photo.name)
        if problem is None:
            return replace(photo, mask=mask, mask_source=segmenter.name), None
        problems.append(problem)
    return photo, problems[0]


def _first_line(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if text.endswith(".") else f"{text}."
