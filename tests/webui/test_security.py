"""What nobody may do who can reach the WebUI: read other files, compute through a foreign page, see what is others'."""

from pathlib import Path
from typing import Any

import pytest
import requests

from tests import film
from tests.gradio_page import RawPage, sent
from tests.waiting import until
from tests.webui.server import Server
from vcd_ext.ui.uploads import NOT_SENT

JSON = {"Content-Type": "application/json"}
OPEN = {"api": True, "api_auth": None, "nowebui": False, "cors_allow_origins": None, "cors_allow_origins_regex": None,
        "webui_is_non_local": False}  # fmt: skip
LISTS = ("/vcd/v1/health", "/vcd/v1/motion-modules", "/vcd/v1/identities")


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Return a video and a photo in a folder that nobody has let the WebUI read from."""
    folder = tmp_path / "private"
    folder.mkdir()
    film.film(folder / "secret.mp4")
    return folder


def refused(server: Server, private: Path) -> None:
    """Neither the video nor the folder can be had by name."""
    settings = {"steps": 1, "motion_module": "none", "upscaler": "Lanczos", "controlnet": "none"}
    for path in (private / "secret.mp4", private):
        answer = server.post("/vcd/v1/tiled", video=str(path), settings=settings)
        assert answer.status_code == 422
        assert "not in a folder that videos may be read from" in answer.json()["detail"]
    answer = server.post("/vcd/v1/train", settings={"name": "thief", "class_word": "dog"}, photos=str(private))
    assert answer.status_code == 422
    assert "not in a folder that photos may be read from" in answer.json()["detail"]


def test_all_settings_are_shut_to_the_api_and_where_folders_are_hidden(server: Server) -> None:
    told = server.get("/probe/options")
    folders = ("vcd_motion_module_folder", "vcd_motion_lora_folder", "vcd_photo_folders")
    assert told == {name: [True, True] for name in folders}
    before = server.get("/sdapi/v1/options")
    server.post("/sdapi/v1/options", **dict.fromkeys(folders, "/")).raise_for_status()
    after = server.get("/sdapi/v1/options")
    assert {name: after[name] for name in told} == {name: before[name] for name in told}


@pytest.mark.parametrize(
    "option", ["vcd_photo_folders", "outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples"]
)
def test_no_setting_that_the_api_can_change_lets_it_read_more(server: Server, private: Path, option: str) -> None:
    with server.options(**{option: str(private)}):
        refused(server, private)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_foreign_page_begins_nothing(server: Server, kind: str) -> None:
    for path in ("train", "face", "tiled", "face/any/cancel", "tiled/any/save", "train/any/cancel"):
        answer = requests.post(f"{server.url}/vcd/v1/{path}", data="{}", headers={"Content-Type": kind}, timeout=60)
        assert answer.status_code == 415, path
    assert requests.post(f"{server.url}/vcd/v1/face/any/cancel", timeout=60).status_code == 415


def asked(server: Server, flags: dict[str, Any], *requests: dict[str, Any]) -> list[int]:
    """Return the status of requests where the WebUI was started with other flags."""
    answer = server.post("/probe/with-flags", flags=OPEN | flags, requests=list(requests))
    answer.raise_for_status()
    return [status for status, _ in answer.json()]


@pytest.mark.parametrize("account", [None, "ann:secret"])
def test_without_the_api_there_is_no_route(server: Server, account: str | None) -> None:
    ways = [{"method": "GET", "url": path} for path in (*LISTS, "/vcd/v1/face/any", "/vcd/v1/train/any")]
    ways += [{"method": "POST", "url": f"/vcd/v1/{path}", "json": {}} for path in ("train", "face", "tiled/a/cancel")]
    assert set(asked(server, {"api": False, "api_auth": account}, *ways)) == {404}
    assert asked(server, {"api": False, "nowebui": True}, {"method": "GET", "url": LISTS[0]}) == [200]


def test_with_an_account_every_route_asks_for_it(server: Server) -> None:
    paths = (*LISTS, "/vcd/v1/train/any", "/vcd/v1/face/any", "/vcd/v1/tiled/any")
    flags = {"api_auth": "ann:se:cret,bob:geheim\u00fc"}
    ways: list[dict[str, Any]] = [{"method": "GET", "url": path} for path in paths]
    ways += [
        {"method": "POST", "url": f"/vcd/v1/{path}", "json": {}}
        for kind in ("train", "face", "tiled")
        for path in (kind, f"{kind}/any/cancel")
    ]
    assert set(asked(server, flags, *ways)) == {401}
    for account in (["ann", "secret"], ["ann", ""], ["eve", "se:cret"], ["", ""]):
        assert set(asked(server, flags, *(way | {"auth": account} for way in ways))) == {401}
    right = asked(server, flags, *(way | {"auth": ["ann", "se:cret"]} for way in ways))
    assert right[:3] == [200] * 3
    assert set(right[3:]) == {404, 422}


@pytest.mark.parametrize(
    ("flags", "origin", "host", "status"),
    [
        ({}, None, "127.0.0.1:7860", 404),
        ({}, "http://127.0.0.1:7860", "127.0.0.1:7860", 404),
        ({}, "http://localhost:7860", "localhost:7860", 404),
        ({}, "https://evil.example", "127.0.0.1:7860", 403),
        ({}, "null", "127.0.0.1:7860", 403),
        ({}, "http://x:99999999", "127.0.0.1:7860", 403),
        ({}, "http://localhost:3000", "localhost:7860", 403),
        ({}, "http://evil.example:7860", "evil.example:7860", 403),  # its name leads to this machine
        ({"webui_is_non_local": True}, "http://studio.example:7860", "studio.example:7860", 404),
        ({"cors_allow_origins": "https://a.example,https://b.example"}, "https://b.example", "127.0.0.1:7860", 404),
        ({"cors_allow_origins_regex": "https://.*[.]example"}, "https://b.example", "127.0.0.1:7860", 404),
    ],
)
def test_pages_of_other_sites_are_refused(
    server: Server, flags: dict[str, Any], origin: str | None, host: str, status: int
) -> None:
    headers = {"Host": host, **({} if origin is None else {"Origin": origin})}
    way = {"method": "POST", "url": "/vcd/v1/face/any/cancel", "json": {}, "headers": headers}
    assert asked(server, flags, way) == [status]


def test_nothing_of_the_machine_is_told_without_need(server: Server) -> None:
    told = server.get("/vcd/v1/health")
    assert sorted(told) == ["checkpoint", "version"]
    for path in LISTS:
        assert str(server.data) not in requests.get(server.url + path, timeout=60).text


def test_a_setting_that_the_page_lacks_shifts_no_other(server: Server) -> None:
    values = {"enabled": True, "frames": 3, "fps": 12.5, "gamma": 0.3, "formats": ["gif"], "face_size": 256}
    answer = server.post("/probe/without", left_out="overlap", values=values)
    answer.raise_for_status()
    assert {name: answer.json()[name] for name in values} == values


def test_forged_payloads_of_files_are_refused_on_the_page(server: Server, private: Path) -> None:
    page, secret = RawPage(server.url), str(private / "secret.mp4")
    for elem_id, trigger, field in (
        ("img2img_generate", "click", "vcd_img2img_video"),
        ("vcd_face_file", "upload", "vcd_face_file"),
        ("vcd_tiled_file", "upload", "vcd_tiled_file"),
    ):
        answer = page.send(elem_id, trigger, **{field: sent(secret)})
        assert NOT_SENT in (answer.json()["error"] or ""), elem_id
    assert not list(server.temporary.rglob("secret.mp4")), "nothing was copied to where files that were sent lie"


def test_what_was_sent_to_the_page_cannot_be_named_through_the_api(server: Server, private: Path) -> None:
    path = RawPage(server.url).upload("walk.mp4", (private / "secret.mp4").read_bytes())
    assert Path(path).is_file()
    for way in ("face", "tiled"):
        assert server.post(f"/vcd/v1/{way}", video=path).status_code == 422
    answer = server.ask({"frames": 2, "video": path}, "img2img", init_images=[], denoising_strength=0.5)
    assert "not in a folder that videos may be read from" in answer.text


def test_a_page_shows_only_what_was_begun_on_it(server: Server) -> None:
    (server.data / "outputs").mkdir(exist_ok=True)
    source = film.film(server.data / "outputs" / "others.mp4")
    settings = {"steps": 1, "motion_module": "none", "upscaler": "Lanczos", "controlnet": "none", "tile": 64,
                "tile_overlap": 16}  # fmt: skip
    mine, other = RawPage(server.url), RawPage(server.url)
    assert mine.shown("vcd_tiled_read", "click", vcd_tiled_path=str(source))["vcd_tiled_about"]
    begun = mine.send("vcd_tiled_start", "click", **{f"vcd_tiled_{name}": value for name, value in settings.items()})
    assert "others.mp4" in begun.text
    until(lambda: "is ready" in mine.send("vcd_tiled_tick", "click").text, every=0.2)
    assert "others-tiled.mp4" in mine.send("vcd_tiled_start", "click", vcd_tiled_steps=0).text, "it is shown again"
    assert "others" not in other.send("vcd_tiled_tick", "click").text
