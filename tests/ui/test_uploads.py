"""Payloads of files that no page sends: nothing is read but what was sent to the page."""

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import film
from tests.gradio_page import RawPage, sent
from tests.toy_studio import ToyStudio
from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.app import page as built
from vcd_ext.ui.uploads import NOT_SENT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def raw(folder: Path) -> Iterator[RawPage]:
    studio = ToyStudio(folder)
    studio.private = False  # others can reach the page
    blocks = built(Jobs(studio)).queue(concurrency_count=4)
    _, url, _ = blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, show_api=False, quiet=True)
    yield RawPage(url)
    blocks.close()


FORGED = [
    "{video}", "{picture}", "file://{video}", "{uploads}/../{up}{video}", "{uploads}/link.mp4",
    "{uploads}/{hash}/link.mp4", "{uploads}/direct.mp4", "{uploads}/{hash}", "{uploads}", "", ".", "/", "\0",
    "{video}\0.mp4", "~/secret.mp4", "{uploads}/{hash}/gone.mp4", "a" * 5000, 7, None, ["{video}"], {"name": "{video}"},
]  # fmt: skip


@pytest.fixture(scope="module")
def places(raw: RawPage, folder: Path) -> dict[str, str]:
    """Return a video and a picture that were never sent, and links to them among what was."""
    video, picture = film.film(folder / "secret.mp4"), folder / "secret.png"
    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(picture)
    real = Path(raw.upload("walk.mp4", video.read_bytes()))
    uploads = Path(tempfile.gettempdir()) / "gradio"
    assert real.parent.parent == uploads
    for link in (uploads / "link.mp4", real.parent / "link.mp4"):
        link.unlink(missing_ok=True)
        link.symlink_to(video)
    (uploads / "direct.mp4").write_bytes(video.read_bytes())
    up = "../" * len(uploads.parts)
    return {"video": str(video), "picture": str(picture), "uploads": str(uploads), "hash": real.parent.name, "up": up}


def filled(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**places)
    if isinstance(value, list):
        return [filled(one, places) for one in value]
    return {name: filled(one, places) for name, one in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", FORGED, ids=lambda name: repr(name)[:30])
@pytest.mark.parametrize(
    ("field", "many"), [("vcd_face_file", False), ("vcd_train_photos", True), ("vcd_train_mask_file", False)]
)
def test_what_was_not_sent_is_not_read(raw: RawPage, places: dict[str, str], name: Any, field: str, many: bool) -> None:
    payload = sent(filled(name, places), orig_name=places["video"])
    for forged in (payload, payload | {"is_file": 1}, payload | {"is_stream": True}, {"name": payload["name"]}):
        answer = raw.send(field, "upload", **{field: [forged] if many else forged})
        assert answer.status_code == 500
        assert NOT_SENT in answer.json()["error"]


@pytest.mark.parametrize("payload", ["{video}", 7, [], {}, [[]], True])
def test_what_is_no_payload_is_refused(raw: RawPage, places: dict[str, str], payload: Any) -> None:
    answer = raw.send("vcd_face_file", "upload", vcd_face_file=filled(payload, places))
    assert NOT_SENT in answer.json()["error"]


def test_bytes_in_a_payload_are_no_file_that_was_sent(raw: RawPage, places: dict[str, str]) -> None:
    data = "data:video/mp4;base64," + base64.b64encode(Path(places["video"]).read_bytes()).decode()
    for name in ("walk.mp4", "../../../walk.mp4", places["video"]):
        answer = raw.send("vcd_face_file", "upload", vcd_face_file=sent(name, data=data, is_file=False))
        assert NOT_SENT in answer.json()["error"]


def test_what_was_sent_is_taken(raw: RawPage, places: dict[str, str]) -> None:
    path = f"{places['uploads']}/{places['hash']}/walk.mp4"
    assert "walk.mp4" in raw.shown("vcd_face_file", "upload", vcd_face_file=sent(path))["vcd_face_about"]
    photo = raw.upload("rex.png", Path(places["picture"]).read_bytes())
    shown = raw.shown("vcd_train_photos", "upload", vcd_train_photos=[sent(photo)])
    assert len(shown["vcd_train_gallery"]["value"]) == 1


@pytest.mark.parametrize("path", ["{video}", "{uploads}/{hash}/walk.mp4", "{up}{video}", "\0"])
def test_a_path_of_a_page_that_others_can_reach_is_one_of_the_folders(
    raw: RawPage, places: dict[str, str], path: str
) -> None:
    about = raw.shown("vcd_face_read", "click", vcd_face_path=filled(path, places))["vcd_face_about"]
    assert "not in a folder that videos may be read from" in about
    shown = raw.shown("vcd_train_read_folder", "click", vcd_train_folder=filled(path, places))
    assert "not in a folder that photos may be read from" in shown["vcd_train_problems"]["value"]


@pytest.mark.parametrize("index", [99, -1, -99, None, "0", [0], 0.5, True])
def test_a_photo_that_is_not_there_is_not_chosen(raw: RawPage, places: dict[str, str], index: Any) -> None:
    photo = raw.upload("rex.png", Path(places["picture"]).read_bytes())
    raw.shown("vcd_train_photos", "upload", vcd_train_photos=[sent(photo)])
    shown = raw.shown("vcd_train_gallery", "select", event={"index": index, "value": None, "selected": True})
    assert "rex.png" in shown["vcd_train_about"]["value"]
