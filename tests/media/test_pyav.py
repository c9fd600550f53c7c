"""PyAV as this project uses it, whatever other packages have set."""

from collections.abc import Iterator
from pathlib import Path

import av
import av.logging
import pytest

from tests.film import film
from vcd_ext.media import read


@pytest.fixture
def _as_torchvision_sets_it() -> Iterator[None]:
    av.logging.set_level(av.logging.ERROR)
    yield
    av.logging.set_level(None)


@pytest.mark.usefixtures("_as_torchvision_sets_it")
def test_a_decoders_thread_never_waits_for_python(tmp_path: Path) -> None:
    """Its log would be written by Python, which waits for the thread when the film is closed."""
    read(film(tmp_path / "a.mp4", 2))
    assert av.logging.get_level() is None
