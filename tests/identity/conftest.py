"""A folder of drawn photos."""

from pathlib import Path

import pytest
from PIL import Image

from tests.identity.drawn import Pixels, Save, picture


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that saves pixels in the folder of photos; by default, a picture of its own for each name."""

    def saved(name: str, pixels: Pixels | None = None, **options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = picture(sum(name.encode())) if pixels is None else pixels
        Image.fromarray(pixels).save(path, **options)
        return path

    return saved
