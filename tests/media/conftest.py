"""Small clips that the media tests share."""

import numpy as np
import pytest

from vcd_ext.media import Clip

INFOTEXT = (
    'portrait of "sks" man, (smiling:1.2), <lora:film:0.8>, café, 日本, 😀\n'
    "Negative prompt: blurry, a\\b, {x|y}; # = 'quoted'\n\n"
    "Steps: 20, Sampler: DDIM, CFG scale: 7.5, Seed: 42, Size: 512x512, Version: v1.10.1" + ", padding" * 600
)


@pytest.fixture(scope="session")
def infotext() -> str:
    return INFOTEXT


@pytest.fixture(scope="session")
def clip() -> Clip:
    """7 frames of 62x46: a white square moves over a still gradient; frames 2, 3 and 4 are equal."""
    frames = np.stack([_picture(46, 62, left=step * 6) for step in (0, 1, 2, 2, 2, 3, 4)])
    return Clip(frames, fps=8, metadata={"parameters": INFOTEXT, "Ünlike key": 'a\tb\0c "d"', "empty": ""})


def _picture(height: int, width: int, left: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    picture = np.stack([x * 4, y * 5, np.full_like(x, 90)], axis=-1).astype(np.uint8)
    picture[10:26, left : left + 16] = 255
    return picture
