"""save_images, send_images and a video without init images, as the WebUI's API means them."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.webui.server import Result, Server
from vcd_ext import media

MOTION = {"motion_module": "mm_v2", "frames": 3, "formats": ["gif", "png"]}
CHEAP: dict[str, Any] = {"steps": 1, "cfg_scale": 1.0}


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()


@pytest.mark.parametrize(
    ("save", "send", "stages"),
    [(True, True, True), (True, False, False), (False, True, True), (False, False, False)],
)
def test_files_are_kept_and_sent_as_asked(server: Server, tmp_path: Path, save: bool, send: bool, stages: bool) -> None:
    settings = {**MOTION, **({"tiled": True, "tiled_upscaler": "Lanczos", "save_stages": True} if stages else {})}
    with server.options(outdir_txt2img_samples=str(tmp_path), outdir_txt2img_grids=str(tmp_path)):
        answer = server.ask(settings, save_images=save, send_images=send, **CHEAP)
    assert answer.status_code == 200, answer.text[:500]
    body = answer.json()
    videos = Result(body, pictures=False).extra["VCD videos"]
    kept = files(tmp_path)
    assert {path.suffix for path in kept} == ({".gif", ".png"} if save else set())
    assert len(body["images"]) == (3 if send else 0)
    assert len(videos) == ((1 + stages) if save or send else 0)
    for video in videos:
        assert ("base64" in video, "path" in video) == (send, save)
        if save:
            assert Path(video["path"]) in kept
        if send:
            name = Path(video["path"] if save else video["name"]).name
            sent = tmp_path / f"sent-{name}"
            sent.write_bytes(base64.b64decode(video["base64"]))
            assert len(media.read(sent).frames) == 3
    assert not list(server.temporary.glob("vcd*"))


def test_a_request_that_says_nothing_of_it_has_its_video_kept_and_sent(server: Server) -> None:
    [video] = server.generate(MOTION, **CHEAP).extra["VCD videos"]
    assert base64.b64decode(video["base64"]) == Path(video["path"]).read_bytes()


@pytest.fixture(scope="module")
def walk(data: Path) -> Path:
    frames = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    return media.write(data / "videos" / "flags", media.Clip(frames, "12.5"))


@pytest.mark.parametrize("request_", [{}, {"init_images": None}], ids=["left out", "null"])
def test_a_video_needs_no_init_images(server: Server, walk: Path, request_: dict[str, Any]) -> None:
    result = server.generate({**MOTION, "video": str(walk)}, "img2img", denoising_strength=0.5, **CHEAP | request_)
    assert result.frames.shape[0] == 2


def test_without_a_video_init_images_are_asked_for_as_ever(server: Server, walk: Path) -> None:
    assert server.ask(MOTION, "img2img", **CHEAP).status_code == 404
    off = {**MOTION, "video": str(walk), "enabled": False}
    assert server.ask(off, "img2img", **CHEAP).status_code == 404
    assert server.ask(None, "img2img", alwayson_scripts={"VCD": {"args": []}}, **CHEAP).status_code == 404
