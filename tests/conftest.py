"""Small models for whoever needs them, made once."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests import tiny


class Files(NamedTuple):
    """Paths of the small models."""

    checkpoint: Path
    motion_module: Path
    embedding: Path


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("models")
    return Files(tiny.checkpoint(folder), tiny.motion_module(folder), tiny.embedding(folder, "tinyperson"))
