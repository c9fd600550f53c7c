"""The API of Face VCD and Tiled VCD, asked as a client asks."""

import base64
import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests import film
from tests.identity.toy_host import PHOTOS
from tests.media import making
from tests.toy_studio import ENDLESS, ToyStudio, ended
from vcd_ext import media
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.video import VideoJob

FACES: dict[str, Any] = {**film.SMALL_FACES, "motion_module": "mm_v2"}
TILES: dict[str, Any] = {"tile": 64, "tile_overlap": 16, "steps": 2, "seed": 3, "motion_module": "mm_v2"}


@pytest.fixture
def source(studio: ToyStudio) -> Path:
    """Return a film in a folder that may be read."""
    studio.folders.sources[0].mkdir()
    return film.film(studio.folders.sources[0] / "walk.mp4", faces=2)


def base64_of(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def told(client: TestClient, jobs: Jobs, kind: str, **body: Any) -> dict[str, Any]:
    """Wait for a job's end, and return what is told of it."""
    answer = client.post(f"/vcd/v1/{kind}", json=body)
    assert answer.status_code == 200, answer.text
    ended(jobs.get(answer.json()["id"], VideoJob))
    result: dict[str, Any] = client.get(f"/vcd/v1/{kind}/{answer.json()['id']}").json()
    return result


def test_files_are_written_as_the_request_says(client: TestClient, jobs: Jobs, source: Path) -> None:
    files = {"subfolder": "small", "frames_per_file": 2}
    job = told(client, jobs, "tiled", video=str(source), settings=TILES, formats=["gif"], files=files)
    assert [Path(one["path"]).parts[-2:] for one in job["videos"]] == [
        ("small", f"walk-tiled-part{number}.gif") for number in (1, 2, 3)
    ]
    for wrong, words in (({"crf": 99}, "crf is 99"), ({"subfolder": ".."}, "subfolder is '..'"), ([], "files is []")):
        answer = client.post("/vcd/v1/tiled", json={"video": str(source), "files": wrong})
        assert answer.status_code == 422
        assert words in answer.json()["detail"]


def test_a_path_becomes_videos_with_path_mime_and_base64(client: TestClient, jobs: Jobs, source: Path) -> None:
    job = told(client, jobs, "face", video=str(source), settings=FACES, formats=["mp4", "webp", "png"])
    assert {name: job[name] for name in ("name", "state", "error", "notes", "unsaved", "seconds_left")} == {
        "name": "walk.mp4", "state": "done", "error": "", "notes": [], "unsaved": False, "seconds_left": None,
    }  # fmt: skip
    assert [Path(one["path"]).name for one in job["videos"]] == ["walk-face.mp4", "walk-face.webp", "walk-face"]
    assert [one["mime"] for one in job["videos"]] == ["video/mp4", "image/webp", "inode/directory"]
    for one in job["videos"][:2]:
        assert base64.b64decode(one["base64"]) == Path(one["path"]).read_bytes()
    assert "base64" not in job["videos"][2]
    with Image.open(io.BytesIO(base64.b64decode(job["sheet"]))) as sheet:
        assert np.asarray(sheet).ndim == 3
    short = client.get(f"/vcd/v1/face/{job['id']}", params={"files": False}).json()
    assert short["sheet"] is None
    assert "base64" not in short["videos"][0]


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
def test_a_video_in_base64_is_taken(client: TestClient, jobs: Jobs, source: Path, tmp_path: Path, suffix: str) -> None:
    sent = base64_of(film.film(tmp_path / f"other{suffix}"))
    job = told(client, jobs, "tiled", video=f"data:video/any;base64,{sent}", settings=TILES)
    assert (job["state"], job["name"]) == ("done", f"sent{suffix}")
    assert media.read(job["videos"][0]["path"]).frames.shape == (film.FRAMES, 128, 192, 3)
    assert media.has_sound(Path(job["videos"][0]["path"])) == (suffix == ".mp4")


def test_a_part_of_a_video_is_made_and_the_page_plays_that_part(client: TestClient, jobs: Jobs, source: Path) -> None:
    job = told(client, jobs, "tiled", video=str(source), settings=TILES | {"first_frame": 2, "last_frame": 4})
    assert media.read(job["videos"][0]["path"]).frames.shape[0] == 3
    known = jobs.get(job["id"], VideoJob)
    assert known.before is not None
    assert len(media.read(known.before).frames) == 3
    wrong = {"video": str(source), "settings": TILES | {"first_frame": 4, "last_frame": 2}}
    answer = client.post("/vcd/v1/tiled", json=wrong)
    assert answer.status_code == 422
    assert "choose a last frame from 4 on, or 0" in str(answer.json()["detail"])


def test_what_is_converted_of_a_film_is_told(client: TestClient, jobs: Jobs, studio: ToyStudio) -> None:
    studio.folders.sources[0].mkdir(exist_ok=True)
    path = making.film(studio.folders.sources[0] / "dvd.mkv", film.frames(), sample_aspect_ratio=Fraction(4, 3))
    job = told(client, jobs, "tiled", video=str(path), settings=TILES)
    assert "its frames of 96x64 were resampled to 128x64 square ones." in " ".join(job["notes"])


def test_a_folder_of_frames_is_taken(client: TestClient, jobs: Jobs, studio: ToyStudio) -> None:
    folder = media.write(studio.folders.sources[0] / "frames", film.clip())
    assert told(client, jobs, "tiled", video=str(folder), settings=TILES)["state"] == "done"


def test_a_job_is_cancelled_and_keeps_what_is_finished(
    client: TestClient, jobs: Jobs, studio: ToyStudio, source: Path
) -> None:
    asked: list[dict[str, Any]] = []

    def cancel(frame: int) -> None:
        if frame == 1 and jobs.last is not None:
            asked.append(client.post(f"/vcd/v1/tiled/{jobs.last.id}/cancel", json={}).json())

    studio.video.at = cancel
    job = told(client, jobs, "tiled", video=str(source), settings=TILES)
    assert asked[0]["state"] == "stopping"
    assert (job["state"], job["stage"]) == ("stopped", "Writing the files")
    assert len(media.read(job["videos"][0]["path"]).frames) == 2


def test_while_something_runs_another_is_refused_and_told_of(client: TestClient, jobs: Jobs, source: Path) -> None:
    training = jobs.trainings.start(PHOTOS, ENDLESS)
    refused = client.post("/vcd/v1/face", json={"video": str(source), "settings": FACES})
    assert refused.status_code == 409
    assert "is being trained" in refused.json()["detail"]
    training.stop()
    ended(training)


def test_what_could_not_be_written_is_saved_later(
    client: TestClient, jobs: Jobs, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("vcd_ext.media.output_files.media.write", full)
        job = told(client, jobs, "tiled", video=str(source), settings=TILES)
        assert (job["state"], job["error"], job["unsaved"]) == ("failed", "The disk is full.", True)
        assert client.post(f"/vcd/v1/tiled/{job['id']}/save", json={}).status_code == 500
    saved = client.post(f"/vcd/v1/tiled/{job['id']}/save", json={}).json()
    assert (saved["state"], saved["error"], len(saved["videos"])) == ("done", "", 1)


@pytest.mark.parametrize("kind", ["face", "tiled"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda body: [body], "must be an object"),
        (lambda body: body | {"wings": 2}, "'wings' is not known; a video is asked for with video, settings, formats"),
        (lambda body: body | {"settings": None}, "settings must be an object"),
        (lambda body: body | {"settings": {"horns": 1}}, "'horns' is not a setting"),
        (lambda body: body | {"settings": {"denoise": 2}}, "denoise is 2.0; it must be from 0.01 to 1"),
        (lambda body: body | {"settings": {"motion_module": "mm_v9"}}, "motion_module is 'mm_v9'"),
        (lambda body: body | {"settings": {"context": 4, "context_overlap": 4}}, "context_overlap is 4"),
        (lambda body: body | {"formats": "mp4"}, "formats is 'mp4'; it must be a list"),
        (lambda body: body | {"formats": ["mov"]}, "formats is ['mov']"),
        (lambda body: body | {"formats": []}, "No format is chosen"),
        (lambda body: body | {"video": None}, "video must be the path"),
        (lambda body: body | {"video": 7}, "video must be the path"),
        (lambda body: body | {"video": "/etc"}, "not in a folder that videos may be read from"),
        (lambda body: body | {"video": body["video"].replace("walk", "gone")}, "does not exist"),
        (lambda body: body | {"video": "data:video/mp4;base64,aGVsbG8="}, "what was sent is no video"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_one_sentence(
    client: TestClient, jobs: Jobs, source: Path, kind: str, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    answer = client.post(f"/vcd/v1/{kind}", json=change({"video": str(source)}))
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert jobs.last is None


@pytest.mark.parametrize("outside", ["photos/../../secret.mp4", "photos/link.mp4", "\0"])
def test_other_files_are_not_read(
    client: TestClient, studio: ToyStudio, source: Path, tmp_path: Path, outside: str
) -> None:
    film.film(tmp_path / "secret.mp4")
    (source.parent / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    answer = client.post("/vcd/v1/face", json={"video": outside.replace("photos", str(source.parent))})
    assert answer.status_code == 422
    assert "not in a folder that videos may be read from" in answer.json()["detail"]


def test_a_job_is_known_under_its_own_kind_only(client: TestClient, jobs: Jobs, source: Path) -> None:
    identifier = told(client, jobs, "tiled", video=str(source), settings=TILES)["id"]
    for path in ("face", "train"):
        assert client.get(f"/vcd/v1/{path}/{identifier}").status_code == 404
    unknown = client.post("/vcd/v1/face/unknown/cancel", json={})
    assert unknown.status_code == 404
    assert unknown.json()["detail"].startswith("There is no video 'unknown'")
