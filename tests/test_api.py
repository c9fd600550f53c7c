"""The API of trainings, asked as a client asks."""

import base64
import io
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.identity.toy_host import PHOTOS, photo
from tests.toy_studio import ENDLESS, NAME, SETTINGS, ToyStudio, ended, stopped_at, until
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob

CHOSEN = asdict(SETTINGS)


def base64_of(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


PICTURES = [base64_of(one.pixels) for one in PHOTOS]
MASKS = [base64_of(one.mask) for one in PHOTOS if one.mask is not None]


def test_a_training_is_begun_looked_at_and_ends_with_an_embedding(
    client: TestClient, jobs: Jobs, studio: ToyStudio
) -> None:
    answer = client.post("/vcd/v1/train", json={"settings": CHOSEN, "photos": PICTURES, "masks": MASKS})
    assert answer.status_code == 200
    identifier = answer.json()["id"]
    ended(jobs.get(identifier, TrainingJob))
    told = client.get(f"/vcd/v1/train/{identifier}").json()
    assert {name: told[name] for name in ("name", "state", "stage", "step", "total", "error", "embedding")} == {
        "name": NAME, "state": "done", "stage": "Training", "step": 20, "total": 20, "error": "", "embedding": NAME,
    }  # fmt: skip
    assert told["loss"] > 0
    assert told["validation"] > 0
    assert (studio.folders.identities / f"{NAME}.safetensors").is_file()


def test_while_it_runs_it_tells_the_time_left_and_another_is_refused(client: TestClient, jobs: Jobs) -> None:
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    until(lambda: len(job.losses) > 3)
    told = client.get(f"/vcd/v1/train/{job.id}").json()
    assert told["state"] == "running"
    assert told["seconds_left"] > 0
    assert told["embedding"] is None
    refused = client.post("/vcd/v1/train", json={"settings": CHOSEN | {"name": "other"}, "photos": PICTURES})
    assert refused.status_code == 409
    assert refused.json()["detail"] == f"{NAME} is being trained; wait for the end, or stop that training."
    assert client.post(f"/vcd/v1/train/{job.id}/cancel", json={}).json()["state"] in ("stopping", "stopped")
    ended(job)
    assert client.get(f"/vcd/v1/train/{job.id}").json()["state"] == "stopped"


def test_a_cancelled_training_can_keep_what_it_learned(client: TestClient, jobs: Jobs) -> None:
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    until(lambda: job.losses)
    client.post(f"/vcd/v1/train/{job.id}/cancel", params={"keep": True}, json={})
    ended(job)
    assert client.get(f"/vcd/v1/train/{job.id}").json()["embedding"] == NAME


def test_an_unfinished_training_is_resumed_or_discarded(client: TestClient, jobs: Jobs) -> None:
    stopped_at(jobs, 5)
    request: dict[str, Any] = {"settings": CHOSEN, "photos": PICTURES, "masks": MASKS}
    refused = client.post("/vcd/v1/train", json=request)
    assert refused.status_code == 422
    assert "unfinished" in refused.json()["detail"]
    resumed = client.post("/vcd/v1/train", json={"settings": {"name": NAME}, "resume": True}).json()
    assert len(ended(jobs.get(resumed["id"], TrainingJob)).losses) == 20
    stopped_at(jobs, 5, type(SETTINGS)(**CHOSEN | {"name": "again"}))
    request["settings"] = CHOSEN | {"name": "again"}
    begun = client.post("/vcd/v1/train", json=request | {"discard": True}).json()
    assert ended(jobs.get(begun["id"], TrainingJob)).file


def test_photos_are_read_from_an_allowed_folder_with_their_masks(
    client: TestClient, jobs: Jobs, studio: ToyStudio
) -> None:
    folder = studio.folders.photos[0] / "rex"
    folder.mkdir(parents=True)
    for i, one in enumerate(PHOTOS):
        assert one.mask is not None
        Image.fromarray(one.pixels).save(folder / f"{i}.png")
        Image.fromarray(one.mask).save(folder / f"{i}.mask.png")
    (folder / "broken.png").write_bytes(b"no picture")
    answer = client.post("/vcd/v1/train", json={"settings": CHOSEN, "photos": str(folder)}).json()
    job = ended(jobs.get(answer["id"], TrainingJob))
    assert job.identity is not None
    assert job.identity.metadata["mask_source"] == "file"
    assert any("broken.png" in warning for warning in job.notes)


@pytest.mark.parametrize("outside", ["/etc", "photos/../../secret", "~", "photos/link", "\0"])
def test_other_folders_are_not_read(client: TestClient, studio: ToyStudio, tmp_path: Path, outside: str) -> None:
    secret, allowed = tmp_path / "secret", studio.folders.photos[0]
    secret.mkdir()
    Image.fromarray(PHOTOS[0].pixels).save(secret / "private.png")
    allowed.mkdir()
    (allowed / "link").symlink_to(secret)
    path = outside.replace("photos", str(allowed))
    answer = client.post("/vcd/v1/train", json={"settings": CHOSEN, "photos": path})
    assert answer.status_code == 422
    assert "not in a folder that photos may be read from" in answer.json()["detail"]
    assert "private" not in answer.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda body: [body], "must be an object"),
        (lambda body: body | {"wings": 2}, "'wings' is not known"),
        (lambda body: body | {"settings": None}, "settings must be an object"),
        (lambda body: body | {"settings": CHOSEN | {"horns": 1}}, "'horns' is not a setting"),
        (lambda body: body | {"settings": CHOSEN | {"steps": "many"}}, "steps is 'many'"),
        (lambda body: body | {"settings": CHOSEN | {"name": "../rex"}}, "has '.' in it"),
        (lambda body: body | {"settings": CHOSEN | {"class_word": "a b c d e"}}, "5 words"),
        (lambda body: body | {"photos": None}, "photos must be a list"),
        (lambda body: body | {"photos": []}, "photos must be a list"),
        (lambda body: body | {"photos": ["no base64!"]}, "photo 1 is no base64"),
        (lambda body: body | {"photos": [7]}, "photo 1 is no base64"),
        (lambda body: body | {"photos": [base64.b64encode(b"nothing").decode()]}, "no photo to learn from"),
        (lambda body: body | {"photos": PICTURES * 200}, "600 photos"),
        (lambda body: body | {"masks": MASKS[:1]}, "masks must be a list as long as photos"),
        (lambda body: body | {"replace": "yes"}, "replace is 'yes'"),
        (lambda body: body | {"resume": True}, "no unfinished training"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_one_sentence(
    client: TestClient, jobs: Jobs, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    answer = client.post("/vcd/v1/train", json=change({"settings": CHOSEN, "photos": PICTURES}))
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert jobs.last is None


def test_what_is_no_json_is_said_in_one_sentence(client: TestClient) -> None:
    answer = client.post("/vcd/v1/train", content=b"{", headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The request is no JSON")


def test_data_urls_and_a_photo_without_its_mask_are_taken(client: TestClient, jobs: Jobs) -> None:
    bright = base64_of(photo(3).pixels)
    body = {
        "settings": CHOSEN,
        "photos": [f"data:image/png;base64,{PICTURES[0]}", bright],
        "masks": [MASKS[0], None],
    }
    job = ended(jobs.get(client.post("/vcd/v1/train", json=body).json()["id"], TrainingJob))
    assert job.identity is not None
    assert job.identity.metadata["mask_source"] == "brightness, file"


def test_masks_that_are_all_empty_are_refused_in_one_sentence_unless_masks_are_not_wanted(
    client: TestClient, jobs: Jobs
) -> None:
    body = {"settings": CHOSEN, "photos": PICTURES, "masks": [base64_of(0 * PHOTOS[0].pixels)] * len(PICTURES)}
    answer = client.post("/vcd/v1/train", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The masks of all photos are empty")
    assert jobs.last is None
    begun = client.post("/vcd/v1/train", json=body | {"settings": CHOSEN | {"masked": False}}).json()
    assert ended(jobs.get(begun["id"], TrainingJob)).file


def test_a_mask_of_no_use_is_told_and_another_is_looked_for(client: TestClient, jobs: Jobs) -> None:
    full = base64_of(0 * PHOTOS[0].pixels + 255)
    body = {"settings": CHOSEN, "photos": PICTURES[:2], "masks": [full, MASKS[1]]}
    job = ended(jobs.get(client.post("/vcd/v1/train", json=body).json()["id"], TrainingJob))
    assert job.notes[0].startswith("The mask of photo 1 covers 100% of the picture, more than 95%")
    assert job.identity is not None
    assert job.identity.metadata["mask_source"] == "brightness, file"


@pytest.mark.parametrize("ask", ["get", "cancel"])
def test_an_unknown_training_is_not_found(client: TestClient, ask: str) -> None:
    path = "/vcd/v1/train/unknown"
    answer = client.get(path) if ask == "get" else client.post(f"{path}/cancel", json={})
    assert answer.status_code == 404
    assert "no training 'unknown'" in answer.json()["detail"]


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
FOREIGN = [None, "", "text/plain", FORM, PARTS, "application/octet-stream", "text/json"]


def test_what_a_foreign_page_can_send_is_refused_before_it_is_read(client: TestClient, jobs: Jobs) -> None:
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    for path in ("train", "face", "tiled", f"train/{job.id}/cancel", "face/any/cancel", "tiled/any/save"):
        for kind in FOREIGN:
            headers = {} if kind is None else {"Content-Type": kind}
            answer = client.post(f"/vcd/v1/{path}", content=b"", headers=headers)
            assert answer.status_code == 415
            assert answer.json()["detail"].endswith("send it with the header Content-Type: application/json.")
    assert not job.stops(), "nothing was cancelled"
    job.stop()
    ended(job)
