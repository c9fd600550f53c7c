"""--medvram and --lowvram, which move parts of the UNet about, make the same video."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.webui.conftest import start
from tests.webui.server import Server

MOTION = {"motion_module": "mm_v2", "frames": 4}


@pytest.fixture(params=["--medvram", "--lowvram"])
def saving(request: pytest.FixtureRequest, data: Path) -> Iterator[Server]:
    running = start(data, request.param, "--nowebui")
    yield running
    running.stop()


def test_the_same_video_and_the_model_as_before(server: Server, saving: Server) -> None:
    expected = server.generate(MOTION).frames
    plain = saving.generate(None).frames
    before = saving.get("/probe/fingerprint")
    assert np.array_equal(saving.generate(MOTION).frames, expected)
    saving.post("/probe/raise", after=2).raise_for_status()
    assert saving.ask(MOTION, steps=20).status_code == 500
    assert saving.get("/probe/fingerprint") == before
    assert np.array_equal(saving.generate(None).frames, plain)
