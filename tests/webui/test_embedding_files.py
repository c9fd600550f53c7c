"""The WebUI reads the same tensor from an embedding's file as we do, whoever wrote it."""

from pathlib import Path

import pytest

from tests.identity.embedding_layouts import LAYOUTS, NAME, vectors_of
from tests.webui.server import Server
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
