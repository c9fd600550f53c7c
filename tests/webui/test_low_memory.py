"""--medvram and --lowvram, which move parts of the model about: the same videos, and identities where that can be."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.hosts.test_video import soft
from tests.webui.conftest import start
from tests.webui.server import Server
from tests.webui.test_pipeline import BOTH
from tests.webui.test_v2v import HUNG, ask, made

MOTION = {"motion_module": "mm_v2", "frames": 4}
# --lowvram moves about all that --medvram moves, and the parts of the UNet besides.
with_lowvram = pytest.mark.parametrize("flag", ["--lowvram"], indirect=True)


@pytest.fixture(scope="module", params=["--medvram", "--lowvram"])
def flag(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def followed(server: Server) -> np.ndarray:
    """Return the frames of a video through Face VCD and Tiled VCD, with the whole model in memory."""
    server.post("/probe/face", there=True).raise_for_status()
    try:
        return server.generate(BOTH).frames
    finally:
        server.post("/probe/face", there=False).raise_for_status()


@pytest.fixture(scope="module")
def saving(data: Path, flag: str) -> Iterator[Server]:
    running = start(data, flag, "--nowebui")
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


@with_lowvram
def test_video_to_video_is_the_same_and_the_model_as_before(server: Server, saving: Server) -> None:
    request = {"work": HUNG, "tiling": {"size": 64, "overlap": 16}}
    frames = soft(5, 64, 128)
    expected = made(server, frames, **request)
    plain = saving.generate(None).frames
    before = saving.get("/probe/fingerprint")
    assert np.array_equal(made(saving, frames, **request), expected)
    assert ask(saving, frames, **request, stop_after=9).status_code == 409
    assert saving.get("/probe/fingerprint") == before
    assert np.array_equal(saving.generate(None).frames, plain)


@with_lowvram
def test_what_follows_a_video_is_the_same_and_the_model_as_before(saving: Server, followed: np.ndarray) -> None:
    saving.post("/probe/face", there=True).raise_for_status()
    try:
        plain = saving.generate(None).frames
        before = saving.get("/probe/fingerprint")
        result = saving.generate(BOTH)
        assert result.extra.get("VCD errors", []) == []
        assert result.frames.shape == (4, 128, 128, 3)
        assert np.array_equal(result.frames, followed)
        for after in (3, 5):  # inside of Face VCD and of Tiled VCD
            saving.post("/probe/parts", interrupt_after=after).raise_for_status()
            assert saving.generate(BOTH).frames.shape == (4, 64, 64, 3)
            assert len(saving.get("/probe/parts")) == after
    finally:
        saving.post("/probe/face", there=False).raise_for_status()
    assert saving.get("/probe/fingerprint") == before
    assert np.array_equal(saving.generate(None).frames, plain)


def test_an_identity_is_trained_with_medvram_and_refused_with_lowvram(
    server: Server, saving: Server, flag: str
) -> None:
    plain = saving.generate(None).frames
    answer = saving.post("/probe/train")
    if flag == "--lowvram":
        assert answer.status_code == 422
        assert "--medvram instead" in answer.json()["detail"]
    else:
        run = answer.json()
        assert run["within"] == server.post("/probe/train").json()["within"] | {"hooks": 0}
        assert run["after"] == run["before"]
        failed = saving.post("/probe/train", end="error in the UNet").json()
        assert failed["after"] == failed["before"] == run["before"]
    assert np.array_equal(saving.generate(None).frames, plain)
