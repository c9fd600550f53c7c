"""Prompt to segmentation: a class word and photos in, masks of the subject out (arXiv 2402.09368 v1, section 4.2).

Three segmenters, best first: `GroundedSam` as in the paper, where its weights are; `Attention`, which asks the loaded
checkpoint where the word is; and `CentrePrior`, which takes what stands out in the middle. All of them err, so the
masks are for a person to look at.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from vcd_ext.identity.segment.attention import Attention, AttentionHost
from vcd_ext.identity.segment.grabcut import CentrePrior
from vcd_ext.identity.segment.grounded import GroundedSam
from vcd_ext.identity.segment.masks import Segmenter, fill_masks
from vcd_ext.identity.segment.nouns import class_word
from vcd_ext.identity.segment.packages import missing_packages
from vcd_ext.identity.segment.weights import absent, find_all

__all__ = [
    "Attention",
    "AttentionHost",
    "CentrePrior",
    "GroundedSam",
    "Segmenter",
    "absent",
    "class_word",
    "fill_masks",
    "find_all",
    "missing_packages",
    "segmenters",
]


def segmenters(
    folders: Sequence[Path], host: AttentionHost | None = None, device: torch.device | str = "cpu"
) -> list[Segmenter]:
    """Return the segmenters that work here, for `fill_masks`: the paper's, else the others in turn.

    folders: where weights may lie; device: where they are loaded to, and held until the list is dropped. What the
    paper's segmenter does not find is not looked for by lesser ones: the photo may not show it. ValueError if a weight
    file is damaged.
    """
    found = find_all(folders)
    if found and not missing_packages():
        return [GroundedSam.load(*found, device=device)]
    return [Attention(host), CentrePrior()] if host else [CentrePrior()]
