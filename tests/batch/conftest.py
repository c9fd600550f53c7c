"""A folder with what plans of tests name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file for a checkpoint, which only tests on models load, and two photos."""
    (tmp_path / "tiny.safetensors").write_bytes(b"a checkpoint")
    (tmp_path / "photos").mkdir()
    for i, pixels in enumerate(np.random.default_rng(2).integers(0, 256, (2, 64, 80, 3), np.uint8)):
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path
