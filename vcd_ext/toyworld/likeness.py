"""How much the subject of a video looks like the individual on some photos, as the drawn world's judges see it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vcd_ext.identity.photos.photo import Photo
from vcd_ext.toyworld.judging import Frames, Judges, Values


def appearance(judges: Judges, photos: Sequence[Photo]) -> Values:
    """Return the unit vector [64] between those of the photos, cut out along their masks where they have one."""
    vectors = [judges.identity(p.pixels[None], None if p.mask is None else p.mask[None])[0] for p in photos]
    mean = np.mean(vectors, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def likeness(judges: Judges, frames: Frames, looks: Values) -> float:
    """Compute the mean cosine between frames' subjects and an `appearance`, -1 to 1: the paper's CLIP-I, in small.

    frames: uint8 [F, H, W, 3].
    """
    return float((judges.identity(frames) @ looks).mean())
