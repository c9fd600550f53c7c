"""The class word that BLIP suggests in the real WebUI: from files that are there, and never from a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webui.server import Server
from vcd_ext.identity.segment.weights import VOCABULARY


def test_without_weights_nothing_is_offered_or_downloaded_and_one_sentence_says_why(server: Server) -> None:
    answer = server.post("/probe/suggest", stub=False).json()
    assert not answer["offered"]
    assert "BLIP is not on this machine; write the class yourself" in answer["said"]
    assert answer["said"].count(". ") == 0
    assert not (server.data / "models" / "BLIP").exists()


@pytest.fixture
def _files(server: Server) -> Iterator[None]:
    """Put what BLIP needs in place, as far as its names, and a list of words of the right size."""
    weights = server.data / "models/BLIP/model_base_caption_capfilt_large.pth"
    words: Path = server.data / "models" / VOCABULARY.folder / VOCABULARY.name
    for path in (weights, words):
        path.parent.mkdir(parents=True)
        path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n".ljust(VOCABULARY.size, "x"))
    yield
    for path in (weights, words):
        path.unlink()
        path.parent.rmdir()


@pytest.mark.usefixtures("_files")
def test_with_weights_the_captions_name_the_class_without_a_network(server: Server) -> None:
    answer = server.post("/probe/suggest", stub=True).json()
    assert answer == {"offered": True, "said": "dog", "job": ""}
