"""Scenes and detectors of 160 pixels, made once."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.face.synthetic import Scene, scenes
from vcd_ext.settings import FaceSettings

SIDE, FRAMES = 192, 20
# A face is a quarter as large as in a picture of 512 pixels with a crop of 512.
SETTINGS = FaceSettings(size=128, min_face=8, seed=1)


@cache
def _made(name: str) -> Scene:
    return scenes(SIDE, FRAMES)[name]()


@pytest.fixture
def made() -> Callable[[str], Scene]:
    """Return a scene by its name."""
    return _made
