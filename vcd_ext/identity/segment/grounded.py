"""Prompt to segmentation as in the paper (section 4.2): class word -> Grounding DINO's boxes -> SAM's mask."""

from collections.abc import Callable
from pathlib import Path

import torch

from vcd_ext.identity.photos.photo import Pixels, SubjectMask
from vcd_ext.identity.segment.boxes import Box, choose
from vcd_ext.identity.segment.dino import BOX_THRESHOLD, GroundingDino
from vcd_ext.identity.segment.sam import Sam


class GroundedSam:
    """The paper's segmenter. It holds 1 to 3.5 GB until it is dropped."""

    name = "Grounding DINO and SAM"

    def __init__(self, find: Callable[[Pixels, str], list[Box]], cut: Callable[[Pixels, Box], SubjectMask]):
        """find: all boxes of a word; cut: the mask of what a box holds."""
        self.find, self.cut = find, cut

    @classmethod
    def load(cls, dino: Path, sam: Path, vocabulary: Path, device: torch.device | str = "cpu") -> "GroundedSam":
        """Read the weights. ValueError if a file is damaged or of another kind, or a package is not installed."""
        return cls(GroundingDino.load(dino, vocabulary, device), Sam.load(sam, device))

    def __call__(self, pixels: Pixels, word: str) -> SubjectMask:
        """Segment the `word` that is most likely the subject: mask uint8 [H, W]; ValueError without any."""
        boxes = self.find(pixels, word)
        if not boxes:
            raise ValueError(
                f"Grounding DINO sees no {word} in it with a score above {BOX_THRESHOLD}; try another word, paint the "
                "mask or drop the photo."
            )
        height, width = pixels.shape[:2]
        return self.cut(pixels, choose(boxes, width, height))
