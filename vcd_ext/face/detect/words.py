"""What words say in place of a face ("dog head"), by Grounding DINO: so that pets have a Face VCD as well."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from vcd_ext.face.boxes import nms
from vcd_ext.face.detect.detection import Detection, Frame
from vcd_ext.identity.segment import absent, missing_packages
from vcd_ext.identity.segment.boxes import Box
from vcd_ext.identity.segment.dino import BOX_THRESHOLD, GroundingDino
from vcd_ext.identity.segment.weights import DINO, find_vocabulary, find_weights

SAME = 0.5  # boxes that overlap a surer one by more are the same thing
_TRUSTED = 0.6  # what `Detection.score` is at Grounding DINO's own threshold


class Words:
    """Finds what the words say."""

    def __init__(self, search: Callable[[Frame, str], list[Box]], words: str):
        """search: all boxes of a word in a picture, as `GroundingDino` finds them. ValueError without a word."""
        if not words.strip():
            raise ValueError("There are no words to look for in place of a face; write them, for example dog head.")
        self.search, self.words = search, " ".join(words.split())

    @classmethod
    def load(cls, words: str, folders: Sequence[Path], device: torch.device | str = "cpu") -> "Words":
        """Read Grounding DINO's weights from one of the folders; ValueError, in one sentence, if a part is missing."""
        dino = next(filter(None, (find_weights(file, folders) for file in DINO)), None)
        vocabulary = find_vocabulary(folders)
        if missing_packages() or dino is None or vocabulary is None:
            needed = [file.name for file in absent(folders) if file.folder != "sam"] or ["its package"]
            raise ValueError(
                f"Finding '{words}' in place of a face needs Grounding DINO, of which is missing: "
                f"{', '.join(needed)}. The tab Train ID brings it; faces are found without."
            )
        return cls(GroundingDino.load(dino, vocabulary, device), words)

    def __call__(self, frame: Frame) -> list[Detection]:
        """Find the words in a frame uint8 [H, W, 3] RGB, surest first."""
        boxes = self.search(frame, self.words)
        places = np.array([box[:4] for box in boxes], float).reshape(-1, 4)
        kept = nms(places, np.array([box.score for box in boxes]), SAME)
        return [Detection(boxes[i][:4], min(1.0, boxes[i].score * _TRUSTED / BOX_THRESHOLD)) for i in kept]
