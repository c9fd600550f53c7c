"""PyAV as this project uses it, whatever other packages have set."""

import av
import av.logging
import pytest

from tests.film import film
from vcd_ext.media import read


@pytest.fixture
def as_torchvision_sets_it():
    av.logging.set_level(av.logging.ERROR)
    yield
    av.logging.set_level(None)


def test_a_decoders_thread_never_waits_for_python(as_torchvision_sets_it, tmp_path) -> None:
    """Its log would be written by Python, which waits for the thread when the film is closed."""
    read(film(tmp_path / "a.mp4", 2))
    assert av.logging.get_level() is None
