"""Trainings through the API of the real WebUI."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import requests

from tests import waiting
from tests.identity.toy_host import photo
from tests.webui.server import Server, as_base64
from vcd_ext.identity import load_embedding

PHOTOS = [as_base64(photo(i).pixels) for i in range(2)]
MASKS = [as_base64(one.mask) for one in (photo(i) for i in range(2)) if one.mask is not None]
SETTINGS = {"name": "apiling", "class_word": "dog", "tokens": 2, "steps": 2, "batch": 1, "size": 64, "variants": 1,
            "validate_every": 1, "learning_rate": 0.05, "seed": 5}  # fmt: skip


pytestmark = pytest.mark.usefixtures("_only_the_embeddings_of_before")


def train(server: Server, **settings: Any) -> requests.Response:
    return server.post("/vcd/v1/train", settings=SETTINGS | settings, photos=PHOTOS, masks=MASKS)


def until(server: Server, identifier: str, happened: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until something has happened, and return what is told of a training."""

    def told() -> dict[str, Any] | None:
        answer: dict[str, Any] = server.get(f"/vcd/v1/train/{identifier}")
        return answer if happened(answer) else None

    return waiting.until(told, every=0.1) or {}


def ended(server: Server, identifier: str) -> dict[str, Any]:
    """Wait for a training's end, and return what is told of it."""
    return until(server, identifier, lambda told: told["state"] in ("done", "stopped", "failed"))


def learning(server: Server, identifier: str) -> dict[str, Any]:
    """Wait for a training's first step, and return what is told of it."""
    return until(server, identifier, lambda told: told["loss"] is not None)


def generated(server: Server) -> None:
    """Wait until the WebUI has made another step of a picture."""

    def step() -> int:
        state = server.get("/sdapi/v1/progress?skip_current_image=true")["state"]
        return int(state["sampling_step"]) if state["job"] and state["job"] != "vcd-train" else 0

    begun = step()
    waiting.until(lambda: step() > begun, every=0.05)


def test_a_training_leaves_an_identity_that_the_next_prompt_knows(server: Server) -> None:
    prompt = "a photo of apiling"
    before = server.generate(None, prompt=prompt).frames
    answer = train(server)
    assert answer.status_code == 200, answer.text
    told = ended(server, answer.json()["id"])
    assert (told["error"], told["embedding"], told["step"]) == ("", "apiling", 2)
    assert load_embedding(server.data / "embeddings" / "apiling.safetensors").shape == (2, 64)
    assert (server.data / "embeddings" / "apiling.preview.png").is_file()
    assert "apiling" in server.get("/vcd/v1/identities")
    assert not np.array_equal(server.generate(None, prompt=prompt).frames, before)


def test_a_name_that_is_taken_and_a_second_training_are_refused(server: Server) -> None:
    taken = train(server, name="tinyperson")
    assert taken.status_code == 422
    assert "already an embedding called tinyperson" in taken.json()["detail"]
    running = train(server, name="endling", steps=100_000).json()["id"]
    refused = train(server, name="other")
    assert refused.status_code == 409
    assert "endling is being trained" in refused.json()["detail"]
    # The WebUI's own Interrupt ends it, and it can be gone on with.
    learning(server, running)
    server.post("/sdapi/v1/interrupt").raise_for_status()
    told = ended(server, running)
    assert (told["state"], told["error"]) == ("stopped", "")
    assert not (server.data / "embeddings" / "endling.safetensors").exists()
    resumed = server.post("/vcd/v1/train", settings={"name": "endling"}, resume=True).json()["id"]
    learning(server, resumed)
    server.post(f"/vcd/v1/train/{resumed}/cancel?keep=true").raise_for_status()
    assert ended(server, resumed)["embedding"] == "endling"
    assert list((server.data / "vcd" / "trainings").iterdir()) == []


def test_a_training_waits_for_the_picture_that_is_generated(server: Server) -> None:
    with ThreadPoolExecutor(1) as other:
        picture = other.submit(server.ask, None, steps=5000)
        generated(server)
        identifier = train(server, name="waitling").json()["id"]
        for _ in range(3):
            assert server.get(f"/vcd/v1/train/{identifier}")["state"] == "waiting"
            generated(server)
        assert not picture.done()
        server.post("/sdapi/v1/interrupt").raise_for_status()
        assert picture.result().status_code == 200
    told = ended(server, identifier)
    assert (told["state"], told["error"]) == ("done", ""), "the picture's interrupt is not the training's"


def test_a_picture_waits_for_the_training_and_is_the_same_after_it(server: Server) -> None:
    before = server.generate(None).frames
    identifier = train(server, name="firstling", steps=100_000).json()["id"]
    learning(server, identifier)
    with ThreadPoolExecutor(1) as other:
        picture = other.submit(server.generate, None)
        step = server.get(f"/vcd/v1/train/{identifier}")["step"]
        until(server, identifier, lambda told: told["step"] >= step + 8)
        assert not picture.done()
        server.post(f"/vcd/v1/train/{identifier}/cancel").raise_for_status()
        assert np.array_equal(picture.result().frames, before)
    assert ended(server, identifier)["state"] == "stopped"


def test_photos_outside_of_the_webuis_folders_are_not_read(server: Server) -> None:
    answer = server.post("/vcd/v1/train", settings=SETTINGS | {"name": "folderling"}, photos="/etc")
    assert answer.status_code == 422
    assert "may be read from" in answer.json()["detail"]
