"""The WebUI reads the same tensor from an embedding's file as we do, whoever wrote it."""

import base64
import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests import tiny
from tests.identity.embedding_layouts import LAYOUTS, NAME, vectors_of
from tests.webui.server import Server
from tests.webui.test_train_api import MASKS, PHOTOS
from vcd_ext.identity import load_embedding

WIDTH = 64  # of the small checkpoint's text encoder


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_webui_and_we_read_the_same_from_every_layout(server: Server, layout: str, count: int) -> None:
    vectors = vectors_of(count, WIDTH)
    path: Path = LAYOUTS[layout](server.data / "embeddings", vectors)
    try:
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()
        assert load_embedding(path).tolist() == vectors.tolist()
        assert server.get(f"/probe/embedding/{NAME}") == vectors.tolist()
        assert NAME in server.get("/vcd/v1/identities")
    finally:
        path.unlink()
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


def test_what_lies_in_linked_folders_is_known_and_its_name_is_taken(server: Server, tmp_path: Path) -> None:
    tiny.embedding(tmp_path / "embeddings", "linkling")
    tiny.motion_module(tmp_path / "modules", "v3")
    links = [server.data / "embeddings" / "linked", server.data / "models/AnimateDiff" / "linked"]
    for link, folder in zip(links, ("embeddings", "modules"), strict=True):
        link.symlink_to(tmp_path / folder)
    try:
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()
        assert "linkling" in server.get("/vcd/v1/identities")
        assert "linked/mm_v3.safetensors" in server.get("/vcd/v1/motion-modules")
        assert "already an embedding called linkling" in refused(server, "linkling")
    finally:
        for link in links:
            link.unlink()
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


def test_the_name_of_an_embedding_in_a_picture_is_taken(server: Server) -> None:
    """The WebUI knows it by the name within, whatever the file is called."""
    picture = PngInfo()
    data = {"name": "pictureling", "string_to_param": {"*": {"TORCHTENSOR": [[0.01] * WIDTH]}}}
    picture.add_text("sd-ti-embedding", base64.b64encode(json.dumps(data).encode()).decode())
    path = server.data / "embeddings" / "anything.png"
    Image.new("RGB", (64, 64)).save(path, pnginfo=picture)
    try:
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()
        assert "pictureling" in server.get("/vcd/v1/identities")
        assert "already an embedding called pictureling" in refused(server, "pictureling")
    finally:
        path.unlink()
        server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


def refused(server: Server, name: str) -> str:
    """Return what is said to who wants to train an identity of that name."""
    answer = server.post("/vcd/v1/train", settings={"name": name, "class_word": "dog"}, photos=PHOTOS, masks=MASKS)
    assert answer.status_code in (400, 409, 422)
    return answer.text
